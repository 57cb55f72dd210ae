/** Reductions over axes. */
import { div, equal, expand, mul, reshape, sum } from "../functions.js";
import type { OpDefinition } from "../registry.js";
import { opError, sizeOf, type Tensor } from "../tensor.js";
import { flagOf, listOf } from "./attrs.js";
import { inputOf, typesOf } from "./inputs.js";

/** `dy` and `y` keep reduced axes with extent 1; `count` elements were reduced to one. */
type Gradient = (x: Tensor, dy: Tensor, count: number, y: Tensor) => Tensor;

function reduction(name: string, onnx: string, gradient?: Gradient): OpDefinition {
  const op: OpDefinition = {
    name,
    infer: (inputs, attrs) => {
      const [x] = typesOf(name, inputs);
      if (x.dtype !== "f32") throw opError(name, inputs, "needs f32");
      const axes = listOf(attrs, "axes");
      const kept = x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent));
      return { dtype: "f32", shape: flagOf(attrs, "keepDims") ? kept : kept.filter((_, i) => !axes.includes(i)) };
    },
    emit: (e, node, inputs) => {
      const axes = listOf(node.attrs, "axes");
      const keepdims = flagOf(node.attrs, "keepDims") ? 1 : 0;
      // In opset 17 only ReduceSum takes its axes as an input.
      if (onnx === "ReduceSum") return e.node(onnx, [inputs[0] ?? "", e.int64s(axes)], { ints: { keepdims } });
      return e.node(onnx, inputs, { ints: { axes, keepdims } });
    },
  };
  if (gradient === undefined) return op;
  return {
    ...op,
    vjp: (node, dy) => {
      const x = inputOf(node);
      const axes = listOf(node.attrs, "axes");
      const kept = x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent));
      return [() => gradient(x, reshape(dy, kept), sizeOf(x.shape) / sizeOf(kept), reshape(node, kept))];
    },
  };
}

export const reduceOps: readonly OpDefinition[] = [
  reduction("sum", "ReduceSum", (x, dy) => expand(dy, x.shape)),
  reduction("mean", "ReduceMean", (x, dy, count) => expand(mul(dy, 1 / count), x.shape)),
  reduction("sumSquare", "ReduceSumSquare", (x, dy) => mul(x, mul(dy, 2))),
  reduction("max", "ReduceMax", (x, dy, _count, y) => {
    const won = equal(x, y);
    const axes = y.shape.flatMap((extent, i) => (extent === x.shape[i] ? [] : [i]));
    return mul(won, div(dy, sum(won, { axes, keepDims: true })));
  }),
];
