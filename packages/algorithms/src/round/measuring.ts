/**
 * What a strategy asks for, as a plan of the first pass, and the pass's results as the strategy wants them.
 *
 * Notation — code name, symbol, shape:
 *   encoder segment  Δ_i    [N, P]    one for each shape of encoder
 *   tensor segment   Δ_k,p  [K, d_p]  one for each shape of decoder and each of its tensors
 *   sketch size      m      scalar    a decoder's m numbers are shared out to its tensors by size, at least SMALLEST_SKETCH each
 */
import {
  crossStart,
  type KernelBackend,
  type Measured,
  type MeasurePlan,
  type MeasureSegment,
  packedLength,
  planSketch,
  type Row,
  type SketchPlan,
  scratchBytes,
  shrinkSketchGram,
  sliceOf,
  unpackGram,
  type Vector,
} from "@kumiai/kernels";
import { type ClientId, describeGroup, type ParamSlot } from "@kumiai/params";
import { type Cohort, type DecoderPart, decodersOf, sizeOf } from "../cohort.js";
import type { StateVector } from "../state-vector.js";
import type { Measurements, MeasureRequest } from "../strategy.js";
import type { RoundIo } from "./io.js";

/** Up to so many clients, a Gram that only diagnostics want is exact. */
const EXACT_DIAGNOSTICS = 32;
const SMALLEST_SKETCH = 64;
const DEFAULT_SIZE = 4096;

/** What an element that is not finite belongs to. */
export interface Place {
  readonly client: ClientId;
  readonly slots: readonly ParamSlot[];
  /** Of a checked vector; a row is both. */
  readonly stage?: "base" | "local";
}

export interface MeasurementPlan {
  readonly plan: MeasurePlan;
  /** By segment, then by row. */
  readonly rows: readonly (readonly Place[])[];
  readonly checks: readonly Place[];
  read(measured: readonly Measured[], backend: KernelBackend): Measurements;
}

interface Part {
  readonly segment: MeasureSegment;
  readonly places: readonly Place[];
  /** Index in the cohort's order of each row. */
  readonly members: readonly number[];
}

export function planMeasurement(request: MeasureRequest, cohort: Cohort, io: RoundIo): MeasurementPlan {
  const encoders = encoderParts(request, cohort, io);
  const tensors = tensorParts(request, decodersOf(cohort), io);
  const checks = privatePlaces(cohort, io);
  const parts = [...encoders, ...tensors.flatMap(({ parts }) => parts)];
  return {
    plan: {
      segments: parts.map(({ segment }) => segment),
      checks: checks.map(({ client, slots, stage }) => io.source(client, stage ?? "local", slots)),
    },
    rows: parts.map(({ places }) => places),
    checks,
    read(measured, backend) {
      const results = new Map(parts.map(({ segment }, index) => [segment, measured[index] as Measured]));
      const gramOf = openGrams(parts, results, backend);
      return {
        ...readEncoders(encoders, cohort, results, gramOf),
        ...readDecoders(tensors, request, decodersOf(cohort), results, gramOf),
      };
    },
  };
}

// Encoders --------------------------------------------------------------------------------------------------------------

function encoderParts(
  { encoderGram, encoderAlignments }: MeasureRequest,
  cohort: Cohort,
  io: RoundIo,
): readonly Part[] {
  const isExact = encoderGram === "exact" || (encoderGram === "any" && cohort.present.length <= EXACT_DIAGNOSTICS);
  const spec = typeof encoderGram === "object" ? encoderGram : { seed: 0 };
  return groupBy(cohort.present, ({ encoderSlots }) => describeGroup(encoderSlots).join("\n")).map((members) => {
    const clients = members.map((index) => at(cohort.present, index));
    const rows = clients.map(({ spec: { id }, encoderSlots }) => rowOf(io, id, encoderSlots));
    const length = rows[0]?.before.length ?? 0;
    const aligned = alignWith(
      clients.map(({ spec: { id } }) => encoderAlignments.get(id)),
      (vector) => io.stored(vector),
    );
    const sketch = isExact ? {} : { sketch: planSketch(length, spec) };
    return {
      segment: { length, rows, want: isExact ? "gram" : "norms", ...aligned, ...sketch },
      places: clients.map(({ spec: { id }, encoderSlots }) => ({ client: id, slots: encoderSlots })),
      members,
    };
  });
}

/** The distinct vectors as extras, and which row is compared with which. */
function alignWith(
  vectors: readonly (StateVector | undefined)[],
  locate: (vector: StateVector) => Vector,
): Pick<MeasureSegment, "extras" | "extrasOf"> {
  const distinct = [...new Set(vectors.flatMap((vector) => vector ?? []))];
  const extras = distinct.map(locate);
  // All rows against one vector: one call does it, and reads the rows once.
  if (distinct.length <= 1 && !vectors.includes(undefined)) return { extras };
  return { extras, extrasOf: vectors.map((vector) => (vector === undefined ? [] : [distinct.indexOf(vector)])) };
}

function readEncoders(
  parts: readonly Part[],
  { present }: Cohort,
  results: ReadonlyMap<MeasureSegment, Measured>,
  gramOf: GramOf,
): Pick<Measurements, "encoderGram" | "gramSource" | "encoderNorms" | "encoderAlignments"> {
  const count = present.length;
  const encoderGram = new Float64Array(count * count);
  const norms = new Map<ClientId, number>();
  const alignments = new Map<ClientId, number>();
  for (const { segment, members } of parts) {
    const result = get(results, segment);
    const gram = gramOf(segment);
    members.forEach((i, row) => {
      const { id } = at(present, i).spec;
      norms.set(id, Math.sqrt(squaredNorm(segment, result, row)));
      const alignment = alignmentOf(segment, result, row);
      if (alignment !== undefined) alignments.set(id, alignment);
      members.forEach((j, column) => {
        encoderGram[i * count + j] = gram[row * members.length + column] ?? 0;
      });
    });
  }
  return {
    encoderGram,
    gramSource: parts.some(({ segment }) => segment.sketch !== undefined && !segment.sketch.isExact)
      ? "sketch"
      : "exact",
    encoderNorms: norms,
    encoderAlignments: alignments,
  };
}

