/**
 * Convolution in two dimensions (one dimension is a height of 1), its transpose and the gradients of both.
 *
 * Notation: x [B, C, H, W], w [O, C/g, kh, kw], b [O] (optional), y [B, O, Ho, Wo], pads = [top, left, bottom, right].
 * On ONNX Runtime's CPU provider the gradient of w is fastest as a product of matrices over shifted copies of x (a dilated
 * Conv took 3.7 times as long), the gradient of x as a Conv with the kernel turned round (stride 1), else as a ConvTranspose.
 */
import { concat, flip, matmul, pad, reshape, slice, sum, transpose } from "../functions.js";
import type { OpDefinition } from "../registry.js";
import { type Attrs, opError, type Tensor, type TensorType } from "../tensor.js";
import { listOf, numberOf } from "./attrs.js";
import { inputOf, typesOf } from "./inputs.js";

interface Window {
  readonly strides: readonly [number, number];
  /** top, left, bottom, right */
  readonly pads: readonly [number, number, number, number];
  readonly groups: number;
}

export function windowOf(attrs: Attrs): Window {
  const [sh = 1, sw = 1] = listOf(attrs, "strides");
  const [top = 0, left = 0, bottom = 0, right = 0] = listOf(attrs, "pads");
  return { strides: [sh, sw], pads: [top, left, bottom, right], groups: numberOf(attrs, "groups") };
}

/** Throws MODEL_INVALID for strides and paddings that no window can have. */
export function checkWindow(op: string, inputs: readonly TensorType[], { strides, pads }: Window): void {
  const areWhole = [...strides, ...pads].every(Number.isSafeInteger);
  if (areWhole && Math.min(...strides) >= 1 && Math.min(...pads) >= 0) return;
  throw opError(
    op,
    inputs,
    `needs whole strides of 1 or more and paddings of 0 or more, not [${strides}] and [${pads}]`,
  );
}

type Shape4 = readonly [number, number, number, number];

export function shape4(op: string, type: TensorType): Shape4 {
  const [a, b, c, d] = type.shape;
  if (a === undefined || b === undefined || c === undefined || d === undefined || type.shape.length !== 4) {
    throw opError(op, [type], "needs four axes: [batch, channels, height, width] or [out, in, height, width]");
  }
  return [a, b, c, d];
}

function conv2d(x: Tensor, w: Tensor, { strides, pads, groups }: Window): Tensor {
  return x.graph.apply("conv2d", [x, w], { strides, pads, groups });
}

function convTranspose(x: Tensor, w: Tensor, window: Window, outputSize: readonly [number, number]): Tensor {
  const { strides, pads, groups } = window;
  return x.graph.apply("convTranspose2d", [x, w], { strides, pads, groups, outputSize });
}

/** Gradient of w for y = conv2d(x, w): x [B, C, H, W], dy [B, O, Ho, Wo] → [O, C/g, kh, kw]. */
function convWeightGradient(x: Tensor, dy: Tensor, kernel: readonly [number, number], window: Window): Tensor {
  const { strides, pads, groups } = window;
  return x.graph.apply("convWeightGradient", [x, dy], { strides, pads, groups, kernel });
}

/** Gradient of x: the kernel turned round where that is a plain convolution. */
function convInputGradient(x: Tensor, w: Tensor, dy: Tensor, window: Window): Tensor {
  const [, , height, width] = shape4("conv2d", x);
  const [, , kh, kw] = shape4("conv2d", w);
  const { strides, pads, groups } = window;
  const [top, left, bottom, right] = pads;
  const isPlain = strides[0] === 1 && strides[1] === 1 && groups === 1;
  if (isPlain && Math.max(top, bottom) < kh && Math.max(left, right) < kw) {
    const turned = kh * kw === 1 ? w : flip(w, [2, 3]);
    return conv2d(dy, transpose(turned, [1, 0, 2, 3]), {
      strides,
      pads: [kh - 1 - top, kw - 1 - left, kh - 1 - bottom, kw - 1 - right],
      groups: 1,
    });
  }
  return convTranspose(dy, w, window, [height, width]);
}

/** Gradient of an optional bias [O], the third input: places first, as a reduction of whole rows is the fast one. */
function biasGradient(dy: Tensor): Tensor {
  const [batch, out, height, width] = shape4("conv2d", dy);
  const perImage = sum(reshape(dy, [batch * out, height * width]), { axes: [1] });
  return sum(reshape(perImage, [batch, out]), { axes: [0] });
}

