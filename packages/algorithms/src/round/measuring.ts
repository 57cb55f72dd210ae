/**
 * What a strategy asks for, as a plan of the first pass, and the pass's results as the strategy wants them. Encoders: encoder-parts.ts.
 *
 * Notation — code name, symbol, shape:
 *   tensor segment   Δ_k,p  [K, d_p]  one for each shape of decoder and each of its tensors
 *   sketch size      m      scalar    a decoder's m numbers are shared out to its tensors by size, at least SMALLEST_SKETCH each
 */
import {
  type KernelBackend,
  listed,
  type Measured,
  type MeasurePlan,
  type MeasureSegment,
  planSketch,
  type SketchPlan,
  sliceOf,
} from "@kumiai/kernels";
import type { ParamSlot } from "@kumiai/params";
import { type Cohort, type DecoderPart, decodersOf, sizeOf } from "../cohort.js";
import type { Measurements, MeasureRequest } from "../strategy.js";
import { encoderParts, partsOf, readEncoders } from "./encoder-parts.js";
import type { RoundIo } from "./io.js";
import {
  alignmentOf,
  alignWith,
  at,
  type GramOf,
  get,
  groupByShape,
  openGrams,
  type Part,
  type Place,
  rowOf,
  squaredNorm,
} from "./parts.js";

const SMALLEST_SKETCH = 64;
const DEFAULT_SIZE = 4096;

export interface MeasurementPlan {
  readonly plan: MeasurePlan;
  /** By segment, then by row. */
  readonly rows: readonly (readonly Place[])[];
  readonly checks: readonly Place[];
  read(measured: readonly Measured[], backend: KernelBackend): Measurements;
}

export function planMeasurement(request: MeasureRequest, cohort: Cohort, io: RoundIo): MeasurementPlan {
  const encoders = encoderParts(request, cohort, io);
  const tensors = tensorParts(request, decodersOf(cohort), io);
  const checks = privatePlaces(cohort, io);
  const parts = [...partsOf(encoders), ...tensors.flatMap(({ parts }) => parts)];
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
  return groupByShape(decoders, ({ slots }) => slots).map((members) => {
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
          rows: listed(own.length, (row) => rowOf(io, at(own, row).client, slotsOf(at(own, row)))),
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

/** What no strategy reads, but must be sound all the same: it goes back to the client. */
function privatePlaces({ present }: Cohort, io: RoundIo): readonly Place[] {
  return present.flatMap(({ spec, encoderSlots, decoders }) => {
    const shared = new Set([...encoderSlots, ...decoders.flatMap(({ slots }) => slots)]);
    const slots = spec.layout.slots.filter((slot) => !shared.has(slot) && io.isReadable(spec.id, slot));
    const stages = ["base", "local"] as const;
    return sizeOf(slots) === 0 ? [] : stages.map((stage) => ({ client: spec.id, slots, stage }));
  });
}
