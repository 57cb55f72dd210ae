import { countInto, emptyCounts, presentClasses } from "./confusion.js";
import type { Metric } from "./metric.js";

/**
 * Mean intersection over union in percent, over a whole data set (not a mean over images).
 *
 * Notation, counts of pixels over everything seen:
 *   I_c  predicted c and truly c      P_c  predicted c      T_c  truly c
 *   IoU_c = I_c / (P_c + T_c − I_c)
 *
 * A class that is neither predicted nor true anywhere has no IoU and is left out of the mean; a class that is
 * predicted but never true counts with 0. The highest logit is the prediction; of equal ones the lowest class.
 *
 * Source: Everingham et al., "The PASCAL Visual Object Classes Challenge: A Retrospective", IJCV 2015.
 * Sums: I, P, T, `classCount` values each.
 */
export function meanIou(classCount: number): Metric {
  const label = { kind: "classes", classCount } as const;
  return {
    name: "mIoU",
    unit: "%",
    higherIsBetter: true,
    outputPlanes: classCount,
    empty: () => ({ sums: emptyCounts(label) }),
    updateInto: ({ sums }, batch) => countInto(sums, batch, label, "mIoU"),
    result({ sums }) {
      const present = presentClasses(sums);
      const total = present.reduce((sum, c) => sum + c.intersection / (c.predicted + c.truth - c.intersection), 0);
      return (100 * total) / present.length;
    },
  };
}
