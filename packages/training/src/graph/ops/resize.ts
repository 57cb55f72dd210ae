/** Bilinear resize as two products with constant matrices: its gradient is the two products with their transposes. */
import { matmul } from "../functions.js";
import type { OpDefinition } from "../registry.js";
import { opError, type Tensor } from "../tensor.js";
import { listOf } from "./attrs.js";
import { inputOf, typesOf } from "./inputs.js";

/**
 * [to, from] weights of linear interpolation with half-pixel centers (PyTorch's `align_corners=False`), f64 rounded once.
 */
export function interpolationMatrix(from: number, to: number): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const place = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const low = Math.min(from - 1, Math.floor(place));
    const high = Math.min(from - 1, low + 1);
    const share = place - low;
    matrix[i * from + low] = (matrix[i * from + low] ?? 0) + (1 - share);
    matrix[i * from + high] = (matrix[i * from + high] ?? 0) + share;
  }
  return matrix;
}

function matricesOf(node: Tensor): readonly [Tensor, Tensor] {
  const [height = 1, width = 1] = inputOf(node).shape.slice(2);
  const [toHeight = 1, toWidth = 1] = listOf(node.attrs, "size");
  const { graph } = node;
  return [
    graph.apply("interpolation", [], { from: height, to: toHeight }),
    graph.apply("interpolation", [], { from: width, to: toWidth }),
  ];
}

export const resizeOps: readonly OpDefinition[] = [
  {
    name: "interpolation",
    infer: (_, { from, to }) => ({ dtype: "f32", shape: [Number(to), Number(from)] }),
    emit: (e, node) => e.floats(interpolationMatrix(Number(node.attrs.from), Number(node.attrs.to)), node.shape),
  },
  {
    name: "bilinearResize",
    infer: (inputs, attrs) => {
      const [x] = typesOf("bilinearResize", inputs);
      if (x.shape.length !== 4) throw opError("bilinearResize", inputs, "needs [batch, channels, height, width]");
      return { dtype: "f32", shape: [...x.shape.slice(0, 2), ...listOf(attrs, "size")] };
    },
    lower: (node) => {
      const [rows, columns] = matricesOf(node);
      return matmul(rows, matmul(inputOf(node), columns, { transB: true }));
    },
    vjp: (node, dy) => [
      () => {
        const [rows, columns] = matricesOf(node);
        return matmul(matmul(rows, dy, { transA: true }), columns);
      },
    ],
  },
];
