/**
 * The second pass: weighted sums and trimmed means of rows, written out as they are made. See plan.ts for what is computed.
 *
 * Every element of a result depends on the same element of the operands alone, so pieces may be taken in any order and of any
 * length. Narrow segments hold all their vectors of a step at once, and read each of them once. Wide ones, with more vectors
 * than that is sensible for, add operand after operand to f64 sums, and read a row again where it is needed again.
 */
import { alignedBytes } from "../arena.js";
import {
  deltasOf,
  type KernelBlock,
  type Kernels,
  mixScratchBytes,
  type Operand,
  type PartialRow,
  ruleOf,
} from "../backend.js";
import {
  type ByteCopy,
  type MadeMixSegment,
  type MixBlock,
  type MixPlan,
  type MixSegment,
  type NonFinite,
  vectorsOfMix,
} from "./plan.js";
import type { Gate } from "./run.js";
import { anyInFile, jobLength, stepLength } from "./sizes.js";
import { isUsedInPlace, NO_ROOM, type Transfer } from "./transfer.js";
import type { Vector } from "./vector.js";

export type MixJob =
  | { readonly kind: "segment"; readonly segment: number; readonly start: number; readonly end: number }
  | { readonly kind: "copy"; readonly copy: ByteCopy };

const WIDE_STEP = 2 ** 15;
/** A wide segment keeps so many results that later blocks need, and so many sums at a time. */
const WIDE_RESULTS = 8;
const COPY_BYTES = 2 ** 20;
/** Vectors that a step may hold before shorter steps cost more than reading rows again. */
const NARROW_VECTORS = 64;

