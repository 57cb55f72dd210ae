/**
 * What a metric is. A statistic is a flat vector of sums, so that merging is addition: the statistic of a whole equals
 * the merged statistics of its parts, and it travels between threads as it is. A metric that ranks keeps scores beside the
 * sums; merging puts them together.
 */
import { KumiaiError } from "@kumiai/params";

/** What the labels are, as far as a metric cares. */
export type MetricLabel =
  /** One class index per pixel, below `classCount`. */
  | { readonly kind: "classes"; readonly classCount: number }
  /** 0 or 1 per pixel. */
  | { readonly kind: "mask" }
  /** A unit vector per pixel, [3, pixels]. */
  | { readonly kind: "unitVector" }
  /**
   * A real number per pixel. Errors are told in real units: `scale` of them (default 1) are one unit of labels and outputs. (What was
   * subtracted before scaling cancels out of an error.) `unit` is for readers, e.g. `cycles`.
   */
  | { readonly kind: "scalar"; readonly scale?: number; readonly unit?: string };

export type LabelArray = Uint8Array | Int32Array | Float32Array;

/** A batch as the model and the data set give it. A pixel may be any place that has a label. */
export interface ScoredBatch {
  /** [batch, planes, pixels]: what the model gives before any decision (logits, vectors of any length, values). */
  readonly output: Float32Array;
  /** [batch, 1, pixels]; for vectors [batch, 3, pixels]. */
  readonly labels: LabelArray;
  readonly pixels: number;
  /** [batch, pixels]; 0: has no label and does not count, whatever stands in `labels`. Absent: all count. */
  readonly mask?: LabelArray;
}

/** Mergeable sufficient statistic: sums over the pixels seen so far. What they are only the metric knows. */
export interface MetricStat {
  readonly sums: Float64Array;
  /** Lists of scores, for a metric that ranks; their order does not matter. */
  readonly kept?: readonly number[][];
}

export interface Metric {
  /** e.g. `mIoU`. */
  readonly name: string;
  /** `%`, `°`, the unit of the labels or nothing. */
  readonly unit: string;
  readonly higherIsBetter: boolean;
  /** Planes that the model's output has. */
  readonly outputPlanes: number;
  /** The statistic of nothing. */
  empty(): MetricStat;
  /**
   * Adds a batch to `stat`. Throws DATA_MALFORMED when sizes do not fit each other or a label is out of range,
   * NON_FINITE when an output is not a number; `stat` is then of no use.
   */
  updateInto(stat: MetricStat, batch: ScoredBatch): void;
  /** The score; NaN for a statistic of nothing. */
  result(stat: MetricStat): number;
}

/** Fresh statistic of both together. Throws DATA_MALFORMED when they are of different metrics. */
export function mergeStats(a: MetricStat, b: MetricStat): MetricStat {
  if (a.sums.length !== b.sums.length || a.kept?.length !== b.kept?.length) {
    throw new KumiaiError(
      "DATA_MALFORMED",
      `metric: expected two statistics of the same metric, received ${a.sums.length} and ${b.sums.length} sums`,
    );
  }
  const sums = a.sums.map((sum, i) => sum + (b.sums[i] as number));
  return a.kept === undefined ? { sums } : { sums, kept: a.kept.map((list, i) => [...list, ...(b.kept?.[i] ?? [])]) };
}

/** Does the pixel (counted through all examples) have a label? */
export function counts(mask: LabelArray | undefined, pixel: number): boolean {
  return mask === undefined || mask[pixel] !== 0;
}

/** Checks a batch's sizes and that every output is finite; gives the number of examples. */
export function checkedBatch(name: string, batch: ScoredBatch, outputPlanes: number, labelPlanes: number): number {
  const { output, labels, pixels, mask } = batch;
  const examples = labels.length / (labelPlanes * pixels);
  if (!Number.isInteger(examples) || output.length !== examples * outputPlanes * pixels) {
    throw new KumiaiError(
      "DATA_MALFORMED",
      `${name}: expected ${outputPlanes} output and ${labelPlanes} label values for each of ${pixels} pixels of every example; received ${output.length} and ${labels.length} values`,
      { outputs: output.length, labels: labels.length, pixels },
    );
  }
  if (mask !== undefined && mask.length !== examples * pixels) {
    throw new KumiaiError(
      "DATA_MALFORMED",
      `${name}: expected a mask of ${examples * pixels} values, one per labeled pixel, received ${mask.length}`,
      { mask: mask.length, pixels },
    );
  }
  for (let i = 0; i < output.length; i++) {
    if (!Number.isFinite(output[i])) {
      throw new KumiaiError("NON_FINITE", `${name}: output ${i} is ${output[i]}; the model has diverged`, { index: i });
    }
  }
  return examples;
}
