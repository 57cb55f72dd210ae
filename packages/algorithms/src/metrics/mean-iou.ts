import { KumiaiError } from "@kumiai/params";
import { checkedBatch, type Metric } from "./metric.js";

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
  return {
    name: "mIoU",
    unit: "%",
    higherIsBetter: true,
    outputPlanes: classCount,
    empty: () => ({ sums: new Float64Array(3 * classCount) }),
    updateInto({ sums }, batch) {
      const { output, labels, pixels } = batch;
      const examples = checkedBatch("mIoU", batch, classCount, 1);
      for (let example = 0; example < examples; example++) {
        const first = example * classCount * pixels;
        for (let i = 0; i < pixels; i++) {
          const truth = labels[example * pixels + i] as number;
          if (!(truth >= 0 && truth < classCount)) throw classOutOfRange(truth, classCount);
          const predicted = highest(output, first + i, pixels, classCount);
          if (predicted === truth) increment(sums, truth);
          increment(sums, classCount + predicted);
          increment(sums, 2 * classCount + truth);
        }
      }
    },
    result({ sums }) {
      let total = 0;
      let present = 0;
      for (let c = 0; c < classCount; c++) {
        const intersection = sums[c] as number;
        const union = (sums[classCount + c] as number) + (sums[2 * classCount + c] as number) - intersection;
        if (union === 0) continue;
        total += intersection / union;
        present++;
      }
      return (100 * total) / present;
    },
  };
}

function highest(output: Float32Array, first: number, stride: number, planes: number): number {
  let best = 0;
  let value = output[first] as number;
  for (let plane = 1; plane < planes; plane++) {
    const other = output[first + plane * stride] as number;
    if (other > value) {
      best = plane;
      value = other;
    }
  }
  return best;
}

function increment(sums: Float64Array, at: number): void {
  sums[at] = (sums[at] as number) + 1;
}

function classOutOfRange(received: number, classCount: number): KumiaiError {
  return new KumiaiError("DATA_MALFORMED", `mIoU: expected classes 0 to ${classCount - 1}, received ${received}`);
}