export function jobsOf({ segments, copies }: MixPlan): readonly MixJob[] {
  const jobs: MixJob[] = [];
  segments.forEach((each, segment) => {
    const { length } = shapeOf(each);
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
  const needs = segments.map((segment) => shapeOf(segment).byteLength);
  return Math.max(64, ...needs, copies.length === 0 ? 0 : COPY_BYTES + 64);
}

interface Shape {
  /** Elements of a job. */
  readonly length: number;
  readonly isWide: boolean;
  /** Vectors that a narrow step reads and writes. */
  readonly vectorCount: number;
  /** Kernel memory that a job needs. */
  readonly byteLength: number;
  /** By row. */
  readonly uses: readonly RowUse[];
}

const shapes = new WeakMap<MixSegment, Shape>();

function shapeOf(segment: MixSegment): Shape {
  const known = shapes.get(segment);
  if (known !== undefined) return known;
  const { rows } = segment;
  const blocks = [...segment.blocks];
  const uses = usesOf(rows.length, blocks);
  const count = (countOf: (block: MixBlock) => number): number =>
    blocks.reduce((sum, block) => sum + countOf(block), 0);
  const results = count((block) => block.results.length);
  const vectorCount = uses.reduce((sum, row) => sum + Number(row.before) + Number(row.after), results);
  const kept = keptResults(blocks);
  const isWide =
    vectorCount > NARROW_VECTORS &&
    kept.size <= WIDE_RESULTS &&
    // A trimmed mean needs all its operands at once.
    blocks.every((block) => "factors" in block && block.results.length <= WIDE_RESULTS) &&
    anyInFile(vectorsOfMix(segment));
  const length = Math.min(segment.length, isWide ? WIDE_STEP : jobLength(vectorCount));
  const scratch = mixScratchBytes({
    // Not of all rows: fewer may need more room, as their tiles are longer.
    deltas: deltasOf(blocks).length,
    operands: count(({ operands }) => operands.length),
    results,
    blocks: blocks.length,
    factors: count((block) => ("factors" in block ? block.factors.length : 0)),
    sorted: Math.max(0, ...blocks.map((block) => ("trim" in block ? block.operands.length : 0))),
  });
  // A wide step holds one row, one result, what is kept, and sums of 8 bytes.
  const vectors = isWide ? 2 * WIDE_RESULTS + 4 + kept.size : vectorCount;
  const byteLength = (vectors + 1) * alignedBytes(4 * length) + (isWide ? 0 : scratch) + 64;
  const shape = { length, isWide, vectorCount, byteLength, uses };
  shapes.set(segment, shape);
  return shape;
}

/** Which vectors of a row have to be loaded. */
interface RowUse {
  before: boolean;
  after: boolean;
}

function usesOf(rowCount: number, blocks: readonly MixBlock[]): readonly RowUse[] {
  const uses = Array.from({ length: rowCount }, (): RowUse => ({ before: false, after: false }));
  for (const { operands } of blocks) {
    for (const operand of operands) {
      if ("result" in operand) continue;
      const use = uses["before" in operand ? operand.before : "after" in operand ? operand.after : operand.delta];
      if (!("after" in operand)) use.before = true;
      if (!("before" in operand)) use.after = true;
    }
  }
  return uses;
}

/** Numbers of the results that a later block needs. */
function keptResults(blocks: readonly MixBlock[]): ReadonlySet<number> {
  return new Set(blocks.flatMap(({ operands }) => operands.flatMap((each) => ("result" in each ? [each.result] : []))));
}

export interface MixSource {
  job(index: number): MixJob;
  segment(index: number): MadeMixSegment;
}

export interface MixContext {
  readonly source: MixSource;
  readonly kernels: Kernels;
  readonly transfer: Transfer;
  readonly gate: Gate;
}

/** Does one job; returns the first result that is not finite. What was written of it is worth nothing. */
export function mix(job: MixJob, { source, kernels, transfer, gate }: MixContext): NonFinite | undefined {
  kernels.release();
  if (job.kind === "copy") {
    const room = kernels.f64(Math.min(COPY_BYTES, job.copy.byteLength + 8) >> 3);
    transfer.copyBytes({ ...job.copy, buffer: new Uint8Array(room.buffer, room.byteOffset, room.byteLength) });
    return undefined;
  }
  const segment = source.segment(job.segment);
  const context = { segment, index: job.segment, kernels, transfer, gate };
  return shapeOf(segment).isWide ? mixWide(job.start, job.end, context) : mixNarrow(job.start, job.end, context);
}

interface SegmentContext {
  readonly segment: MadeMixSegment;
  readonly index: number;
  readonly kernels: Kernels;
  readonly transfer: Transfer;
  readonly gate: Gate;
}

function mixNarrow(
  start: number,
  end: number,
  { segment, index, kernels, transfer, gate }: SegmentContext,
): NonFinite | undefined {
  const places = segment.blocks.flatMap((block) => block.results);
  const { vectorCount, uses } = shapeOf(segment);
  const medium = transfer.mediumOf(vectorsOfMix(segment));
  const step = stepLength(vectorCount, end - start, medium);
  const room = (vector: Vector | undefined): Float32Array =>
    vector !== undefined && isUsedInPlace(vector, medium) ? NO_ROOM : kernels.f32(step);
  const rooms = uses.map((use, r): PartialRow => {
    const { before, after } = segment.rows[r];
    return { ...(use.before ? { before: room(before) } : {}), ...(use.after ? { after: room(after) } : {}) };
  });
  const results = places.map(([first]) => room(first));
  const bits = kernels.u16(step);
  for (let at = start; at < end; at += step) {
    const length = Math.min(step, end - at);
    const cut = (full: Float32Array): Float32Array => (length < full.length ? full.subarray(0, length) : full);
    const load = (full: Float32Array, vector: Vector): Float32Array =>
      transfer.load(cut(full), { vector, start: at, length });
    const rows = segment.rows.map((row, r): PartialRow => {
      const { before, after } = rooms[r];
      return {
        ...(before === undefined ? {} : { before: load(before, row.before) }),
        ...(after === undefined ? {} : { after: load(after, row.after) }),
      };
    });
    const outs = results.map((full, result) => {
      const [vector] = places[result];
      return vector === undefined ? cut(full) : transfer.target(cut(full), { vector, start: at, length });
    });
    const bad = gate(() => kernels.mixInto(rows, blocksWith(segment, outs)));
    if (bad >= 0) return { segment: index, result: bad, index: at + kernels.findNonFinite(outs[bad]) };
    for (const [result, out] of outs.entries()) {
      const lost = storeResult(out, places[result], { start: at, bits, transfer });
      if (lost >= 0) return { segment: index, result, index: at + lost };
    }
  }
  return undefined;
}

/** The blocks with the vectors that their results are numbered after. */
function blocksWith({ blocks }: MadeMixSegment, outs: readonly Float32Array[]): readonly KernelBlock[] {
  let made = 0;
  return blocks.map((block) => {
    const own = outs.slice(made, made + block.results.length);
    made += block.results.length;
    return { ...ruleOf(block), operands: block.operands, outs: own };
  });
}

interface StoreContext {
  readonly start: number;
  readonly bits: Uint16Array;
  readonly transfer: Transfer;
}

/** Index of the first value that has no room where it goes; −1 if all went well. */
function storeResult(out: Float32Array, places: readonly Vector[], { start, bits, transfer }: StoreContext): number {
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
  for (const block of segment.blocks) {
    if (!("factors" in block)) throw new RangeError("mix: a trimmed mean in a segment that is taken row by row");
    const { operands, factors, results } = block;
    const own = results.map((_, m) => sums[m].fill(0));
    operands.forEach((operand, r) => {
      const vector = load(operand);
      own.forEach((sum, m) => {
        kernels.addWeightedInto(sum, factors[m * operands.length + r], vector);
      });
    });
    for (const [m, sum] of own.entries()) {
      kernels.roundInto(out, sum);
      const nonFinite = kernels.findNonFinite(out);
      const bad = nonFinite >= 0 ? nonFinite : storeResult(out, results[m], { start, bits, transfer });
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
