/** Batches into the arrays that a graph reads. */
import { KumiaiError } from "@kumiai/params";
import { sizeOf } from "../graph/tensor.js";
import type { InputArray, InputSpec } from "../types.js";
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

/**
 * Copies `values` (examples `start` to `start + count`) into the feed, converting its type. Throws DATA_MALFORMED for a
 * missing input, a wrong length or a label that is not a class.
 */
export function fill(feed: Feed, values: InputArray | undefined, start: number, count: number): void {
  const { spec, exampleSize, array } = feed;
  const from = start * exampleSize;
  const to = (start + count) * exampleSize;
  if (values === undefined || values.length < to) {
    throw malformed(spec, `expected ${to} values, received ${values === undefined ? "none" : values.length}`);
  }
  const part = values.subarray(from, to);
  if (spec.classes !== undefined) fillLabels(feed, part, spec.classes);
  else if (spec.dtype === "u8" && !(part instanceof Uint8Array)) fillBytes(feed, part);
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

function fillBytes(feed: Feed, values: InputArray): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? -1;
    if (!(Number.isInteger(value) && value >= 0 && value < 256)) {
      throw malformed(feed.spec, `expected whole numbers from 0 to 255, received another value at element ${i}`);
    }
    feed.array[i] = value;
  }
}

function malformed(spec: InputSpec, what: string): KumiaiError {
  return new KumiaiError("DATA_MALFORMED", `input ${spec.name} [batch, ${spec.shape}]: ${what}`, { input: spec.name });
}
