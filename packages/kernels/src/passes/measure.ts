/**
 * The first pass: inner products of rows that are read once, piece by piece. See plan.ts for what is computed.
 *
 * A plan falls into jobs that any thread may take: a chunk of a Gram, a row, a vector to check. Chunks of one Gram add their
 * sums in order, each waiting for its turn; all else writes to places of its own.
 */
import { alignedBytes } from "../arena.js";
import { type DeltaRow, deltaScratchBytes, type Kernels, packedLength } from "../backend.js";
import { addSketchInto } from "../sketch.js";
import {
  crossStart,
  type MadeMeasureSegment,
  type Measured,
  type MeasurePlan,
  type MeasureSegment,
  type NonFinite,
  vectorsOfMeasure,
} from "./plan.js";
import type { Gate } from "./run.js";
import { chunkLength, stepLength } from "./sizes.js";
import { isUsedInPlace, NO_ROOM, type Transfer } from "./transfer.js";
import type { Turns } from "./turns.js";
import type { Vector } from "./vector.js";

export type MeasureJob =
  | {
      readonly kind: "chunk";
      readonly segment: number;
      readonly chunk: number;
      readonly start: number;
      readonly end: number;
    }
  | { readonly kind: "row"; readonly segment: number; readonly row: number }
  | { readonly kind: "check"; readonly check: number };

/** In the order in which they are taken. */
export function jobsOf({ segments, checks }: MeasurePlan): readonly MeasureJob[] {
  const jobs: MeasureJob[] = [];
  segments.forEach((each, segment) => {
    if (each.want === "norms") {
      for (let row = 0; row < each.rows.length; row++) jobs.push({ kind: "row", segment, row });
      return;
    }
    const step = chunkLength(vectorCountOf(each));
    for (let start = 0, chunk = 0; start < each.length; start += step, chunk++) {
      jobs.push({ kind: "chunk", segment, chunk, start, end: Math.min(start + step, each.length) });
    }
  });
  checks.forEach((_, check) => {
    jobs.push({ kind: "check", check });
  });
  return jobs;
}

function vectorCountOf({ rows, extras }: MeasureSegment): number {
  return 2 * rows.length + extras.length;
}

/** Numbers that the results of a segment take up. */
export function resultLength(segment: MeasureSegment): number {
  return productLength(segment) + crossLength(segment) + (segment.sketch?.size ?? 0) * segment.rows.length;
}

/** The results of a segment, which begin at number `start` of the buffer. */
export function resultsAt(buffer: ArrayBufferLike, start: number, segment: MeasureSegment): Measured {
  let next = start;
  const take = (length: number): Float64Array => {
    const out = new Float64Array(buffer, 8 * next, length);
    next += length;
    return out;
  };
  const { rows, sketch } = segment;
  return {
    products: take(productLength(segment)),
    cross: take(crossLength(segment)),
    sketches: sketch === undefined ? [] : Array.from({ length: rows.length }, () => take(sketch.size)),
  };
}

function productLength({ rows, want }: MeasureSegment): number {
  return want === "gram" ? packedLength(rows.length) : rows.length;
}

function crossLength({ rows, extras, extrasOf }: MeasureSegment): number {
  return extrasOf === undefined ? rows.length * extras.length : crossStart(extrasOf, rows.length);
}

/** Kernel memory that the largest job needs. */
export function measureBytes({ segments, checks }: MeasurePlan): number {
  const needs = segments.flatMap((segment) => {
    const { rows, extras, extrasOf, want } = segment;
    if (want === "gram") return bytesOf(rows.length, extras.length, crossLength(segment));
    const counts = new Set(extrasOf === undefined ? [extras.length] : extrasOf.map(({ length }) => length));
    return [...counts].map((count) => bytesOf(1, count, count));
  });
  return Math.max(0, ...needs, checks.length === 0 ? 0 : 4 * chunkLength(1) + 64);
}

/** Of a job that compares rows with each other and with extras. */
function bytesOf(rowCount: number, extraCount: number, crossCount: number): number {
  const vectors = 2 * rowCount + extraCount;
  const step = chunkLength(vectors);
  const sums = packedLength(rowCount) + 2 * crossCount + 2 * rowCount + 2;
  return (
    (vectors + 1) * alignedBytes(4 * step) + alignedBytes(8 * sums) + deltaScratchBytes(rowCount, extraCount, step) + 64
  );
}

/** A plan, and where its results go. */
export interface MeasureSource {
  job(index: number): MeasureJob;
  segment(index: number): MadeMeasureSegment;
  results(index: number): Measured;
  check(index: number): Vector;
}

export interface MeasureContext {
  readonly source: MeasureSource;
  readonly kernels: Kernels;
  readonly transfer: Transfer;
  readonly turns: Turns;
  readonly gate: Gate;
}

