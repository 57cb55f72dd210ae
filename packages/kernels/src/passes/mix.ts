/**
 * The second pass: weighted sums of rows, written out as they are made. See plan.ts for what is computed.
 *
 * Every element of a result depends on the same element of the operands alone, so pieces may be taken in any order and of any
 * length. Narrow segments hold all their vectors of a step at once, and read each of them once. Wide ones, with more vectors
 * than that is sensible for, add operand after operand to f64 sums, and read a row again where it is needed again.
 */
import { alignedBytes } from "../arena.js";
import { type Kernels, scratchBytes } from "../backend.js";
import type { ByteCopy, MixBlock, MixPlan, MixSegment, NonFinite, Operand } from "./plan.js";
import type { Gate } from "./run.js";
import { anyInFile, stepLength } from "./sizes.js";
import type { Transfer } from "./transfer.js";
import type { Vector } from "./vector.js";

export type MixJob =
  | { readonly kind: "segment"; readonly segment: number; readonly start: number; readonly end: number }
  | { readonly kind: "copy"; readonly copy: ByteCopy };

/** Elements of a job: enough that taking one costs nothing, few enough that threads end together. */
const JOB_STEPS = 4;
const WIDE_STEP = 2 ** 15;
/** A wide segment keeps so many results that later blocks need, and so many sums at a time. */
const WIDE_RESULTS = 8;
const COPY_BYTES = 2 ** 20;
/** Vectors that a step may hold before shorter steps cost more than reading rows again. */
const NARROW_VECTORS = 64;

export function jobsOf({ segments, copies }: MixPlan): readonly MixJob[] {
  const jobs: MixJob[] = [];
  segments.forEach((each, segment) => {
    const shape = shapeOf(each);
    const length = shape.step * (shape.isWide ? 1 : JOB_STEPS);
    for (let start = 0; start < each.length; start += length) {
      jobs.push({ kind: "segment", segment, start, end: Math.min(start + length, each.length) });
    }
  });
  for (const { from, to, byteLength } of copies) {
    const at = (place: ByteCopy["from"], offset: number) => ({ path: place.path, position: place.position + offset });
    for (let done = 0; done < byteLength; done += COPY_BYTES) {
      const copy = { from: at(from, done), to: at(to, done), byteLength: Math.min(COPY_BYTES, byteLength - done) };
      jobs.push({ kind: "copy", copy });
    }
  }
  return jobs;
}

/** Kernel memory that the largest job needs. */
export function mixBytes({ segments, copies }: MixPlan): number {
  const needs = segments.map((segment) => {
    const { step, isWide, vectorCount, resultCount } = shapeOf(segment);
    const operandCount = Math.max(0, ...segment.blocks.map(({ operands }) => operands.length));
    const factorCount = Math.max(0, ...segment.blocks.map(({ factors }) => factors.length));
    const vectors = isWide ? WIDE_RESULTS * 3 + 4 + resultCount : vectorCount;
    return (vectors + 1) * alignedBytes(4 * step) + scratchBytes(0, factorCount) + 8 * (operandCount + resultCount);
  });
  return Math.max(64, ...needs, copies.length === 0 ? 0 : COPY_BYTES + 64);
}

interface Shape {
  readonly step: number;
  readonly isWide: boolean;
  /** Vectors that a narrow step holds. */
  readonly vectorCount: number;
  /** Results that a wide step holds. */
  readonly resultCount: number;
}

const shapes = new WeakMap<MixSegment, Shape>();

function shapeOf(segment: MixSegment): Shape {
  const known = shapes.get(segment);
  if (known !== undefined) return known;
  const use = usesOf(segment);
  const resultCount = segment.blocks.reduce((sum, { results }) => sum + results.length, 0);
  const vectorCount = use.reduce((sum, row) => sum + buffersOf(row), resultCount);
  const inFiles = anyInFile([
    ...segment.rows.flatMap(({ before, after }) => [before, after]),
    ...segment.blocks.flatMap(({ results }) => results.flat()),
  ]);
  const kept = keptResults(segment.blocks);
  const isWide =
    vectorCount > NARROW_VECTORS &&
    inFiles &&
    kept.size <= WIDE_RESULTS &&
    segment.blocks.every(({ results }) => results.length <= WIDE_RESULTS);
  const step = isWide ? WIDE_STEP : stepLength(vectorCount, inFiles);
  const shape = { step: Math.min(step, segment.length), isWide, vectorCount, resultCount: kept.size };
  shapes.set(segment, shape);
  return shape;
}