/** Sizes of a weight gradient; groups, where there are several, have an axis of their own. */
function gradientSizes(node: Tensor) {
  const [x, dy] = [inputOf(node, 0), inputOf(node, 1)];
  const { strides, pads, groups } = windowOf(node.attrs);
  const [kh = 1, kw = 1] = listOf(node.attrs, "kernel");
  const [batch, channels, height, width] = shape4("conv2d", x);
  const [, out, outHeight, outWidth] = shape4("conv2d", dy);
  const lead = groups === 1 ? [batch] : [batch, groups];
  const [perGroup, outPerGroup] = [channels / groups, out / groups];
  return {
    ...{ kh, kw, strides, pads, groups, lead, perGroup, outPerGroup, outHeight, outWidth, width },
    x: reshape(x, [...lead, perGroup, height, width]),
    dy: reshape(dy, [...lead, outPerGroup, outHeight, outWidth]),
  };
}

type GradientSizes = ReturnType<typeof gradientSizes>;

/**
 * Stride 1: x shifted along the width only, dy along the height only, then one product gives every pair of shifts:
 * [kh·O, Hp·Wo] × [Hp·Wo, kw·C]. Moves kw·C + kh·O planes where shifting x both ways moves kh·kw·C (a third faster).
 */
function shiftedProducts({ x, dy, kh, kw, pads, lead, ...sizes }: GradientSizes): Tensor {
  const [top, left, bottom] = pads;
  const { perGroup, outPerGroup, outHeight, outWidth, width } = sizes;
  const axis = lead.length;
  const padded = (t: Tensor, before: readonly [number, number], after: readonly [number, number]): Tensor =>
    pad(t, [...lead.map(() => 0), 0, ...before], [...lead.map(() => 0), 0, ...after]);
  const columns = Array.from({ length: kw }, (_, j) =>
    padded(x, [top, left - j], [bottom, outWidth + j - left - width]),
  );
  const rows = Array.from({ length: kh }, (_, i) => padded(dy, [i, 0], [kh - 1 - i, 0]));
  const area = (outHeight + kh - 1) * outWidth;
  return matmul(
    reshape(concat(rows, axis), [...lead, kh * outPerGroup, area]),
    reshape(concat(columns, axis), [...lead, kw * perGroup, area]),
    { transB: true },
  );
}

/**
 * Any stride: every patch of x a column, [O, Ho·Wo] × [Ho·Wo, C·kh·kw]. A depthwise convolution with one-hot kernels writes the
 * columns: one pass on all threads, where Slice with a step copies element by element on one (16×16×64×64, kernel 3,
 * stride 2: 2.6 against 4.4 ms, on two threads 1.2 against 3.6).
 */
function columnProducts(node: Tensor, { kh, kw, lead, ...sizes }: GradientSizes): Tensor {
  const { perGroup, outPerGroup, outHeight, outWidth } = sizes;
  const x = inputOf(node, 0);
  const channels = shape4("conv2d", x)[1];
  const taps = kh * kw;
  const kernels = new Float32Array(channels * taps * taps);
  for (let row = 0; row < channels * taps; row++) kernels[row * taps + (row % taps)] = 1;
  const oneHot = x.graph.constant(kernels, [channels * taps, 1, kh, kw]);
  const patches = conv2d(x, oneHot, { ...windowOf(node.attrs), groups: channels });
  const kept = slice(patches, { axes: [2, 3], starts: [0, 0], ends: [outHeight, outWidth] });
  const size = outHeight * outWidth;
  const columns = reshape(kept, [...lead, perGroup * taps, size]);
  return matmul(reshape(sizes.dy, [...lead, outPerGroup, size]), columns, { transB: true });
}

/** Up to this many channels, columns are cheaper than shifts at stride 1 too (3 channels: 1.1 against 2.3 ms). */
const FEW_CHANNELS = 4;

function lowerWeightGradient(node: Tensor): Tensor {
  const sizes = gradientSizes(node);
  const { kh, kw, strides, groups, perGroup, outPerGroup } = sizes;
  const isUnitStride = strides[0] === 1 && strides[1] === 1;
  if (isUnitStride && kh * kw > 1 && perGroup > FEW_CHANNELS) {
    const products = reshape(sum(shiftedProducts(sizes), { axes: [0] }), [groups, kh, outPerGroup, kw, perGroup]);
    return reshape(transpose(products, [0, 2, 4, 1, 3]), node.shape);
  }
  const isPointwise = isUnitStride && kh * kw === 1 && sizes.pads.every((extent) => extent === 0);
  return reshape(sum(isPointwise ? pointProducts(sizes) : columnProducts(node, sizes), { axes: [0] }), node.shape);
}

