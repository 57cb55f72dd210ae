/** Pooling as functions. */
import { max, mean, reshape } from "../graph/functions.js";
import { opError, type Tensor } from "../graph/tensor.js";

type Pair = number | readonly [number, number];

export interface Pool1dOptions {
  readonly kernel: number;
  /** Default: the kernel. */
  readonly stride?: number;
  /** On both sides, at most half the kernel. Default 0. */
  readonly padding?: number;
}

export interface Pool2dOptions {
  readonly kernel: Pair;
  readonly stride?: Pair;
  readonly padding?: Pair;
}

/** x [B, C, H, W]. */
export function maxPool2d(x: Tensor, options: Pool2dOptions): Tensor {
  return x.graph.apply("maxPool2d", [x], attrsOf(options));
}

/** x [B, C, H, W]; padding counts as zeros. */
export function averagePool2d(x: Tensor, options: Pool2dOptions): Tensor {
  return x.graph.apply("averagePool2d", [x], attrsOf(options));
}

/** x [B, C, L]. */
export function maxPool1d(x: Tensor, options: Pool1dOptions): Tensor {
  return inOneDimension(x, options, maxPool2d);
}

/** x [B, C, L]; padding counts as zeros. */
export function averagePool1d(x: Tensor, options: Pool1dOptions): Tensor {
  return inOneDimension(x, options, averagePool2d);
}

/** Mean over everything after the channels: [B, C, ...] → [B, C]. */
export function globalAveragePool(x: Tensor): Tensor {
  return mean(x, { axes: placesOf("globalAveragePool", x) });
}

/** Maximum over everything after the channels: [B, C, ...] → [B, C]; equal maxima share the gradient. */
export function globalMaxPool(x: Tensor): Tensor {
  return max(x, { axes: placesOf("globalMaxPool", x) });
}

function placesOf(op: string, x: Tensor): readonly number[] {
  if (x.shape.length < 3) throw opError(op, [x], "needs [batch, channels, ...]");
  return x.shape.map((_, i) => i).slice(2);
}

function pairOf(value: Pair): readonly [number, number] {
  return typeof value === "number" ? [value, value] : value;
}

function attrsOf({ kernel, stride = kernel, padding = 0 }: Pool2dOptions) {
  const [ph, pw] = pairOf(padding);
  return { kernel: pairOf(kernel), strides: pairOf(stride), pads: [ph, pw, ph, pw], groups: 1 };
}

function inOneDimension(
  x: Tensor,
  { kernel, stride = kernel, padding = 0 }: Pool1dOptions,
  pool: (x: Tensor, options: Pool2dOptions) => Tensor,
): Tensor {
  const [batch = 0, channels = 0, length = 0] = x.shape;
  if (x.shape.length !== 3) throw opError("pooling in one dimension", [x], "needs [batch, channels, length]");
  const image = reshape(x, [batch, channels, 1, length]);
  const y = pool(image, { kernel: [1, kernel], stride: [1, stride], padding: [0, padding] });
  return reshape(y, [batch, channels, -1]);
}
