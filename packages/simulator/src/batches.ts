/** Rows of examples as the inputs of a model. */
import type { DenseExamples } from "@kumiai/datasets";
import type { TaskId } from "@kumiai/params";
import type { Batch } from "@kumiai/training";

/** Images of `rows`, [rows, 3, height, width]. */
export function inputBatch(examples: DenseExamples, rows: Int32Array): Batch {
  return { image: gatherRows(examples.images, examples.count, rows) };
}

/** Images and every task's labels of `rows`. */
export function labeledBatch(tasks: readonly TaskId[], examples: DenseExamples, rows: Int32Array): Batch {
  const labels = tasks.map((task) => [`label.${task}`, labelRows(examples, task, rows)] as const);
  return { ...inputBatch(examples, rows), ...Object.fromEntries(labels) };
}

/** Labels of `rows`, [rows, planes, height, width]. */
export function labelRows(examples: DenseExamples, task: TaskId, rows: Int32Array): Uint8Array | Float32Array {
  const labels = examples.labels.get(task);
  if (labels === undefined) throw new Error(`the scenes have no labels for ${task}`);
  return gatherRows(labels, examples.count, rows);
}

/** A fresh array of the given rows end to end. */
export function gatherRows<A extends Uint8Array | Int32Array | Float32Array>(
  values: A,
  count: number,
  rows: ArrayLike<number>,
): A {
  const stride = values.length / count;
  const out = new (values.constructor as new (length: number) => A)(rows.length * stride);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    out.set(values.subarray(row * stride, (row + 1) * stride), i * stride);
  }
  return out;
}
