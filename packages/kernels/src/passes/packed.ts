/**
 * Plans as threads get them: numbers in memory that all threads share. A plan has several vectors for each client and tensor; as objects
 * cloned into every thread, those of a few hundred clients would take more memory than all else. A thread makes objects of one segment at
 * a time, and of one job.
 *
 * Layout, in numbers of 8 bytes: a vector is [piece count, then place, position, length of each]; place −1 − (3·path + type) is a file,
 * any other a buffer. A list is its length, then its items. Where a block has no factors, −1 − trim stands in place of their number.
 */
import type { BlockRule, Operand } from "../backend.js";
import { planSketch } from "../sketch.js";
import type { MeasureJob } from "./measure.js";
import type { MixJob } from "./mix.js";
import type { MadeMeasureSegment, MadeMixBlock, MadeMixSegment, Row } from "./plan.js";
import { type FilePiece, type Piece, type Vector, vectorFrom } from "./vector.js";

/** Plain data over SharedArrayBuffers. */
export interface Packed {
  readonly numbers: Float64Array;
  /** First number of each segment; then of each checked vector, then of each job. */
  readonly starts: Float64Array;
  readonly segmentCount: number;
  readonly checkCount: number;
  /** What pieces in memory lie over. */
  readonly buffers: readonly ArrayBufferLike[];
  /** What long factors lie over. */
  readonly factorBuffers: readonly ArrayBufferLike[];
  readonly paths: readonly string[];
}

export type PackedMeasure = Packed & { readonly pass: "measure" };
export type PackedMix = Packed & { readonly pass: "mix" };

export const DTYPES: readonly FilePiece["dtype"][] = ["F32", "F16", "BF16"];
export const JOBS = ["chunk", "row", "check", "segment", "copy"] as const;

/** The next number, or a view of the next ones. */
interface Next {
  (): number;
  view(count: number): Float64Array;
}

function nextOf({ numbers }: Packed, start: number): Next {
  let at = start;
  const view = (count: number): Float64Array => {
    at += count;
    return numbers.subarray(at - count, at);
  };
  return Object.assign(() => numbers[at++], { view });
}

function listOf<Item>(next: Next, read: () => Item): Item[] {
  return Array.from({ length: next() }, read);
}

function readVector(next: Next, packed: Packed): Vector {
  return vectorFrom(listOf(next, () => readPiece(next, packed)));
}

function readPiece(next: Next, { buffers, paths }: Packed): Piece {
  const [place, position, length] = [next(), next(), next()];
  if (place >= 0) return { values: new Float32Array(buffers[place], position, length) };
  const index = -1 - place;
  const path = paths[Math.floor(index / DTYPES.length)];
  return { path, position, length, dtype: DTYPES[index % DTYPES.length] };
}

function readRows(next: Next, packed: Packed): Row[] {
  return listOf(next, () => ({ before: readVector(next, packed), after: readVector(next, packed) }));
}

export function measureSegmentIn(packed: PackedMeasure, index: number): MadeMeasureSegment {
  const next = nextOf(packed, packed.starts[index]);
  const length = next();
  const want = next() === 1 ? "gram" : "norms";
  const sketch = next() === 1 ? { sketch: planSketch(length, { size: next(), seed: next() }) } : {};
  const rows = readRows(next, packed);
  const extras = listOf(next, () => readVector(next, packed));
  const extrasOf = next() === 1 ? { extrasOf: rows.map(() => listOf(next, next)) } : {};
  return { length, rows, extras, want, ...sketch, ...extrasOf };
}

export function mixSegmentIn(packed: PackedMix, index: number): MadeMixSegment {
  const next = nextOf(packed, packed.starts[index]);
  return { length: next(), rows: readRows(next, packed), blocks: listOf(next, () => readBlock(next, packed)) };
}

function readOperand(next: Next): Operand {
  const [kind, index] = [next(), next()];
  if (kind === 0) return { before: index };
  if (kind === 1) return { after: index };
  return kind === 2 ? { delta: index } : { result: index };
}

function readBlock(next: Next, packed: Packed): MadeMixBlock {
  const operands = listOf(next, () => readOperand(next));
  const rule = readRule(next, packed);
  const results = listOf(next, () => listOf(next, () => readVector(next, packed)));
  return { ...rule, operands, results };
}

function readRule(next: Next, packed: Packed): BlockRule {
  const count = next();
  if (count < 0) return { trim: -1 - count };
  const place = next();
  return { factors: place < 0 ? next.view(count) : new Float64Array(packed.factorBuffers[place], next(), count) };
}

export function checkIn(packed: PackedMeasure, index: number): Vector {
  return readVector(nextOf(packed, packed.starts[packed.segmentCount + index]), packed);
}

function jobIn(packed: Packed, index: number): Next {
  return nextOf(packed, packed.starts[packed.segmentCount + packed.checkCount + index]);
}

export function measureJobIn(packed: PackedMeasure, index: number): MeasureJob {
  const next = jobIn(packed, index);
  const kind = JOBS[next()];
  if (kind === "check") return { kind, check: next() };
  if (kind === "row") return { kind, segment: next(), row: next() };
  return { kind: "chunk", segment: next(), chunk: next(), start: next(), end: next() };
}

export function mixJobIn(packed: PackedMix, index: number): MixJob {
  const next = jobIn(packed, index);
  if (JOBS[next()] === "segment") return { kind: "segment", segment: next(), start: next(), end: next() };
  const place = () => ({ path: packed.paths[next()], position: next() });
  return { kind: "copy", copy: { from: place(), to: place(), byteLength: next() } };
}
