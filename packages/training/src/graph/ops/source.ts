/** Tensors that come from outside or are known beforehand. */
import type { OpDefinition } from "../registry.js";
import type { DType } from "../tensor.js";
import { listOf, numberOf, stringOf } from "./attrs.js";

export const sourceOps: readonly OpDefinition[] = [
  {
    name: "input",
    infer: (_, attrs) => ({ dtype: stringOf(attrs, "dtype") as DType, shape: listOf(attrs, "shape") }),
    emit: (e, node) => e.input(stringOf(node.attrs, "name"), node.dtype, node.shape),
  },
  {
    name: "constant",
    infer: (_, attrs) => ({ dtype: attrs.values instanceof Int32Array ? "i32" : "f32", shape: listOf(attrs, "shape") }),
    emit: (e, node) => {
      const values = node.attrs.values;
      if (values instanceof Int32Array) return e.int32s(values, node.shape);
      return e.floats(values as Float32Array, node.shape);
    },
  },
  {
    name: "scalar",
    infer: () => ({ dtype: "f32", shape: [] }),
    emit: (e, node) => e.floats([numberOf(node.attrs, "value")], []),
  },
  {
    name: "full",
    infer: (_, attrs) => ({ dtype: "f32", shape: listOf(attrs, "shape") }),
    emit: (e, node) => e.node("Expand", [e.floats([numberOf(node.attrs, "value")], [1]), e.int64s(node.shape)]),
  },
  {
    // One of the tensors that a flat vector is made of: one Split writes them all.
    name: "piece",
    infer: (_, attrs) => ({ dtype: "f32", shape: [listOf(attrs, "sizes")[numberOf(attrs, "index")] ?? 0] }),
    emit: (e, node, inputs) =>
      e.split(inputs[0] ?? "", listOf(node.attrs, "sizes"))[numberOf(node.attrs, "index")] ?? "",
  },
];
