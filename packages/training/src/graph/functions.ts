/**
 * The ops as functions on tensors. Binary functions broadcast as NumPy does. Layers (with parameters) are in `model/`.
 */
import { opError, sameShape, sizeOf, type Tensor } from "./tensor.js";

type Operand = Tensor | number;

const of = (like: Tensor, operand: Operand): Tensor =>
  typeof operand === "number" ? like.graph.scalar(operand) : operand;

const unary =
  (op: string) =>
  (x: Tensor): Tensor =>
    x.graph.apply(op, [x]);

const binary =
  (op: string) =>
  (a: Tensor, b: Operand): Tensor =>
    a.graph.apply(op, [a, of(a, b)]);

export const add = binary("add");
export const sub = binary("sub");
export const mul = binary("mul");
export const div = binary("div");
export const minimum = binary("minimum");
/** 1 where a > b, else 0. No gradient. */
export const greater = binary("greater");
/** 1 where a = b, else 0; on `f32` or on indices. No gradient. */
export const equal = binary("equal");

export const neg = unary("neg");
export const exp = unary("exp");
export const log = unary("log");
export const sqrt = unary("sqrt");
export const square = unary("square");
export const abs = unary("abs");
/** −1, 0 or 1. No gradient. */
export const sign = unary("sign");
export const erf = unary("erf");
export const tanh = unary("tanh");
export const sigmoid = unary("sigmoid");
/** log(1 + eˣ). */
export const softplus = unary("softplus");
export const relu = unary("relu");
/** x·Φ(x), exact (erf). */
export const gelu = unary("gelu");
/** x·sigmoid(x). */
export const silu = unary("silu");
/** 1 where x > 0, else 0. No gradient. */
export const positive = unary("positive");

export function leakyRelu(x: Tensor, negativeSlope = 0.01): Tensor {
  return x.graph.apply("leakyRelu", [x], { negativeSlope });
}

/** Bytes and indices as values; no gradient. */
export function toF32(x: Tensor): Tensor {
  return x.dtype === "f32" ? x : x.graph.apply("cast", [x], { to: "f32" });
}

export function toI32(x: Tensor): Tensor {
  return x.dtype === "i32" ? x : x.graph.apply("cast", [x], { to: "i32" });
}

export function zerosLike(x: Tensor): Tensor {
  return x.graph.apply("full", [], { shape: x.shape, value: 0 });
}

export interface ReduceOptions {
  /** Negative axes count from the end. Absent: all axes. */
  readonly axes?: readonly number[];
  /** Reduced axes stay with extent 1. Default false. */
  readonly keepDims?: boolean;
}

const reduction =
  (op: string) =>
  (x: Tensor, options: ReduceOptions = {}): Tensor => {
    const axes = (options.axes ?? x.shape.map((_, i) => i)).map((axis) => (axis < 0 ? axis + x.shape.length : axis));
    if (axes.some((axis) => !(axis >= 0 && axis < x.shape.length)))
      throw opError(op, [x], `axes [${axes}] do not exist`);
    if (axes.length === 0) return x;
    return x.graph.apply(op, [x], { axes: axes.sort((a, b) => a - b), keepDims: options.keepDims ?? false });
  };

export const sum = reduction("sum");
export const mean = reduction("mean");
export const sumSquare = reduction("sumSquare");
/** Equal maxima share the gradient. */
export const max = reduction("max");

/** Sums what broadcasting to `x.shape` had repeated, so that the result has `shape`. */
export function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.shape.length - shape.length;
  const axes = x.shape.flatMap((extent, i) => (i < lead || (shape[i - lead] === 1 && extent !== 1) ? [i] : []));
  return reshape(sum(x, { axes }), shape);
}

/** One extent may be −1: it is worked out. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  // A reshape of a reshape is one reshape; nodes cost time even if they move nothing. But not past a parameter (the reshape of its piece of
  // the flat vector): its gradient is asked for there, and what goes past it would be missing from it.
  const inner = x.op === "reshape" ? x.inputs[0] : undefined;
  const source = inner === undefined || inner.op === "piece" ? x : inner;
  const known = shape.reduce((product, extent) => (extent === -1 ? product : product * extent), 1);
  const full = shape.map((extent) => (extent === -1 ? sizeOf(x.shape) / known : extent));
  if (sameShape(full, source.shape)) return source;
  return x.graph.apply("reshape", [source], { shape: full });
}

/** Everything after `axis` − 1 in one axis, e.g. [B, C, H, W] → [B, C·H·W] for 1. */
export function flatten(x: Tensor, axis = 1): Tensor {
  return reshape(x, [...x.shape.slice(0, axis), -1]);
}

