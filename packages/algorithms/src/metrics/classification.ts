import { type CountedLabel, countedPlanes, countInto, emptyCounts, presentClasses } from "./confusion.js";
import type { Metric } from "./metric.js";

/**
 * Unweighted mean over classes of F1 in percent, over a whole data set: rare conditions count as much as common ones.
 *
 *   F1_c = 2·I_c / (P_c + T_c)
 *
 * A class that is neither predicted nor true anywhere is left out of the mean; a class that is predicted but never true, or the other way
 * round, counts with 0. This is scikit-learn's `f1_score(average="macro")`. Of a mask, "not" and "is" are the two classes.
 *
 * Sums: I, P, T of `confusion.ts`.
 */
export function macroF1(label: CountedLabel): Metric {
  return {
    name: "macro-F1",
    unit: "%",
    higherIsBetter: true,
    outputPlanes: countedPlanes(label),
    empty: () => ({ sums: emptyCounts(label) }),
    updateInto: ({ sums }, batch) => countInto(sums, batch, label, "macro-F1"),
    result({ sums }) {
      const present = presentClasses(sums);
      const total = present.reduce((sum, c) => sum + (2 * c.intersection) / (c.predicted + c.truth), 0);
      return (100 * total) / present.length;
    },
  };
}

/** Share of right predictions in percent. Sums: I, P, T of `confusion.ts`. */
export function accuracy(label: CountedLabel): Metric {
  return {
    name: "accuracy",
    unit: "%",
    higherIsBetter: true,
    outputPlanes: countedPlanes(label),
    empty: () => ({ sums: emptyCounts(label) }),
    updateInto: ({ sums }, batch) => countInto(sums, batch, label, "accuracy"),
    result({ sums }) {
      const present = presentClasses(sums);
      const right = present.reduce((sum, { intersection }) => sum + intersection, 0);
      const all = present.reduce((sum, { truth }) => sum + truth, 0);
      return (100 * right) / all;
    },
  };
}
