/**
 * What was predicted against what is true, counted by class.
 *
 *   I_c  predicted c and truly c      P_c  predicted c      T_c  truly c      c = 0 … C − 1
 *
 * Sums: I, P, T, C values each. From classes the highest logit is the prediction, of equal ones the lowest class. From a mask (C = 2: not,
 * is) it is the one logit's sign; 0 says "not".
 */
import { KumiaiError } from "@kumiai/params";
import { checkedBatch, counts, type ScoredBatch } from "./metric.js";

/** Classes or a mask, as labels of a `Metric`. */
export type CountedLabel =
  | { readonly kind: "classes"; readonly classCount: number }
  | {
      readonly kind: "mask";
    };

export interface ClassCounts {
  readonly intersection: number;
  readonly predicted: number;
  readonly truth: number;
}

export function classCountOf(label: CountedLabel): number {
  return label.kind === "mask" ? 2 : label.classCount;
}

/** Planes of the output that `countInto` reads. */
export function countedPlanes(label: CountedLabel): number {
  return label.kind === "mask" ? 1 : label.classCount;
}

export function emptyCounts(label: CountedLabel): Float64Array {
  return new Float64Array(3 * classCountOf(label));
}

/** Adds a batch to `sums`. Throws DATA_MALFORMED for sizes or labels that do not fit, naming the metric `name`. */
export function countInto(sums: Float64Array, batch: ScoredBatch, label: CountedLabel, name: string): void {
  const { output, labels, pixels, mask } = batch;
  const planes = countedPlanes(label);
  const classCount = classCountOf(label);
  const examples = checkedBatch(name, batch, planes, 1);
  for (let example = 0; example < examples; example++) {
    const first = example * planes * pixels;
    for (let i = 0; i < pixels; i++) {
      if (!counts(mask, example * pixels + i)) continue;
      const truth = labels[example * pixels + i] as number;
      if (!(truth >= 0 && truth < classCount)) throw classOutOfRange(name, truth, classCount);
      const predicted = planes === 1 ? sideOf(output[first + i] as number) : highest(output, first + i, pixels, planes);
      if (predicted === truth) increment(sums, truth);
      increment(sums, classCount + predicted);
      increment(sums, 2 * classCount + truth);
    }
  }
}

/** The counts of each class that is true or predicted anywhere; the others say nothing. */
export function presentClasses(sums: Float64Array): readonly ClassCounts[] {
  const classCount = sums.length / 3;
  return Array.from({ length: classCount }, (_, c) => ({
    intersection: sums[c] as number,
    predicted: sums[classCount + c] as number,
    truth: sums[2 * classCount + c] as number,
  })).filter(({ predicted, truth }) => predicted + truth > 0);
}

function sideOf(logit: number): number {
  return logit > 0 ? 1 : 0;
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

function classOutOfRange(name: string, received: number, classCount: number): KumiaiError {
  return new KumiaiError("DATA_MALFORMED", `${name}: expected classes 0 to ${classCount - 1}, received ${received}`);
}