/** Does one job; returns what was not finite. */
export function measure(job: MeasureJob, context: MeasureContext): NonFinite | undefined {
  context.kernels.release();
  if (job.kind === "check") return checkVector(job.check, context);
  const segment = context.source.segment(job.segment);
  const results = context.source.results(job.segment);
  if (job.kind === "row") return measureRow(job.segment, job.row, context);

  const { kernels, turns } = context;
  const rowCount = segment.rows.length;
  const sums = kernels.f64(packedLength(rowCount)).fill(0);
  const cross = kernels.f64(crossLength(segment)).fill(0);
  const compared = segment.extrasOf?.map((extras) => ({ extras, sums: kernels.f64(extras.length).fill(0) }));
  const unused = kernels.f64(1);
  const walked = {
    segment,
    rows: segment.rows.map((_, row) => row),
    extras: segment.extras,
    start: job.start,
    end: job.end,
  };
  const bad = walk(walked, context, (rows, extras) => {
    if (compared === undefined) return kernels.addDeltaGramInto(sums, rows, cross, extras);
    const found = kernels.addDeltaGramInto(sums, rows);
    compared.forEach((each, row) => {
      const own = each.extras.map((d) => extras[d]);
      if (own.length > 0) kernels.addDeltaGramInto(unused, [rows[row]], each.sums, own);
    });
    return found;
  });
  let start = 0;
  for (const each of compared ?? []) {
    cross.set(each.sums, start);
    start += each.sums.length;
  }
  turns.wait(job.segment, job.chunk);
  addInto(results.products, sums);
  addInto(results.cross, cross);
  turns.pass(job.segment, job.chunk);
  return bad === undefined ? undefined : { segment: job.segment, ...bad };
}

function measureRow(index: number, row: number, context: MeasureContext): NonFinite | undefined {
  const { kernels } = context;
  const segment = context.source.segment(index);
  const results = context.source.results(index);
  const compared = segment.extrasOf?.[row] ?? segment.extras.map((_, d) => d);
  const sums = kernels.f64(1).fill(0);
  const cross = kernels.f64(compared.length).fill(0);
  const extras = compared.map((d) => segment.extras[d]);
  const walked = { segment, rows: [row], extras, start: 0, end: segment.length };
  const sketch = results.sketches[row];
  const room = sketch === undefined ? undefined : kernels.f32(chunkLength(2 + extras.length));
  const bad = walk(walked, context, (rows, xs, start) => {
    const [{ before, after }] = rows;
    if (segment.sketch !== undefined && sketch !== undefined && room !== undefined) {
      const delta = room.subarray(0, after.length);
      if (kernels.subtractInto(delta, after, before) < 0) addSketchInto(sketch, segment.sketch, delta, start);
    }
    return kernels.addDeltaGramInto(sums, rows, cross, xs);
  });
  results.products[row] = sums[0];
  if (segment.extrasOf !== undefined) results.cross.set(cross, crossStart(segment.extrasOf, row));
  else for (let d = 0; d < cross.length; d++) results.cross[d * segment.rows.length + row] = cross[d];
  return bad === undefined ? undefined : { segment: index, ...bad };
}

interface Walk {
  readonly segment: MadeMeasureSegment;
  readonly rows: readonly number[];
  readonly extras: readonly Vector[];
  readonly start: number;
  readonly end: number;
}

/** Hands the rows and the extras to `visit`, step by step. Stops at the first row that `visit` says has a difference that is not finite. */
function walk(
  { segment, rows, extras, start, end }: Walk,
  { kernels, transfer, gate }: MeasureContext,
  visit: (rows: readonly DeltaRow[], extras: readonly Float32Array[], start: number) => number,
): { readonly row: number; readonly index: number } | undefined {
  const sources = rows.map((row) => segment.rows[row]);
  const vectorCount = 2 * rows.length + extras.length;
  const medium = transfer.mediumOf(vectorsOfMeasure({ rows: sources, extras }));
  const step = stepLength(vectorCount, Math.min(end - start, chunkLength(vectorCount)), medium);
  const room = (vector: Vector): Float32Array => (isUsedInPlace(vector, medium) ? NO_ROOM : kernels.f32(step));
  const rooms = {
    rows: sources.map(({ before, after }) => ({ before: room(before), after: room(after) })),
    extras: extras.map(room),
  };
  for (let at = start; at < end; at += step) {
    const length = Math.min(step, end - at);
    const load = (full: Float32Array, vector: Vector): Float32Array =>
      transfer.load(length < full.length ? full.subarray(0, length) : full, { vector, start: at, length });
    const loaded = rooms.rows.map(({ before, after }, r) => ({
      before: load(before, sources[r].before),
      after: load(after, sources[r].after),
    }));
    const others = rooms.extras.map((full, d) => load(full, extras[d]));
    const bad = gate(() => visit(loaded, others, at));
    if (bad >= 0) return { row: rows[bad], index: at + indexOfNonFinite(loaded[bad], kernels) };
  }
  return undefined;
}

function indexOfNonFinite({ before, after }: DeltaRow, kernels: Kernels): number {
  return kernels.subtractInto(kernels.f32(after.length), after, before);
}

function checkVector(check: number, { source, kernels, transfer }: MeasureContext): NonFinite | undefined {
  const vector = source.check(check);
  const room = kernels.f32(Math.min(vector.length, chunkLength(1)));
  for (let start = 0; start < vector.length; start += room.length) {
    const part = room.subarray(0, Math.min(room.length, vector.length - start));
    const bad = kernels.findNonFinite(transfer.load(part, { vector, start, length: part.length }));
    if (bad >= 0) return { check, index: start + bad };
  }
  return undefined;
}

function addInto(sums: Float64Array, more: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] += more[i];
}
