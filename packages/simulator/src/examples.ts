/** Examples of a site as models take them, whatever they show: flat arrays, one row per example. */
import type { DenseExamples } from "@kumiai/datasets";
import type { TaskId } from "@kumiai/params";
import type { Batch } from "@kumiai/training";

/** `count` examples. Arrays may lie over SharedArrayBuffers, so that workers read them without a copy. */
export interface Examples {
  readonly count: number;
  /** Name of the model's input: `image` or `series`. */
  readonly inputName: string;
  /** [count, ...shape of the input]. */
  readonly inputs: Float32Array;
  /** Places of an example that have a label of their own: pixels; 1 where the whole example has one. */
  readonly points: number;
  /** Per task: [count, planes, points]. */
  readonly labels: ReadonlyMap<TaskId, Uint8Array | Float32Array>;
  /** Per task [count, points], 0: no label there, it does not count; absent: all are labeled. */
  readonly masks: ReadonlyMap<TaskId, Uint8Array>;
  /** What one unit of a label is in real units; absent: 1. */
  readonly scales: ReadonlyMap<TaskId, number>;
}

export function examplesOfScenes({ count, height, width, images, labels }: DenseExamples): Examples {
  return {
    count,
    inputName: "image",
    inputs: images,
    points: height * width,
    labels,
    masks: new Map(),
    scales: new Map(),
  };
}

/** Inputs of `rows`. */
export function inputBatch({ count, inputName, inputs }: Examples, rows: Int32Array): Batch {
  return { [inputName]: gatherRows(inputs, count, rows) };
}

/** Inputs, labels and masks of `rows`, as the model of a client with these tasks takes them. */
export function labeledBatch(tasks: readonly TaskId[], examples: Examples, rows: Int32Array): Batch {
  const batch: Record<string, Uint8Array | Float32Array> = { ...inputBatch(examples, rows) } as Record<
    string,
    Uint8Array | Float32Array
  >;
  for (const task of tasks) {
    batch[`label.${task}`] = labelRows(examples, task, rows);
    const mask = maskRows(examples, task, rows);
    if (mask !== undefined) batch[`mask.${task}`] = mask;
  }
  return batch;
}

/** Labels of `rows`, [rows, planes, points]. */
export function labelRows(
  examples: Pick<Examples, "count" | "labels">,
  task: TaskId,
  rows: Int32Array,
): Uint8Array | Float32Array {
  return gatherRows(labelsOf(examples, task), examples.count, rows);
}

/** Which labels of `rows` count, [rows, points]; undefined: all. */
export function maskRows({ masks, count }: Examples, task: TaskId, rows: Int32Array): Uint8Array | undefined {
  const mask = masks.get(task);
  return mask === undefined ? undefined : gatherRows(mask, count, rows);
}

export function labelsOf({ labels }: Pick<Examples, "labels">, task: TaskId): Uint8Array | Float32Array {
  const found = labels.get(task);
  if (found === undefined) throw new Error(`the examples have no labels for ${task}`);
  return found;
}

/** Rows with at least one label for each task. */
export function fullyLabeledRows({ count, points, masks }: Pick<Examples, "count" | "points" | "masks">): number[] {
  const rows = Array.from({ length: count }, (_, row) => row);
  return rows.filter((row) => [...masks.values()].every((mask) => isLabeled(mask, points, row)));
}

/** How many rows have a label for some task: the others teach nothing. */
export function labeledCount({ count, points, labels, masks }: Examples): number {
  if (masks.size < labels.size) return count; // Some task has all its labels.
  const rows = Array.from({ length: count }, (_, row) => row);
  return rows.filter((row) => [...masks.values()].some((mask) => isLabeled(mask, points, row))).length;
}

function isLabeled(mask: Uint8Array, points: number, row: number): boolean {
  return mask.subarray(row * points, (row + 1) * points).some((value) => value !== 0);
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
