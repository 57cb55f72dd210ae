/** Products of matrices, softmax and table look-up. */
import { equal, gather, matmul, mul, reshape, sub, sum, sumTo } from "../functions.js";
import type { OpDefinition } from "../registry.js";
import { opError, sizeOf, type Tensor } from "../tensor.js";
import { flagOf, numberOf } from "./attrs.js";
import { broadcastShape } from "./elementwise.js";
import { inputOf, typesOf } from "./inputs.js";

function matmulGradients(node: Tensor, dy: Tensor): readonly (() => Tensor)[] {
  const a = inputOf(node, 0);
  const b = inputOf(node, 1);
  const transA = flagOf(node.attrs, "transA");
  const transB = flagOf(node.attrs, "transB");
  return [
    () => {
      const da = transA ? matmul(b, dy, { transA: transB, transB: true }) : matmul(dy, b, { transB: !transB });
      return sumTo(da, a.shape);
    },
    () => {
      if (b.shape.length === 2 && a.shape.length > 2 && !transA) return sharedGradient(a, b, dy, transB);
      const db = transB ? matmul(dy, a, { transA: true, transB: transA }) : matmul(a, dy, { transA: !transA });
      return sumTo(db, b.shape);
    },
  ];
}

/** One matrix for the whole batch: fold the batch into the rows, so that the sum over it is part of one product. */
function sharedGradient(a: Tensor, b: Tensor, dy: Tensor, transB: boolean): Tensor {
  const rows = reshape(a, [-1, a.shape.at(-1) ?? 0]);
  const dyRows = reshape(dy, [-1, dy.shape.at(-1) ?? 0]);
  const db = transB ? matmul(dyRows, rows, { transA: true }) : matmul(rows, dyRows, { transA: true });
  return reshape(db, b.shape);
}

export const linearOps: readonly OpDefinition[] = [
  {
    name: "matmul",
    infer: (inputs, attrs) => {
      const [a, b] = typesOf("matmul", inputs);
      if (a.shape.length < 2 || b.shape.length < 2) throw opError("matmul", inputs, "needs at least two axes each");
      const [m, k] = flagOf(attrs, "transA") ? [a.shape.at(-1), a.shape.at(-2)] : [a.shape.at(-2), a.shape.at(-1)];
      const [l, n] = flagOf(attrs, "transB") ? [b.shape.at(-1), b.shape.at(-2)] : [b.shape.at(-2), b.shape.at(-1)];
      if (k !== l) throw opError("matmul", inputs, `inner extents ${k} and ${l} differ`);
      const lead = broadcastShape(
        "matmul",
        { dtype: "f32", shape: a.shape.slice(0, -2) },
        { dtype: "f32", shape: b.shape.slice(0, -2) },
      );
      return { dtype: "f32", shape: [...lead, m ?? 0, n ?? 0] };
    },
    emit: (e, node, inputs) => {
      const transA = flagOf(node.attrs, "transA") ? 1 : 0;
      const transB = flagOf(node.attrs, "transB") ? 1 : 0;
      if (transA + transB === 0) return e.node("MatMul", inputs);
      if (node.inputs.every((input) => input.shape.length === 2)) {
        return e.node("Gemm", inputs, { ints: { transA, transB } });
      }
      return e.node("FusedMatMul", inputs, { contrib: true, ints: { transA, transB }, floats: { alpha: 1 } });
    },
    vjp: matmulGradients,
  },
  {
    name: "softmax",
    infer: (inputs) => typesOf("softmax", inputs)[0],
    emit: (e, node, inputs) => e.node("Softmax", inputs, { ints: { axis: numberOf(node.attrs, "axis") } }),
    vjp: (node, dy) => [
      () => {
        const weighted = sum(mul(dy, node), { axes: [numberOf(node.attrs, "axis")], keepDims: true });
        return mul(node, sub(dy, weighted));
      },
    ],
  },
  {
    name: "gather",
    infer: (inputs) => {
      const [table, indices] = typesOf("gather", inputs);
      if (indices.dtype !== "i32") throw opError("gather", inputs, "needs i32 indices");
      return { dtype: table.dtype, shape: [...indices.shape, ...table.shape.slice(1)] };
    },
    emit: (e, _, inputs) => e.node("Gather", inputs, { ints: { axis: 0 } }),
    vjp: (node, dy) => {
      const [table, indices] = [inputOf(node, 0), inputOf(node, 1)];
      return [() => table.graph.apply("scatterSum", [indices, dy], { rows: table.shape[0] ?? 0 })];
    },
  },
  {
    // Gradient of gather: rows of `dy` summed at their indices.
    name: "scatterSum",
    infer: (inputs, attrs) => {
      const [indices, dy] = typesOf("scatterSum", inputs);
      return { dtype: "f32", shape: [numberOf(attrs, "rows"), ...dy.shape.slice(indices.shape.length)] };
    },
    // As a product with the one-hot matrix: a scatter with repeated indices depends on the order of threads.
    lower: (node) => {
      const [indices, dy] = [inputOf(node, 0), inputOf(node, 1)];
      const count = sizeOf(indices.shape);
      const rows = node.shape[0] ?? 0;
      const all = node.graph.constant(
        Int32Array.from({ length: rows }, (_, i) => i),
        [1, rows],
      );
      const oneHot = equal(reshape(indices, [count, 1]), all);
      return reshape(matmul(oneHot, reshape(dy, [count, -1]), { transA: true }), node.shape);
    },
    vjp: (node, dy) => [undefined, () => reshape(gather(dy, inputOf(node, 0)), inputOf(node, 1).shape)],
  },
];
