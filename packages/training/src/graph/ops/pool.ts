/**
 * Pooling in two dimensions (one dimension is a height of 1). x [B, C, H, W], windows as in convolutions.
 *
 * Both gradients are one transposed convolution: for the average with a constant kernel; for the maximum with kernels that
 * each put one offset of the window back at its place, on what that offset had won. Of equal values the first wins.
 */
import { concat, equal, mul, pad, reshape, slice, sub } from "../functions.js";
import type { OpDefinition } from "../registry.js";
import { type Attrs, opError, sizeOf, type Tensor, type TensorType } from "../tensor.js";
import { listOf } from "./attrs.js";
import { checkWindow, shape4, windowOf } from "./conv.js";
import { inputOf, typesOf } from "./inputs.js";

/** Less than every value that occurs; −Infinity would make NaN of 0·x. */
const LOWEST = -3e38;

function poolType(op: string, inputs: readonly TensorType[], attrs: Attrs): TensorType {
  const [x] = typesOf(op, inputs);
  const [batch, channels, height, width] = shape4(op, x);
  const window = windowOf(attrs);
  const { strides, pads } = window;
  checkWindow(op, inputs, window);
  const [kh = 1, kw = 1] = listOf(attrs, "kernel");
  if (Math.max(pads[0], pads[2]) * 2 > kh || Math.max(pads[1], pads[3]) * 2 > kw) {
    throw opError(op, inputs, `a padding of [${pads}] is more than half of the window [${kh},${kw}]`);
  }
  const rows = Math.floor((height + pads[0] + pads[2] - kh) / strides[0]) + 1;
  const columns = Math.floor((width + pads[1] + pads[3] - kw) / strides[1]) + 1;
  return { dtype: "f32", shape: [batch, channels, rows, columns] };
}

/** Values [B, C, K, Ho, Wo] put back with kernels [K, 1, kh, kw] and summed: [B, C, H, W]. */
function putBack(node: Tensor, values: Tensor, kernels: Tensor): Tensor {
  const [batch, channels, height, width] = shape4(node.op, inputOf(node));
  const [, , rows, columns] = shape4(node.op, node);
  const { strides, pads } = windowOf(node.attrs);
  const images = reshape(values, [batch * channels, kernels.shape[0] ?? 1, rows, columns]);
  const attrs = { strides, pads, groups: 1, outputSize: [height, width] };
  return reshape(node.graph.apply("convTranspose2d", [images, kernels], attrs), inputOf(node).shape);
}

function maxPoolGradient(node: Tensor, dy: Tensor): Tensor {
  const { strides, pads } = windowOf(node.attrs);
  const [kh = 1, kw = 1] = listOf(node.attrs, "kernel");
  const [batch, channels, rows, columns] = shape4(node.op, node);
  const padded = pad(inputOf(node), [0, 0, pads[0], pads[1]], [0, 0, pads[2], pads[3]], LOWEST);
  const one = node.graph.scalar(1);
  const wins: Tensor[] = [];
  let open: Tensor = one;
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      const ends = [i + (rows - 1) * strides[0] + 1, j + (columns - 1) * strides[1] + 1];
      const candidate = slice(padded, { axes: [2, 3], starts: [i, j], ends, steps: strides });
      const won = mul(equal(candidate, node), open);
      open = sub(open, won);
      wins.push(reshape(mul(won, dy), [batch, channels, 1, rows, columns]));
    }
  }
  const size = kh * kw;
  const kernels = Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  return putBack(node, concat(wins, 2), node.graph.constant(kernels, [size, 1, kh, kw]));
}

function pool(name: string, onnx: string, ints: Readonly<Record<string, number>>): Omit<OpDefinition, "vjp"> {
  return {
    name,
    infer: (inputs, attrs) => poolType(name, inputs, attrs),
    emit: (e, node, inputs) => {
      const { strides, pads } = windowOf(node.attrs);
      return e.node(onnx, inputs, { ints: { strides, pads, kernel_shape: listOf(node.attrs, "kernel"), ...ints } });
    },
  };
}

export const poolOps: readonly OpDefinition[] = [
  { ...pool("maxPool2d", "MaxPool", {}), vjp: (node, dy) => [() => maxPoolGradient(node, dy)] },
  {
    // Padding counts as zeros, as in PyTorch.
    ...pool("averagePool2d", "AveragePool", { count_include_pad: 1 }),
    vjp: (node, dy) => [
      () => {
        const kernel = listOf(node.attrs, "kernel");
        const share = node.graph.apply("full", [], { shape: [1, 1, ...kernel], value: 1 / sizeOf(kernel) });
        return putBack(node, dy, share);
      },
    ],
  },
];
