import { KumiaiError } from "@kumiai/params";
import { type CountedLabel, countedPlanes } from "./confusion.js";
import { checkedBatch, counts, type Metric } from "./metric.js";

/**
 * Area under the receiver operating characteristic in percent, exact: the chance that a positive example scores higher than a negative one,
 * ties counting half.
 *
 *   AUROC = (Σ rank(positive) − n₊·(n₊ + 1)/2) / (n₊·n₋), equal scores sharing the mean of their ranks
 *
 * The score of a mask is its logit, of two classes z₁ − z₀. NaN where only one of the two occurs: there is nothing to tell apart.
 *
 * Source: Hanley & McNeil, "The meaning and use of the area under a ROC curve", Radiology 1982 (the Mann-Whitney statistic).
 * Sums: none. Kept: scores of negatives, scores of positives (8 bytes per example). Cost: a sort in `result`.
 */
export function auroc(label: CountedLabel): Metric {
  const planes = countedPlanes(label);
  if (planes > 2) {
    throw new KumiaiError("INVALID_CONFIG", `metric auroc: expected labels of two classes, received ${planes} classes`);
  }
  return {
    name: "AUROC",
    unit: "%",
    higherIsBetter: true,
    outputPlanes: planes,
    empty: () => ({ sums: new Float64Array(0), kept: [[], []] }),
    updateInto({ kept = [] }, batch) {
      const { output, labels, pixels, mask } = batch;
      const examples = checkedBatch("AUROC", batch, planes, 1);
      for (let at = 0; at < examples * pixels; at++) {
        if (!counts(mask, at)) continue;
        const list = kept[labels[at] as number];
        if (list === undefined) {
          throw new KumiaiError("DATA_MALFORMED", `AUROC: expected labels 0 and 1, received ${labels[at]}`);
        }
        const first = Math.floor(at / pixels) * planes * pixels + (at % pixels);
        const score = output[first] as number;
        list.push(planes === 1 ? score : (output[first + pixels] as number) - score);
      }
    },
    result: ({ kept: [negatives = [], positives = []] = [] }) => 100 * areaUnderCurve(negatives, positives),
  };
}

/** In [0, 1]; NaN if one of the lists is empty. */
export function areaUnderCurve(negatives: readonly number[], positives: readonly number[]): number {
  const lower = Float64Array.from(negatives).sort();
  const upper = Float64Array.from(positives).sort();
  // For each positive, in ascending order: how many negatives lie below it, and how many are equal to it.
  let below = 0;
  let notAbove = 0;
  let wins = 0;
  for (const score of upper) {
    while (below < lower.length && (lower[below] as number) < score) below++;
    while (notAbove < lower.length && (lower[notAbove] as number) <= score) notAbove++;
    wins += (below + notAbove) / 2;
  }
  return wins / (lower.length * upper.length);
}