/** Kernel 1, stride 1: x itself is the columns. */
function pointProducts({ x, dy, lead, perGroup, outPerGroup, outHeight, outWidth }: GradientSizes): Tensor {
  const size = outHeight * outWidth;
  const columns = reshape(x, [...lead, perGroup, size]);
  return matmul(reshape(dy, [...lead, outPerGroup, size]), columns, { transB: true });
}

export const convOps: readonly OpDefinition[] = [
  {
    name: "conv2d",
    infer: (inputs, attrs) => {
      const [x, w] = typesOf("conv2d", inputs);
      const [batch, channels, height, width] = shape4("conv2d", x);
      const [out, inPerGroup, kh, kw] = shape4("conv2d", w);
      const { strides, pads, groups } = windowOf(attrs);
      checkWindow("conv2d", inputs, { strides, pads, groups });
      if (inPerGroup * groups !== channels || out % groups !== 0) {
        throw opError("conv2d", inputs, `${groups} group(s) need ${inPerGroup * groups} input channels`);
      }
      const extent = (size: number, before: number, after: number, k: number, stride: number): number =>
        Math.floor((size + before + after - k) / stride) + 1;
      const rows = extent(height, pads[0], pads[2], kh, strides[0]);
      return { dtype: "f32", shape: [batch, out, rows, extent(width, pads[1], pads[3], kw, strides[1])] };
    },
    emit: (e, node, inputs) => {
      const { strides, pads, groups } = windowOf(node.attrs);
      const [, , kh, kw] = shape4("conv2d", inputOf(node, 1));
      return e.node("Conv", inputs, { ints: { strides, pads, group: groups, kernel_shape: [kh, kw] } });
    },
    vjp: (node, dy) => {
      const [x, w] = [inputOf(node, 0), inputOf(node, 1)];
      const window = windowOf(node.attrs);
      const [, , kh, kw] = shape4("conv2d", w);
      return [
        () => convInputGradient(x, w, dy, window),
        () => convWeightGradient(x, dy, [kh, kw], window),
        () => biasGradient(dy),
      ];
    },
  },
  {
    // x [B, C, H, W], w [C, O/g, kh, kw]: the gradient of a conv2d for its input, as a layer of its own.
    name: "convTranspose2d",
    infer: (inputs, attrs) => {
      const [x, w] = typesOf("convTranspose2d", inputs);
      const [batch, channels] = shape4("convTranspose2d", x);
      const [wIn, outPerGroup] = shape4("convTranspose2d", w);
      const [height = 0, width = 0] = listOf(attrs, "outputSize");
      checkWindow("convTranspose2d", inputs, windowOf(attrs));
      if (wIn !== channels) throw opError("convTranspose2d", inputs, `the kernel needs ${wIn} input channels`);
      return { dtype: "f32", shape: [batch, outPerGroup * windowOf(attrs).groups, height, width] };
    },
    emit: (e, node, inputs) => {
      const { strides, pads, groups } = windowOf(node.attrs);
      const [, , height, width] = shape4("convTranspose2d", inputOf(node, 0));
      const [, , kh, kw] = shape4("convTranspose2d", inputOf(node, 1));
      const [, , outHeight, outWidth] = shape4("convTranspose2d", node);
      const output_padding = [
        outHeight - ((height - 1) * strides[0] + kh - pads[0] - pads[2]),
        outWidth - ((width - 1) * strides[1] + kw - pads[1] - pads[3]),
      ];
      return e.node("ConvTranspose", inputs, {
        ints: { strides, pads, group: groups, kernel_shape: [kh, kw], output_padding },
      });
    },
    vjp: (node, dy) => {
      const [x, w] = [inputOf(node, 0), inputOf(node, 1)];
      const window = windowOf(node.attrs);
      const [, , kh, kw] = shape4("convTranspose2d", w);
      return [() => conv2d(dy, w, window), () => convWeightGradient(dy, x, [kh, kw], window), () => biasGradient(dy)];
    },
  },
  {
    name: "convWeightGradient",
    infer: (inputs, attrs) => {
      const [x, dy] = typesOf("convWeightGradient", inputs);
      const [kh = 1, kw = 1] = listOf(attrs, "kernel");
      const channels = shape4("conv2d", x)[1] / windowOf(attrs).groups;
      return { dtype: "f32", shape: [shape4("conv2d", dy)[1], channels, kh, kw] };
    },
    lower: lowerWeightGradient,
  },
];
