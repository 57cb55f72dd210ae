/** Segments of the first pass with what they belong to, and what several readers of their results use. */
import {
  crossStart,
  type KernelBackend,
  listed,
  type Measured,
  type MeasureSegment,
  packedLength,
  type Row,
  scratchBytes,
  shrinkSketchGram,
  sliceOf,
  unpackGram,
  type Vector,
  vectorOf,
} from "@kumiai/kernels";
import { type ClientId, describeGroup, type ParamSlot } from "@kumiai/params";
import type { StateVector } from "../state-vector.js";
import type { RoundIo } from "./io.js";

/** What an element that is not finite belongs to. */
export interface Place {
  readonly client: ClientId;
  readonly slots: readonly ParamSlot[];
  /** Of a checked vector; a row is both. */
  readonly stage?: "base" | "local";
  /** What a row is measured from, if not the client's own base. */
  readonly origin?: { readonly client: ClientId; readonly slots: readonly ParamSlot[] };
}

export interface Part {
  readonly segment: MeasureSegment;
  readonly places: readonly Place[];
  /** Index in the cohort's order of each row. */
  readonly members: readonly number[];
}

export function rowOf(io: RoundIo, client: ClientId, slots: readonly ParamSlot[]): Row {
  return { before: io.source(client, "base", slots), after: io.source(client, "local", slots) };
}

/** The distinct vectors as extras, and which row is compared with which. */
export function alignWith(
  vectors: readonly (StateVector | undefined)[],
  locate: (vector: StateVector) => Vector,
): Pick<MeasureSegment, "extras" | "extrasOf"> {
  const distinct = [...new Set(vectors.flatMap((vector) => vector ?? []))];
  const extras = listed(distinct.length, (index) => locate(at(distinct, index)));
  // All rows against one vector: one call does it, and reads the rows once.
  if (distinct.length <= 1 && !vectors.includes(undefined)) return { extras };
  return { extras, extrasOf: vectors.map((vector) => (vector === undefined ? [] : [distinct.indexOf(vector)])) };
}

/** Elements of a stored vector, piece after piece. */
export function piecesOf(
  vector: Vector,
  pieces: readonly { readonly start: number; readonly length: number }[],
): Vector {
  return vectorOf(pieces.flatMap(({ start, length }) => sliceOf({ vector, start, length }).pieces));
}

export type GramOf = (segment: MeasureSegment) => Float64Array;

/** [R, R] of a segment: measured, or that of the sketches as they would be sent, in f32. One room serves all sketches. */
export function openGrams(
  parts: readonly Part[],
  results: ReadonlyMap<MeasureSegment, Measured>,
  backend: KernelBackend,
): GramOf {
  const needs = parts.map(({ segment: { rows, sketch } }) => {
    if (sketch === undefined) return 0;
    return 4 * (sketch.size + 4) * rows.length + 8 * packedLength(rows.length) + scratchBytes(rows.length) + 64;
  });
  const kernels = backend.open(Math.max(64, ...needs));
  return (segment) => {
    const { rows, want, sketch } = segment;
    const { products, sketches } = get(results, segment);
    if (want === "gram") return unpackGram(products, rows.length);
    if (sketch === undefined) return new Float64Array(rows.length * rows.length);
    kernels.release();
    const sent = sketches.map((sums) => {
      const vector = kernels.f32(sums.length);
      vector.set(sums);
      return vector;
    });
    const gram = kernels.f64(packedLength(rows.length)).fill(0);
    kernels.addGramInto(gram, sent);
    return shrinkSketchGram(unpackGram(gram, rows.length), sketch);
  };
}

export function squaredNorm({ rows, want }: MeasureSegment, { products }: Measured, row: number): number {
  // Row i of the packed triangle begins with its diagonal.
  const index = want === "gram" ? row * rows.length - (row * (row - 1)) / 2 : row;
  return products[index] ?? 0;
}

export function alignmentOf(
  { extras, extrasOf }: MeasureSegment,
  { cross }: Measured,
  row: number,
): number | undefined {
  if (extrasOf !== undefined) return extrasOf[row]?.length === 0 ? undefined : cross[crossStart(extrasOf, row)];
  return extras.length === 0 ? undefined : cross[row];
}

/** Indices of the items, put together by `keyOf`, in the order of first appearance. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  items.forEach((item, index) => {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  });
  return [...groups.values()];
}

/** The same, put together by the keys and shapes of slots. */
export function groupByShape<T>(
  items: readonly T[],
  slotsOf: (item: T) => readonly ParamSlot[],
): readonly (readonly number[])[] {
  // Clients of one layout share a list: it is described once.
  const known = new Map<readonly ParamSlot[], string>();
  return groupBy(items, (item) => {
    const slots = slotsOf(item);
    const key = known.get(slots) ?? describeGroup(slots).join("\n");
    known.set(slots, key);
    return key;
  });
}

export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`expected an index below ${items.length}, received ${index}`);
  return item;
}

export function get(results: ReadonlyMap<MeasureSegment, Measured>, segment: MeasureSegment): Measured {
  const result = results.get(segment);
  if (result === undefined) throw new RangeError("a segment was not measured");
  return result;
}
