/**
 * What the best prediction scores that is the same for every pixel of every image. A task that is not better than
 * this has learned nothing.
 */
import { KumiaiError } from "@kumiai/params";
import { phm08Penalty } from "./continuous.js";
import { counts, type LabelArray, type MetricLabel, type ScoredBatch } from "./metric.js";
import { metricFor } from "./metric-for.js";
import { type MetricName, metricNamed } from "./metric-named.js";

export interface ConstantOptions {
  /** Default: the metric of the label kind. */
  readonly metric?: MetricName;
  /** [count, pixels] each; 0: has no label. Absent: all have. */
  readonly trainMask?: LabelArray;
  readonly testMask?: LabelArray;
}

/**
 * The constant, one value per output plane, fitted on training labels [count, planes, pixels]:
 *
 *   classes     logit 1 for the most frequent class, 0 for the others (the best single class for mIoU, macro-F1 and accuracy;
 *               AUROC gives 50 % to any)
 *   mask        F1 (ODS), AUROC: one score for all, which F1 (ODS) turns into "all positive", the best constant for F1;
 *               macro-F1, accuracy: logit 1 or −1, as the more frequent value
 *   unitVector  the normalized mean vector (minimizes the mean of 1 − cosine; within a hair of the best for angles)
 *   scalar      RMSE: the mean; MAE: the median; PHM08: what minimizes the sum of penalties
 *
 * Throws DATA_MALFORMED if the mask leaves no training label.
 */
export function constantOutput(
  label: MetricLabel,
  trainLabels: LabelArray,
  pixels: number,
  { metric, trainMask }: ConstantOptions = {},
): Float32Array {
  const planes = label.kind === "unitVector" ? 3 : 1;
  const labeled = labeledOnly(trainLabels, trainMask, planes, pixels);
  // Without the pixels that have no label there are no planes of equal length left to tell apart but pixel by pixel.
  const stride = trainMask === undefined ? pixels : 1;
  switch (label.kind) {
    case "classes": {
      const seen = new Float64Array(label.classCount);
      for (const value of labeled) seen[value] = (seen[value] ?? 0) + 1;
      const output = new Float32Array(label.classCount);
      output[seen.indexOf(Math.max(...seen))] = 1;
      return output;
    }
    case "mask": {
      if (metric !== "accuracy" && metric !== "macro-f1") return new Float32Array(1);
      const positives = labeled.filter((value) => value !== 0).length;
      return Float32Array.of(positives > labeled.length / 2 ? 1 : -1);
    }
    case "unitVector": {
      const mean = planeMeans(labeled, 3, stride);
      const norm = Math.hypot(...mean) || 1;
      return Float32Array.from(mean, (value) => value / norm);
    }
    case "scalar": {
      if (metric === "mae") return Float32Array.of(median(labeled));
      if (metric === "phm08" || metric === "phm08-mean")
        return Float32Array.of(bestForPhm08(labeled, label.scale ?? 1));
      return Float32Array.from(planeMeans(labeled, 1, stride));
    }
  }
}

/**
 * Scores `constantOutput` of the training labels on the test labels, by the metric of the label kind or the one that is named.
 * Throws DATA_MALFORMED as the metric and `constantOutput` do, INVALID_CONFIG for a metric that does not fit the labels.
 */
export function constantScore(
  label: MetricLabel,
  trainLabels: LabelArray,
  testLabels: LabelArray,
  pixels: number,
  options: ConstantOptions = {},
): number {
  const metric = options.metric === undefined ? metricFor(label) : metricNamed(options.metric, label);
  const constant = constantOutput(label, trainLabels, pixels, options);
  const output = new Float32Array(constant.length * pixels);
  constant.forEach((value, plane) => {
    output.fill(value, plane * pixels, (plane + 1) * pixels);
  });
  const stat = metric.empty();
  const stride = (label.kind === "unitVector" ? 3 : 1) * pixels;
  for (let example = 0; example * stride < testLabels.length; example++) {
    const labels = testLabels.subarray(example * stride, (example + 1) * stride);
    const mask = options.testMask?.subarray(example * pixels, (example + 1) * pixels);
    const batch: ScoredBatch = { output, labels, pixels, ...(mask === undefined ? {} : { mask }) };
    metric.updateInto(stat, batch);
  }
  return metric.result(stat);
}

/** Labels of the pixels that have one, [labeled pixels, planes]; without a mask the array as it is. */
function labeledOnly(labels: LabelArray, mask: LabelArray | undefined, planes: number, pixels: number): LabelArray {
  if (mask === undefined) return labels;
  const pixelCount = labels.length / planes;
  if (mask.length !== pixelCount) {
    throw new KumiaiError(
      "DATA_MALFORMED",
      `constant score: expected a mask of ${pixelCount} values, received ${mask.length}`,
    );
  }
  const chosen: number[] = [];
  for (let at = 0; at < pixelCount; at++) {
    if (!counts(mask, at)) continue;
    const first = Math.floor(at / pixels) * planes * pixels + (at % pixels);
    for (let plane = 0; plane < planes; plane++) chosen.push(labels[first + plane * pixels] as number);
  }
  if (chosen.length === 0) {
    throw new KumiaiError("DATA_MALFORMED", "constant score: expected at least one training label, received none");
  }
  return Float32Array.from(chosen);
}

function planeMeans(values: LabelArray, planes: number, pixels: number): number[] {
  const sums = new Array<number>(planes).fill(0);
  for (let i = 0; i < values.length; i++) {
    const plane = Math.floor(i / pixels) % planes;
    sums[plane] = (sums[plane] as number) + (values[i] as number);
  }
  return sums.map((sum) => (sum * planes) / Math.max(1, values.length));
}

function median(values: LabelArray): number {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
}

/** The penalty is convex in the prediction: thirds of the interval that cannot hold the minimum are cut off until nothing is left. */
function bestForPhm08(labels: LabelArray, scale: number): number {
  if (labels.length === 0) return 0;
  const values = Float64Array.from(labels).sort();
  const total = (prediction: number): number =>
    values.reduce((sum, value) => sum + phm08Penalty((prediction - value) * scale), 0);
  let low = values[0] as number;
  let high = values.at(-1) as number;
  for (let step = 0; step < 80; step++) {
    const [left, right] = [low + (high - low) / 3, high - (high - low) / 3];
    if (total(left) <= total(right)) high = right;
    else low = left;
  }
  return (low + high) / 2;
}
