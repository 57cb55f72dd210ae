import { checkedBatch, counts, type Metric } from "./metric.js";

const BINS = 256;
/** Logits are told apart from −8 to 8 (probabilities 0.0003 to 0.9997), in steps of 1/16. */
const LARGEST_LOGIT = 8;

/**
 * F1 in percent at the optimal data-set threshold (ODS): one threshold for all images, the one that is best on the very
 * data the score is reported for, as usual for edges. Hence a constant score gets the F1 of calling everything positive.
 *
 *   F1 = 2·TP / (predicted positives + true positives)
 *
 * Without any true positive F1 is 0 whatever is predicted. No tolerance: a boundary one pixel off is wrong.
 *
 * Source: Arbelaez et al., "Contour Detection and Hierarchical Image Segmentation", TPAMI 2011 (there with tolerance).
 * Sums: two histograms of 256 logit bins, truly negative pixels, then truly positive ones.
 */
export function f1Ods(): Metric {
  return {
    name: "F1 (ODS)",
    unit: "%",
    higherIsBetter: true,
    outputPlanes: 1,
    empty: () => ({ sums: new Float64Array(2 * BINS) }),
    updateInto({ sums }, batch) {
      checkedBatch("F1 (ODS)", batch, 1, 1);
      const { output, labels, mask } = batch;
      for (let i = 0; i < output.length; i++) {
        if (!counts(mask, i)) continue;
        const at = binOf(output[i] as number) + (labels[i] === 0 ? 0 : BINS);
        sums[at] = (sums[at] as number) + 1;
      }
    },
    result({ sums }) {
      let pixels = 0;
      let positives = 0;
      for (let bin = 0; bin < BINS; bin++) {
        positives += sums[BINS + bin] as number;
        pixels += (sums[bin] as number) + (sums[BINS + bin] as number);
      }
      if (pixels === 0) return Number.NaN;
      let best = 0;
      let hits = 0;
      let called = 0;
      for (let bin = BINS - 1; bin >= 0; bin--) {
        hits += sums[BINS + bin] as number;
        called += (sums[bin] as number) + (sums[BINS + bin] as number);
        if (called > 0) best = Math.max(best, (2 * hits) / (called + positives));
      }
      return 100 * best;
    },
  };
}

function binOf(logit: number): number {
  const bin = Math.floor(((logit + LARGEST_LOGIT) / (2 * LARGEST_LOGIT)) * BINS);
  return Math.min(BINS - 1, Math.max(0, bin));
}
