/** Access to a node's inputs that says which one is missing. */
import type { Tensor, TensorType } from "../tensor.js";

export function inputOf(node: Tensor, i = 0): Tensor {
  const input = node.inputs[i];
  if (input === undefined) throw new Error(`${node.op} has no input ${i}`);
  return input;
}

/** The input types of an op that has exactly one, two or three. */
export function typesOf(op: string, inputs: readonly TensorType[]): readonly [TensorType, TensorType, TensorType] {
  const [a, b, c] = inputs;
  if (a === undefined) throw new Error(`${op} needs an input`);
  return [a, b ?? a, c ?? b ?? a];
}