// Decoders --------------------------------------------------------------------------------------------------------------

/** Decoders of one shape: a part for each of their tensors. */
interface TensorGroup {
  readonly members: readonly number[];
  readonly parts: readonly Part[];
}

function tensorParts(
  { decoderGrams, decoderAlignments }: MeasureRequest,
  decoders: readonly DecoderPart[],
  io: RoundIo,
): readonly TensorGroup[] {
  return groupBy(decoders, ({ slots }) => describeGroup(slots).join("\n")).map((members) => {
    const own = members.map((index) => at(decoders, index));
    const sizes = own[0]?.slots.map(({ size }) => size) ?? [];
    const total = sizes.reduce((sum, size) => sum + size, 0);
    let start = 0;
    const parts = sizes.map((length, tensor): Part => {
      const from = start;
      start += length;
      const slotsOf = ({ slots }: DecoderPart): readonly ParamSlot[] => slots.slice(tensor, tensor + 1);
      const aligned = alignWith(
        own.map(({ key }) => decoderAlignments.get(key)),
        (vector) => sliceOf({ vector: io.stored(vector), start: from, length }),
      );
      const sketch =
        typeof decoderGrams === "object" ? { sketch: tensorSketch(decoderGrams, tensor, length / total, length) } : {};
      return {
        segment: {
          length,
          rows: own.map((decoder) => rowOf(io, decoder.client, slotsOf(decoder))),
          want: decoderGrams === "exact" ? "gram" : "norms",
          ...aligned,
          ...sketch,
        },
        places: own.map((decoder) => ({ client: decoder.client, slots: slotsOf(decoder) })),
        members,
      };
    });
    return { members, parts };
  });
}

function tensorSketch(
  { size = DEFAULT_SIZE, seed }: { readonly size?: number; readonly seed: number },
  tensor: number,
  fraction: number,
  length: number,
): SketchPlan {
  return planSketch(length, { size: Math.max(SMALLEST_SKETCH, Math.round(size * fraction)), seed: seed + 1 + tensor });
}

function readDecoders(
  groups: readonly TensorGroup[],
  { decoderGrams }: MeasureRequest,
  decoders: readonly DecoderPart[],
  results: ReadonlyMap<MeasureSegment, Measured>,
  gramOf: GramOf,
): Pick<Measurements, "decoderNorms" | "decoderGram" | "decoderAlignments"> {
  const norms = new Map<string, number>();
  const alignments = new Map<string, readonly number[]>();
  for (const { members, parts } of groups) {
    members.forEach((index, row) => {
      const { key } = at(decoders, index);
      const squares = parts.map(({ segment }) => squaredNorm(segment, get(results, segment), row));
      norms.set(key, Math.sqrt(squares.reduce((sum, square) => sum + square, 0)));
      const own = parts.map(({ segment }) => alignmentOf(segment, get(results, segment), row));
      if (own.every((value) => value !== undefined)) alignments.set(key, own);
    });
  }
  const segments = decoderGrams === "none" ? [] : groups.flatMap(({ parts }) => parts.map(({ segment }) => segment));
  return { decoderNorms: norms, decoderGram: (tensor) => gramOf(at(segments, tensor)), decoderAlignments: alignments };
}

// Both ------------------------------------------------------------------------------------------------------------------

function rowOf(io: RoundIo, client: ClientId, slots: readonly ParamSlot[]): Row {
  return { before: io.source(client, "base", slots), after: io.source(client, "local", slots) };
}

type GramOf = (segment: MeasureSegment) => Float64Array;

/** [R, R] of a segment: measured, or that of the sketches as they would be sent, in f32. One room serves all sketches. */
function openGrams(
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

function squaredNorm({ rows, want }: MeasureSegment, { products }: Measured, row: number): number {
  // Row i of the packed triangle begins with its diagonal.
  const index = want === "gram" ? row * rows.length - (row * (row - 1)) / 2 : row;
  return products[index] ?? 0;
}

function alignmentOf({ extras, extrasOf }: MeasureSegment, { cross }: Measured, row: number): number | undefined {
  if (extrasOf !== undefined) return extrasOf[row]?.length === 0 ? undefined : cross[crossStart(extrasOf, row)];
  return extras.length === 0 ? undefined : cross[row];
}

/** What no strategy reads, but must be sound all the same: it goes back to the client. */
function privatePlaces({ present }: Cohort, io: RoundIo): readonly Place[] {
  return present.flatMap(({ spec, encoderSlots, decoders }) => {
    const shared = new Set([...encoderSlots, ...decoders.flatMap(({ slots }) => slots)]);
    const slots = spec.layout.slots.filter((slot) => !shared.has(slot) && io.isReadable(spec.id, slot));
    const stages = ["base", "local"] as const;
    return sizeOf(slots) === 0 ? [] : stages.map((stage) => ({ client: spec.id, slots, stage }));
  });
}

/** Indices of the items, put together by `keyOf`, in the order of first appearance. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  items.forEach((item, index) => {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  });
  return [...groups.values()];
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`expected an index below ${items.length}, received ${index}`);
  return item;
}

function get(results: ReadonlyMap<MeasureSegment, Measured>, segment: MeasureSegment): Measured {
  const result = results.get(segment);
  if (result === undefined) throw new RangeError("a segment was not measured");
  return result;
}