/** How operands use a row. */
interface RowUse {
  before: boolean;
  after: boolean;
  delta: boolean;
}

function usesOf({ rows, blocks }: MixSegment): readonly RowUse[] {
  const uses = rows.map((): RowUse => ({ before: false, after: false, delta: false }));
  for (const operand of blocks.flatMap(({ operands }) => operands)) {
    if ("before" in operand) uses[operand.before].before = true;
    else if ("after" in operand) uses[operand.after].after = true;
    else if ("delta" in operand) uses[operand.delta].delta = true;
  }
  return uses;
}

function buffersOf({ before, after, delta }: RowUse): number {
  if (delta) return before && after ? 3 : 2;
  return Number(before) + Number(after);
}

/** Numbers of the results that a later block needs. */
function keptResults(blocks: readonly MixBlock[]): ReadonlySet<number> {
  return new Set(blocks.flatMap(({ operands }) => operands.flatMap((each) => ("result" in each ? [each.result] : []))));
}

export interface MixContext {
  readonly plan: MixPlan;
  readonly kernels: Kernels;
  readonly transfer: Transfer;
  readonly gate: Gate;
}

/** Does one job; returns the first result that is not finite. What was written of it is worth nothing. */
export function mix(job: MixJob, { plan, kernels, transfer, gate }: MixContext): NonFinite | undefined {
  kernels.release();
  if (job.kind === "copy") {
    const room = kernels.f64(Math.min(COPY_BYTES, job.copy.byteLength + 8) >> 3);
    transfer.copyBytes({ ...job.copy, buffer: new Uint8Array(room.buffer, room.byteOffset, room.byteLength) });
    return undefined;
  }
  const segment = plan.segments[job.segment];
  const context = { segment, index: job.segment, kernels, transfer, gate };
  return shapeOf(segment).isWide ? mixWide(job.start, job.end, context) : mixNarrow(job.start, job.end, context);
}

interface SegmentContext {
  readonly segment: MixSegment;
  readonly index: number;
  readonly kernels: Kernels;
  readonly transfer: Transfer;
  readonly gate: Gate;
}

/** The kernel memory of one row in a narrow step; what is not needed is not there. */
interface RowRoom {
  readonly before?: Float32Array;
  readonly after?: Float32Array;
  readonly delta?: Float32Array;
}

function mixNarrow(
  start: number,
  end: number,
  { segment, index, kernels, transfer, gate }: SegmentContext,
): NonFinite | undefined {
  const step = Math.min(shapeOf(segment).step, end - start);
  const rooms = usesOf(segment).map((use) => openRoom(use, step, kernels));
  const places = segment.blocks.flatMap((block) => block.results);
  const results = places.map(() => kernels.f32(step));
  const bits = kernels.u16(step);
  for (let at = start; at < end; at += step) {
    const length = Math.min(step, end - at);
    const cut = (room: Float32Array): Float32Array => (length === step ? room : room.subarray(0, length));
    const loaded = segment.rows.map((row, r): RowRoom => {
      const { before, after, delta } = rooms[r];
      const load = (room: Float32Array, vector: Vector): Float32Array =>
        transfer.load(cut(room), { vector, start: at, length });
      return {
        ...(before === undefined ? {} : { before: load(before, row.before) }),
        ...(after === undefined ? {} : { after: load(after, row.after) }),
        ...(delta === undefined ? {} : { delta: cut(delta) }),
      };
    });
    const outs = results.map((room, result) => {
      const [first] = places[result];
      return first === undefined ? cut(room) : transfer.target(cut(room), { vector: first, start: at, length });
    });
    const made = gate(() => computeBlocks(segment, loaded, outs, kernels));
    for (const [result, out] of made.entries()) {
      const bad = storeResult(out, places[result], { start: at, bits, kernels, transfer });
      if (bad >= 0) return { segment: index, result, index: at + bad };
    }
  }
  return undefined;
}

