/**
 * The graph as we hold it before ONNX: tensors with static shapes (the batch included), each made by one op from other
 * tensors. Immutable, and equal ops on equal inputs are one tensor, so a gradient may recompute what the forward pass
 * has computed already at no cost.
 */
import { KumiaiError } from "@kumiai/params";
import { opNamed } from "./registry.js";

/** Element types: `f32` for values, `i32` for indices, `u8` for masks and small classes. */
export type DType = "f32" | "i32" | "u8";

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Attributes of an op: plain data; a typed array only in `constant`. */
export type Attrs = Readonly<Record<string, AttrValue>>;
export type AttrValue = number | string | boolean | readonly number[] | Float32Array | Int32Array | undefined;

export interface Tensor extends TensorType {
  readonly graph: Graph;
  /** Position in the graph: inputs always have lower numbers. */
  readonly index: number;
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly attrs: Attrs;
}

export class Graph {
  readonly #tensors: Tensor[] = [];
  readonly #byKey = new Map<string, Tensor>();

  /** The tensor of `op` on `inputs`; one that exists already is returned. Throws MODEL_INVALID for shapes that do not fit. */
  apply(op: string, inputs: readonly Tensor[], attrs: Attrs = {}): Tensor {
    const key = keyOf(op, inputs, attrs);
    const known = key === undefined ? undefined : this.#byKey.get(key);
    if (known !== undefined) return known;
    const { dtype, shape } = opNamed(op).infer(inputs, attrs);
    checkShape(op, inputs, shape);
    const tensor: Tensor = { graph: this, index: this.#tensors.length, op, inputs, attrs, dtype, shape };
    this.#tensors.push(tensor);
    if (key !== undefined) this.#byKey.set(key, tensor);
    return tensor;
  }

  /** A value that comes from outside at every run. */
  input(name: string, dtype: DType, shape: readonly number[]): Tensor {
    return this.apply("input", [], { name, dtype, shape });
  }

  constant(values: Float32Array | Int32Array, shape: readonly number[]): Tensor {
    return this.apply("constant", [], { values, shape });
  }

  scalar(value: number): Tensor {
    return this.apply("scalar", [], { value });
  }
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, i) => extent === b[i]);
}

/** The extent at `axis`; negative axes count from the end. */
export function extentAt(type: TensorType, axis: number): number {
  const extent = type.shape.at(axis);
  if (extent === undefined) throw new Error(`axis ${axis} of a tensor with shape [${type.shape}]`);
  return extent;
}

export function describe(type: TensorType): string {
  return `${type.dtype}[${type.shape.join(",")}]`;
}

/** MODEL_INVALID that names the op, what it got and what it needs. */
export function opError(op: string, inputs: readonly TensorType[], needs: string): KumiaiError {
  const got = inputs.map(describe).join(", ");
  return new KumiaiError("MODEL_INVALID", `${op}(${got}): ${needs}`, { op, inputs: got });
}

/** Constants above this many elements are not compared with each other. */
const COMPARED_SIZE = 1024;

function keyOf(op: string, inputs: readonly Tensor[], attrs: Attrs): string | undefined {
  const { values } = attrs;
  let key = `${op}|${inputs.map((input) => input.index)}|`;
  if (values instanceof Float32Array || values instanceof Int32Array) {
    if (values.length > COMPARED_SIZE) return undefined;
    key += `${values.constructor.name}${values}|${JSON.stringify({ ...attrs, values: 0 })}`;
  } else {
    key += JSON.stringify(attrs);
  }
  return key;
}

function checkShape(op: string, inputs: readonly TensorType[], shape: readonly number[]): void {
  if (shape.every((extent) => Number.isSafeInteger(extent) && extent > 0)) return;
  throw opError(op, inputs, `the output would have shape [${shape}]; every extent must be a positive integer`);
}