export function transpose(x: Tensor, permutation: readonly number[]): Tensor {
  if (permutation.every((axis, i) => axis === i) && permutation.length === x.shape.length) return x;
  return x.graph.apply("transpose", [x], { permutation });
}

export function expand(x: Tensor, shape: readonly number[]): Tensor {
  return sameShape(x.shape, shape) ? x : x.graph.apply("expand", [x], { shape });
}

export function concat(parts: readonly Tensor[], axis: number): Tensor {
  const first = parts[0];
  if (first === undefined) throw opError("concat", [], "needs at least one input");
  if (parts.length === 1) return first;
  return first.graph.apply("concat", parts, { axis: axis < 0 ? axis + first.shape.length : axis });
}

export interface SliceOptions {
  readonly axes: readonly number[];
  readonly starts: readonly number[];
  /** Exclusive. */
  readonly ends: readonly number[];
  /** Default 1 each; positive. */
  readonly steps?: readonly number[];
}

export function slice(x: Tensor, { axes, starts, ends, steps }: SliceOptions): Tensor {
  const isWhole = axes.every((axis, i) => starts[i] === 0 && ends[i] === x.shape[axis] && (steps?.[i] ?? 1) === 1);
  return isWhole ? x : x.graph.apply("slice", [x], { axes, starts, ends, steps: steps ?? axes.map(() => 1) });
}

/** The order along each of `axes` turned round. */
export function flip(x: Tensor, axes: readonly number[]): Tensor {
  return x.graph.apply("flip", [x], { axes });
}

/** Zeros (or `value`) before and after each axis, one pair per axis; negative extents cut off. */
export function pad(x: Tensor, before: readonly number[], after: readonly number[], value = 0): Tensor {
  if ([...before, ...after].every((extent) => extent === 0)) return x;
  return x.graph.apply("pad", [x], { before, after, value });
}

/** Rows of `table` [N, ...] at `indices` (i32, any shape). */
export function gather(table: Tensor, indices: Tensor): Tensor {
  return table.graph.apply("gather", [table, toI32(indices)]);
}

export interface MatmulOptions {
  /** Use aᵀ (last two axes swapped). */
  readonly transA?: boolean;
  readonly transB?: boolean;
}

/** Product over the last two axes; axes before them broadcast. */
export function matmul(a: Tensor, b: Tensor, { transA = false, transB = false }: MatmulOptions = {}): Tensor {
  return a.graph.apply("matmul", [a, b], { transA, transB });
}

export function softmax(x: Tensor, axis = -1): Tensor {
  return x.graph.apply("softmax", [x], { axis: axis < 0 ? axis + x.shape.length : axis });
}

/** [B, C·r², H, W] → [B, C, H·r, W·r]. */
export function depthToSpace(x: Tensor, blockSize: number): Tensor {
  return x.graph.apply("depthToSpace", [x], { blockSize });
}

/** The values of `x`; no gradient flows through. */
export function detach(x: Tensor): Tensor {
  return x.graph.apply("detach", [x]);
}

export interface AttentionOptions {
  readonly headCount: number;
  /** Each position sees itself and those before it only. */
  readonly causal?: boolean;
}

/** Scaled dot-product attention of queries, keys and values, each [B, T, D], with D split over the heads. */
export function attention(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions): Tensor {
  const { headCount, causal = false } = options;
  const [batch = 0, length = 0, width = 0] = query.shape;
  if (query.shape.length !== 3 || width % headCount !== 0) {
    throw opError(
      "attention",
      [query, key, value],
      `needs [batch, length, width] with a width divisible by ${headCount} heads`,
    );
  }
  if ([key, value].some((x) => x.shape.length !== 3 || x.shape[2] !== width)) {
    throw opError("attention", [query, key, value], `needs keys and values [batch, length, ${width}]`);
  }
  const headWidth = width / headCount;
  const split = (x: Tensor): Tensor => transpose(reshape(x, [batch, -1, headCount, headWidth]), [0, 2, 1, 3]);
  let scores = mul(matmul(split(query), split(key), { transB: true }), 1 / Math.sqrt(headWidth));
  if (causal) scores = add(scores, causalMask(query, length, key.shape[1] ?? 0));
  const mixed = matmul(softmax(scores), split(value));
  return reshape(transpose(mixed, [0, 2, 1, 3]), [batch, length, width]);
}

function causalMask(like: Tensor, rows: number, columns: number): Tensor {
  const values = Float32Array.from({ length: rows * columns }, (_, i) =>
    i % columns > Math.floor(i / columns) ? -1e9 : 0,
  );
  return like.graph.constant(values, [rows, columns]);
}