/** All results of one step, into `outs`, in the order of their numbers. */
function computeBlocks(
  { blocks }: MixSegment,
  rows: readonly RowRoom[],
  outs: readonly Float32Array[],
  kernels: Kernels,
): readonly Float32Array[] {
  for (const { before, after, delta } of rows) {
    if (delta !== undefined && before !== undefined && after !== undefined) kernels.subtractInto(delta, after, before);
  }
  let made = 0;
  for (const { factors, operands, results } of blocks) {
    kernels.weightedSumsInto(
      outs.slice(made, made + results.length),
      factors,
      operands.map((operand) => narrowOperand(operand, rows, outs)),
    );
    made += results.length;
  }
  return outs;
}

/** A difference takes the place of whichever of its two vectors is not needed for itself. */
function openRoom(use: RowUse, step: number, kernels: Kernels): RowRoom {
  const { before: needsBefore, after: needsAfter, delta: needsDelta } = use;
  const before = needsBefore || needsDelta ? kernels.f32(step) : undefined;
  const after = needsAfter || needsDelta ? kernels.f32(step) : undefined;
  const place = !needsBefore ? before : !needsAfter ? after : undefined;
  const delta = needsDelta ? (place ?? kernels.f32(step)) : undefined;
  return {
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(delta === undefined ? {} : { delta }),
  };
}

function narrowOperand(operand: Operand, rooms: readonly RowRoom[], made: readonly Float32Array[]): Float32Array {
  const found =
    "before" in operand
      ? rooms[operand.before]?.before
      : "after" in operand
        ? rooms[operand.after]?.after
        : "delta" in operand
          ? rooms[operand.delta]?.delta
          : made[operand.result];
  if (found === undefined) throw new RangeError(`mix: no such operand: ${JSON.stringify(operand)}`);
  return found;
}

interface StoreContext {
  readonly start: number;
  readonly bits: Uint16Array;
  readonly kernels: Kernels;
  readonly transfer: Transfer;
}

/** Index of the first value that is not finite, or has no room where it goes; −1 if all went well. */
function storeResult(
  out: Float32Array,
  places: readonly Vector[],
  { start, bits, kernels, transfer }: StoreContext,
): number {
  const bad = kernels.findNonFinite(out);
  if (bad >= 0) return bad;
  for (const vector of places) {
    const lost = transfer.store(out, { vector, start, length: out.length }, bits);
    if (lost >= 0) return lost;
  }
  return -1;
}

function mixWide(
  start: number,
  end: number,
  { segment, index, kernels, transfer }: SegmentContext,
): NonFinite | undefined {
  const length = end - start;
  const [before, after] = [kernels.f32(length), kernels.f32(length)];
  const out = kernels.f32(length);
  const bits = kernels.u16(length);
  const sums = Array.from({ length: WIDE_RESULTS }, () => kernels.f64(length));
  const keep = keptResults(segment.blocks);
  const kept = new Map<number, Float32Array>();
  const load = (operand: Operand): Float32Array => {
    if ("result" in operand) return kept.get(operand.result) ?? out;
    const row = segment.rows["before" in operand ? operand.before : "after" in operand ? operand.after : operand.delta];
    const at = { start, length };
    if ("before" in operand) return transfer.load(before, { vector: row.before, ...at });
    const trained = transfer.load(after, { vector: row.after, ...at });
    if ("after" in operand) return trained;
    kernels.subtractInto(after, trained, transfer.load(before, { vector: row.before, ...at }));
    return after;
  };
  let made = 0;
  for (const { operands, factors, results } of segment.blocks) {
    const own = results.map((_, m) => sums[m].fill(0));
    operands.forEach((operand, r) => {
      const vector = load(operand);
      own.forEach((sum, m) => {
        kernels.addWeightedInto(sum, factors[m * operands.length + r], vector);
      });
    });
    for (const [m, sum] of own.entries()) {
      kernels.roundInto(out, sum);
      const bad = storeResult(out, results[m], { start, bits, kernels, transfer });
      if (bad >= 0) return { segment: index, result: made, index: start + bad };
      if (keep.has(made)) {
        const copy = kernels.f32(length);
        copy.set(out);
        kept.set(made, copy);
      }
      made++;
    }
  }
  return undefined;
}
