/** Batch normalization: per channel over the batch and all places. */
import { add, div, mean, mul, reshape, sqrt, square, sub } from "../graph/functions.js";
import { sizeOf, type Tensor } from "../graph/tensor.js";

interface Statistics {
  /** [C] */
  readonly mean: Tensor;
  /** [C] */
  readonly variance: Tensor;
}

export interface BatchNormInput {
  readonly x: Tensor;
  readonly scale: Tensor;
  readonly shift: Tensor;
  readonly running: Statistics;
  readonly epsilon: number;
  readonly momentum: number;
  readonly mode: "train" | "eval";
}

/** As PyTorch: normalized with the biased variance, while the running variance keeps the unbiased one. */
export function batchNorm(input: BatchNormInput): { readonly y: Tensor; readonly next?: Statistics } {
  const { x, scale, shift, running, epsilon, momentum, mode } = input;
  const wide = x.shape.map((extent, i) => (i === 1 ? extent : 1));
  const normalize = (centered: Tensor, variance: Tensor): Tensor => {
    const factor = div(reshape(scale, wide), sqrt(add(reshape(variance, wide), epsilon)));
    return add(mul(centered, factor), reshape(shift, wide));
  };
  if (mode === "eval") return { y: normalize(sub(x, reshape(running.mean, wide)), running.variance) };

  const axes = x.shape.flatMap((_, i) => (i === 1 ? [] : [i]));
  const mu = mean(x, { axes, keepDims: true });
  const centered = sub(x, mu);
  const variance = mean(square(centered), { axes, keepDims: true });
  const count = sizeOf(x.shape) / (x.shape[1] ?? 1);
  const blend = (old: Tensor, fresh: Tensor, factor: number): Tensor =>
    add(mul(old, 1 - momentum), mul(reshape(fresh, old.shape), momentum * factor));
  return {
    y: normalize(centered, variance),
    next: {
      mean: blend(running.mean, mu, 1),
      variance: blend(running.variance, variance, count / Math.max(1, count - 1)),
    },
  };
}
