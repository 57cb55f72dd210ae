import { KumiaiError } from "@kumiai/params";
import { checkedBatch, counts, type Metric, type MetricLabel, type ScoredBatch } from "./metric.js";

/**
 * Mean angle in degrees between predicted and true vectors, over all pixels. Predictions are normalized first; a zero
 * vector counts as 90°. Computed by atan2(‖p × t‖, ⟨p, t⟩), exact for small angles where acos is not.
 * Sums: angles in degrees, pixels.
 */
export function meanAngularError(): Metric {
  return {
    name: "mean angular error",
    unit: "°",
    higherIsBetter: false,
    outputPlanes: 3,
    empty: () => ({ sums: new Float64Array(2) }),
    updateInto({ sums }, batch) {
      const { output, labels, pixels, mask } = batch;
      const examples = checkedBatch("mean angular error", batch, 3, 3);
      let total = 0;
      let counted = 0;
      for (let example = 0; example < examples; example++) {
        for (let i = 0; i < pixels; i++) {
          if (!counts(mask, example * pixels + i)) continue;
          total += angle(output, labels, 3 * example * pixels + i, pixels);
          counted++;
        }
      }
      sums[0] = (sums[0] as number) + total * (180 / Math.PI);
      sums[1] = (sums[1] as number) + counted;
    },
    result: ({ sums }) => (sums[0] as number) / (sums[1] as number),
  };
}

/** In radians, between the vectors whose components stand at `x` and one and two strides further. */
function angle(a: ArrayLike<number>, b: ArrayLike<number>, x: number, stride: number): number {
  const ax = a[x] as number;
  const ay = a[x + stride] as number;
  const az = a[x + 2 * stride] as number;
  const bx = b[x] as number;
  const by = b[x + stride] as number;
  const bz = b[x + 2 * stride] as number;
  const crossX = ay * bz - az * by;
  const crossY = az * bx - ax * bz;
  const crossZ = ax * by - ay * bx;
  const cross = Math.sqrt(crossX * crossX + crossY * crossY + crossZ * crossZ);
  const dot = ax * bx + ay * by + az * bz;
  return cross === 0 && dot === 0 ? Math.PI / 2 : Math.atan2(cross, dot);
}

export type ScalarLabel = Omit<Extract<MetricLabel, { readonly kind: "scalar" }>, "kind">;

/** Root of the mean squared error over all pixels, in real units. Sums: squared errors (of labels as they are), pixels. */
export function rootMeanSquaredError(label: ScalarLabel = {}): Metric {
  return scalarMetric({
    name: "RMSE",
    label,
    loss: (error) => error * error,
    result: (total, pixels, scale) => scale * Math.sqrt(total / pixels),
  });
}

/** Mean absolute error over all pixels, in real units. Sums: absolute errors (of labels as they are), pixels. */
export function meanAbsoluteError(label: ScalarLabel = {}): Metric {
  return scalarMetric({
    name: "MAE",
    label,
    loss: Math.abs,
    result: (total, pixels, scale) => scale * (total / pixels),
  });
}

/** Cycles of error that multiply the penalty by e: too early, too late. */
const PHM08_EARLY = 13;
const PHM08_LATE = 10;

/** The penalty of the error d = predicted − true remaining life, in cycles: too late (d > 0) is worse than too early. */
export function phm08Penalty(error: number): number {
  return error < 0 ? Math.expm1(-error / PHM08_EARLY) : Math.expm1(error / PHM08_LATE);
}

/**
 * The score of the PHM'08 challenge for remaining useful life, lower is better, 0 is perfect:
 *
 *   s = Σ_n exp(−d_n / 13) − 1 for d_n < 0, exp(d_n / 10) − 1 for d_n ≥ 0,   d = predicted − true, in cycles
 *
 * `sum` is the score as published, which grows with the number of engines; `mean` is s divided by the number of engines, so that test sets
 * of different size compare. An engine is one example: give one window per engine, the last one, as the challenge does. One error of
 * 100 cycles outweighs 20,000 errors of 0.01; read it beside RMSE.
 *
 * Source: Saxena, Goebel, Simon, Eklund, "Damage Propagation Modeling for Aircraft Engine Run-to-Failure Simulation", PHM 2008.
 * Sums: penalties, engines.
 */
export function phm08Score(variant: "sum" | "mean", label: ScalarLabel = {}): Metric {
  const { scale = 1 } = label;
  return {
    ...scalarMetric({
      name: variant === "sum" ? "PHM08 score" : "PHM08 score per engine",
      label,
      loss: (error) => phm08Penalty(error * scale),
      result: (total, engines) => (variant === "mean" || engines === 0 ? total / engines : total),
    }),
    unit: "",
  };
}

interface ScalarMetric {
  readonly name: string;
  readonly label: ScalarLabel;
  /** Of one error, predicted − true, in units of the labels. */
  loss(error: number): number;
  result(total: number, pixels: number, scale: number): number;
}

function scalarMetric({ name, label: { scale = 1, unit = "" }, loss, result }: ScalarMetric): Metric {
  if (!(Number.isFinite(scale) && scale > 0)) {
    throw new KumiaiError("INVALID_CONFIG", `metric ${name}: scale: expected a number above 0, received ${scale}`);
  }
  return {
    name,
    unit,
    higherIsBetter: false,
    outputPlanes: 1,
    empty: () => ({ sums: new Float64Array(2) }),
    updateInto: ({ sums }, batch) => addErrorsInto(sums, batch, name, loss),
    result: ({ sums }) => result(sums[0] as number, sums[1] as number, scale),
  };
}

function addErrorsInto(sums: Float64Array, batch: ScoredBatch, name: string, loss: (error: number) => number): void {
  checkedBatch(name, batch, 1, 1);
  const { output, labels, mask } = batch;
  let total = 0;
  let counted = 0;
  for (let i = 0; i < output.length; i++) {
    if (!counts(mask, i)) continue;
    total += loss((output[i] as number) - (labels[i] as number));
    counted++;
  }
  sums[0] = (sums[0] as number) + total;
  sums[1] = (sums[1] as number) + counted;
}
