import { checkedBatch, type Metric } from "./metric.js";

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
      const { output, labels, pixels } = batch;
      const examples = checkedBatch("mean angular error", batch, 3, 3);
      let total = 0;
      for (let example = 0; example < examples; example++) {
        for (let i = 0; i < pixels; i++) total += angle(output, labels, 3 * example * pixels + i, pixels);
      }
      sums[0] = (sums[0] as number) + total * (180 / Math.PI);
      sums[1] = (sums[1] as number) + examples * pixels;
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

/** Root of the mean squared error over all pixels, in the labels' own unit. Sums: squared errors, pixels. */
export function rootMeanSquaredError(): Metric {
  return {
    name: "RMSE",
    unit: "",
    higherIsBetter: false,
    outputPlanes: 1,
    empty: () => ({ sums: new Float64Array(2) }),
    updateInto({ sums }, batch) {
      checkedBatch("RMSE", batch, 1, 1);
      const { output, labels } = batch;
      let total = 0;
      for (let i = 0; i < output.length; i++) {
        const error = (output[i] as number) - (labels[i] as number);
        total += error * error;
      }
      sums[0] = (sums[0] as number) + total;
      sums[1] = (sums[1] as number) + output.length;
    },
    result: ({ sums }) => Math.sqrt((sums[0] as number) / (sums[1] as number)),
  };
}
