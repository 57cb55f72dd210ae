/** Batches into the arrays that a graph reads. */
import { KumiaiError } from "@kumiai/params";
import { sizeOf } from "../graph/tensor.js";
import type { Batch, InputArray, InputSpec } from "../types.js";
import { bind, type Tensor } from "./runtime.js";

/** One input of a compiled graph: an array that stays where it is, and the tensor over it. */
export interface Feed {
  readonly spec: InputSpec;
  /** Elements of one example. */
  readonly exampleSize: number;
  readonly array: InputArray;
  readonly tensor: Tensor;
}

export function createFeed(spec: InputSpec, batchSize: number): Feed {
  const exampleSize = sizeOf(spec.shape);
  const size = batchSize * exampleSize;
  const array =
    spec.dtype === "f32" ? new Float32Array(size) : spec.dtype === "i32" ? new Int32Array(size) : new Uint8Array(size);
  return { spec, exampleSize, array, tensor: bind(array, [batchSize, ...spec.shape]) };
}

/** How many examples `inputs` hold, by the first feed. Throws DATA_MALFORMED. */
export function exampleCount(feeds: readonly Feed[], inputs: Batch): number {
  const first = feeds[0];
  if (first === undefined) throw new KumiaiError("DATA_MALFORMED", "no output of the model depends on an input");
  const values = arrayOf(first, inputs);
  if (values.length % first.exampleSize !== 0) {
    throw malformed(first.spec, `expected a multiple of ${first.exampleSize} values, received ${values.length}`);
  }
  return values.length / first.exampleSize;
}

/** Throws DATA_MALFORMED unless every feed has exactly `count` examples in `inputs`, as one of the array types. */
export function checkBatch(feeds: readonly Feed[], inputs: Batch, count: number): void {
  for (const feed of feeds) {
    const expected = count * feed.exampleSize;
    const { length } = arrayOf(feed, inputs);
    if (length !== expected) throw malformed(feed.spec, `expected ${expected} values, received ${length}`);
  }
}

function arrayOf({ spec }: Feed, inputs: Batch): InputArray {
  const values: unknown = inputs?.[spec.name];
  if (values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array) return values;
  const received = values === undefined ? "none" : Object.prototype.toString.call(values).slice(8, -1);
  throw malformed(spec, `expected a Float32Array, Int32Array or Uint8Array, received ${received}`);
}

/**
 * Copies `values` (examples `start` to `start + count`) into the feed, converting its type. Throws DATA_MALFORMED for a
 * value that does not fit its type or a label that is not a class.
 */
export function fill(feed: Feed, values: InputArray | undefined, start: number, count: number): void {
  const { spec, exampleSize, array } = feed;
  const part = values?.subarray(start * exampleSize, (start + count) * exampleSize) ?? new Float32Array(0);
  if (spec.classes !== undefined) fillLabels(feed, part, spec.classes);
  else if (spec.dtype === "u8" && !(part instanceof Uint8Array)) fillWhole(feed, part, 255);
  // Indices: the runtime would count negative ones from the end of a table.
  else if (spec.dtype === "i32") fillWhole(feed, part, 2 ** 31 - 1);
  else array.set(part);
  if (part.length < array.length) array.fill(0, part.length);
}

/** The graph knows ignored points as class `count`. */
function fillLabels(feed: Feed, labels: InputArray, { count, ignoreIndex }: NonNullable<InputSpec["classes"]>): void {
  const { array } = feed;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? -1;
    if (label === ignoreIndex) array[i] = count;
    else if (label >= 0 && label < count && Number.isInteger(label)) array[i] = label;
    else throw malformed(feed.spec, `expected classes from 0 to ${count - 1}, received another value at element ${i}`);
  }
}

function fillWhole(feed: Feed, values: InputArray, highest: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (!(Number.isInteger(value) && value >= 0 && value <= highest)) {
      throw malformed(feed.spec, `expected whole numbers from 0 to ${highest}, received another value at element ${i}`);
    }
    feed.array[i] = value;
  }
}

function malformed(spec: InputSpec, what: string): KumiaiError {
  return new KumiaiError("DATA_MALFORMED", `input ${spec.name} [batch, ${spec.shape}]: ${what}`, { input: spec.name });
}
