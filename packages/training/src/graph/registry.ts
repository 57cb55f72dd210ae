/** The table of ops: one entry holds all there is to know about an op. Adding an op is adding an entry. */
import type { Emitter } from "./emit.js";
import { allOps } from "./ops/index.js";
import type { Attrs, Tensor, TensorType } from "./tensor.js";

export interface OpDefinition {
  readonly name: string;
  /** Type of the output. Throws MODEL_INVALID (see `opError`) if the inputs do not fit. */
  infer(inputs: readonly TensorType[], attrs: Attrs): TensorType;
  /** Writes ONNX nodes; returns the name of the output. An op has either this or `lower`. */
  emit?(emitter: Emitter, node: Tensor, inputs: readonly string[]): string;
  /** The same value in terms of other ops. */
  lower?(node: Tensor): Tensor;
  /**
   * Vector-Jacobian product: for each input the gradient of the loss, given `dy`, the gradient of the output. Called
   * only for inputs that need one. Missing (or undefined for an input): not differentiable there.
   */
  readonly vjp?: (node: Tensor, dy: Tensor) => readonly ((() => Tensor) | undefined)[];
}

let table: ReadonlyMap<string, OpDefinition> | undefined;

export function opNamed(name: string): OpDefinition {
  table ??= new Map(allOps().map((op) => [op.name, op]));
  const op = table.get(name);
  if (op === undefined) throw new Error(`op ${name} is not in the table`);
  return op;
}
