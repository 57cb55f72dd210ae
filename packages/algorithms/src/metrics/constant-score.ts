/**
 * What the best prediction scores that is the same for every pixel of every image. A task that is not better than
 * this has learned nothing.
 */
import type { LabelArray, MetricLabel, ScoredBatch } from "./metric.js";
import { metricFor } from "./metric-for.js";

/**
 * The constant, one value per output plane, fitted on training labels [count, planes, pixels]:
 *
 *   classes     logit 1 for the most frequent class (the best single class for mIoU), 0 for the others
 *   mask        one score for all, which F1 (ODS) turns into "all positive", the best constant for F1
 *   unitVector  the normalized mean vector (minimizes the mean of 1 − cosine; within a hair of the best for angles)
 *   scalar      the mean (minimizes RMSE)
 */
export function constantOutput(label: MetricLabel, trainLabels: LabelArray, pixels: number): Float32Array {
  switch (label.kind) {
    case "classes": {
      const counts = new Float64Array(label.classCount);
      for (const value of trainLabels) counts[value] = (counts[value] ?? 0) + 1;
      const output = new Float32Array(label.classCount);
      output[counts.indexOf(Math.max(...counts))] = 1;
      return output;
    }
    case "mask":
      return new Float32Array(1);
    case "unitVector": {
      const mean = planeMeans(trainLabels, 3, pixels);
      const norm = Math.hypot(...mean) || 1;
      return Float32Array.from(mean, (value) => value / norm);
    }
    case "scalar":
      return Float32Array.from(planeMeans(trainLabels, 1, pixels));
  }
}

/**
 * Scores `constantOutput` of the training labels on the test labels, by the metric of the label kind.
 * Throws DATA_MALFORMED as the metric does.
 */
export function constantScore(
  label: MetricLabel,
  trainLabels: LabelArray,
  testLabels: LabelArray,
  pixels: number,
): number {
  const metric = metricFor(label);
  const constant = constantOutput(label, trainLabels, pixels);
  const output = new Float32Array(constant.length * pixels);
  constant.forEach((value, plane) => {
    output.fill(value, plane * pixels, (plane + 1) * pixels);
  });
  const stat = metric.empty();
  const stride = (label.kind === "unitVector" ? 3 : 1) * pixels;
  for (let first = 0; first < testLabels.length; first += stride) {
    const batch: ScoredBatch = { output, labels: testLabels.subarray(first, first + stride), pixels };
    metric.updateInto(stat, batch);
  }
  return metric.result(stat);
}

function planeMeans(values: LabelArray, planes: number, pixels: number): number[] {
  const sums = new Array<number>(planes).fill(0);
  for (let i = 0; i < values.length; i++) {
    const plane = Math.floor(i / pixels) % planes;
    sums[plane] = (sums[plane] as number) + (values[i] as number);
  }
  return sums.map((sum) => (sum * planes) / Math.max(1, values.length));
}
