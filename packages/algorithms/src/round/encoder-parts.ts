/**
 * What a strategy asks for of the encoders, as segments of the first pass, and the results as the strategy wants them.
 *
 * Notation — code name, symbol, shape:
 *   whole           Δ_i          [N, P]    one segment for each shape of encoder
 *   layers          Δ_i,ℓ        [N, P_ℓ]  instead of it where Grams are wanted layer by layer: the whole's Gram, norms and alignments are
 *                                          their sums, in the order of the layers
 *   distances       θ_i − θ̂      [N, P]    θ_i: client i's params after training, θ̂: the base of the first client of this shape, so that
 *                                          all are measured from one place; ‖θ_i − θ_j‖² = H_ii + H_jj − 2·H_ij with the Gram H
 *
 * The last is a segment of its own: it reads the params after training once more.
 */
import { listed, type Measured, type MeasureSegment, planSketch } from "@kumiai/kernels";
import type { ClientId } from "@kumiai/params";
import type { Cohort, PresentClient } from "../cohort.js";
import type { Measurements, MeasureRequest } from "../strategy.js";
import type { RoundIo } from "./io.js";
import {
  alignmentOf,
  alignWith,
  at,
  type GramOf,
  get,
  groupBy,
  groupByShape,
  type Part,
  piecesOf,
  rowOf,
  squaredNorm,
} from "./parts.js";

/** Up to so many clients, a Gram that only diagnostics want is exact. */
const EXACT_DIAGNOSTICS = 32;

/** Encoders of one shape. */
export interface EncoderGroup {
  /** Indices in the cohort's order. */
  readonly members: readonly number[];
  /** One for the whole encoder, or one for each of its layers. */
  readonly parts: readonly (Part & { readonly layer?: string })[];
  readonly distances?: Part;
}

type EncoderMeasurements = Pick<
  Measurements,
  | "encoderGram"
  | "gramSource"
  | "encoderNorms"
  | "encoderAlignments"
  | "encoderLayerAlignments"
  | "encoderLayers"
  | "encoderLayerGram"
  | "encoderDistances"
>;

/** RangeError where a sketch and Grams by layer are asked for at once. */
export function encoderParts(request: MeasureRequest, cohort: Cohort, io: RoundIo): readonly EncoderGroup[] {
  if (request.encoderLayerGrams === "exact" && typeof request.encoderGram === "object") {
    throw new RangeError(
      "measure: Grams by layer are exact, and the encoder's Gram is their sum; a sketch adds nothing",
    );
  }
  return groupByShape(cohort.present, ({ encoderSlots }) => encoderSlots).map((members) => {
    const clients = members.map((index) => at(cohort.present, index));
    const cuts = request.encoderLayerGrams === "exact" ? layersOf(clients[0]) : [wholeOf(clients[0])];
    const isExact = wantsExact(request, cohort.present.length);
    return {
      members,
      parts: cuts.map((cut) => encoderPart(cut, { request, clients, members, io, isExact })),
      ...(request.encoderDistances === "exact" ? { distances: distancePart(clients, members, io) } : {}),
    };
  });
}

function wantsExact({ encoderGram, encoderLayerGrams }: MeasureRequest, clientCount: number): boolean {
  if (encoderGram === "exact" || encoderLayerGrams === "exact") return true;
  return encoderGram === "any" && clientCount <= EXACT_DIAGNOSTICS;
}

/** Some of an encoder's slots, by their number, and where they stand when all slots are taken end to end. */
interface Cut {
  readonly layer?: string;
  readonly slots: readonly number[];
  readonly pieces: readonly { readonly start: number; readonly length: number }[];
}

function wholeOf(client: PresentClient | undefined): Cut {
  const slots = client?.encoderSlots ?? [];
  const length = slots.reduce((sum, { size }) => sum + size, 0);
  return { slots: slots.map((_, index) => index), pieces: [{ start: 0, length }] };
}

/** By layer key, in the order of the first slot of each. */
function layersOf(client: PresentClient | undefined): readonly Cut[] {
  const slots = client?.encoderSlots ?? [];
  let end = 0;
  const pieces = slots.map(({ size }) => {
    end += size;
    return { start: end - size, length: size };
  });
  return groupBy(slots, ({ layerKey }) => layerKey).map((indices) => ({
    layer: at(slots, at(indices, 0)).layerKey,
    slots: indices,
    pieces: indices.map((index) => at(pieces, index)),
  }));
}

interface PartInputs {
  readonly request: MeasureRequest;
  readonly clients: readonly PresentClient[];
  readonly members: readonly number[];
  readonly io: RoundIo;
  readonly isExact: boolean;
}

function encoderPart(
  { layer, slots, pieces }: Cut,
  { request: { encoderGram, encoderAlignments }, clients, members, io, isExact }: PartInputs,
): Part & { readonly layer?: string } {
  const own = clients.map(({ spec: { id }, encoderSlots }) => ({
    client: id,
    slots: slots.map((index) => at(encoderSlots, index)),
  }));
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const aligned = alignWith(
    clients.map(({ spec: { id } }) => encoderAlignments.get(id)),
    (vector) => piecesOf(io.stored(vector), pieces),
  );
  const spec = typeof encoderGram === "object" ? encoderGram : { seed: 0 };
  return {
    segment: {
      length,
      rows: listed(own.length, (row) => rowOf(io, at(own, row).client, at(own, row).slots)),
      want: isExact ? "gram" : "norms",
      ...aligned,
      ...(isExact ? {} : { sketch: planSketch(length, spec) }),
    },
    places: own,
    members,
    ...(layer === undefined ? {} : { layer }),
  };
}

function distancePart(clients: readonly PresentClient[], members: readonly number[], io: RoundIo): Part {
  const { spec, encoderSlots } = at(clients, 0);
  const before = io.source(spec.id, "base", encoderSlots);
  return {
    segment: {
      length: before.length,
      rows: listed(clients.length, (row) => {
        const client = at(clients, row);
        return { before, after: io.source(client.spec.id, "local", client.encoderSlots) };
      }),
      want: "gram",
      extras: [],
    },
    places: clients.map((client) => ({
      client: client.spec.id,
      slots: client.encoderSlots,
      origin: { client: spec.id, slots: encoderSlots },
    })),
    members,
  };
}

/** All segments with their rows, in the order in which they are measured. */
export function partsOf(groups: readonly EncoderGroup[]): readonly Part[] {
  return groups.flatMap(({ parts, distances }) => (distances === undefined ? parts : [...parts, distances]));
}

export function readEncoders(
  groups: readonly EncoderGroup[],
  cohort: Cohort,
  results: ReadonlyMap<MeasureSegment, Measured>,
  gramOf: GramOf,
): EncoderMeasurements {
  const count = cohort.present.length;
  const grams = new Map<Part, Float64Array>();
  const encoderGram = new Float64Array(count * count);
  for (const part of groups.flatMap(({ parts }) => parts)) {
    const gram = gramOf(part.segment);
    if (part.layer !== undefined) grams.set(part, gram);
    addMembers(encoderGram, count, part.members, gram);
  }
  return {
    encoderGram,
    gramSource: groups.some(({ parts }) =>
      parts.some(({ segment: { sketch } }) => sketch !== undefined && !sketch.isExact),
    )
      ? "sketch"
      : "exact",
    ...readRows(groups, cohort, results),
    ...readLayers(groups, grams, count),
    encoderDistances: () => distancesOf(groups, gramOf, count),
  };
}

/** A group's [R, R] at its place in [N, N]. */
function addMembers(to: Float64Array, count: number, members: readonly number[], gram: Float64Array): void {
  members.forEach((i, row) => {
    members.forEach((j, column) => {
      to[i * count + j] = (to[i * count + j] ?? 0) + (gram[row * members.length + column] ?? 0);
    });
  });
}

function readRows(
  groups: readonly EncoderGroup[],
  { present }: Cohort,
  results: ReadonlyMap<MeasureSegment, Measured>,
): Pick<Measurements, "encoderNorms" | "encoderAlignments" | "encoderLayerAlignments"> {
  const norms = new Map<ClientId, number>();
  const alignments = new Map<ClientId, number>();
  const byLayer = new Map<ClientId, ReadonlyMap<string, number>>();
  for (const { members, parts } of groups) {
    for (const [row, i] of members.entries()) {
      const { id } = at(present, i).spec;
      const squares = parts.map(({ segment }) => squaredNorm(segment, get(results, segment), row));
      norms.set(id, Math.sqrt(sum(squares)));
      const own = parts.flatMap(({ segment, layer }) => {
        const value = alignmentOf(segment, get(results, segment), row);
        return value === undefined ? [] : [{ layer, value }];
      });
      if (own.length === 0) continue;
      alignments.set(id, sum(own.map(({ value }) => value)));
      const layers = own.flatMap(({ layer, value }) => (layer === undefined ? [] : [[layer, value] as const]));
      if (layers.length > 0) byLayer.set(id, new Map(layers));
    }
  }
  return { encoderNorms: norms, encoderAlignments: alignments, encoderLayerAlignments: byLayer };
}

function readLayers(
  groups: readonly EncoderGroup[],
  grams: ReadonlyMap<Part, Float64Array>,
  count: number,
): Pick<Measurements, "encoderLayers" | "encoderLayerGram"> {
  const parts = groups.flatMap((group) => group.parts);
  const layers = [...new Set(parts.flatMap(({ layer }) => layer ?? []))];
  return {
    encoderLayers: layers,
    encoderLayerGram(layer) {
      if (!layers.includes(layer)) {
        throw new RangeError(
          `encoderLayerGram: expected one of ${layers.join(", ") || "no layers, since none were asked for"}, received ${layer}`,
        );
      }
      const gram = new Float64Array(count * count);
      for (const part of parts) {
        if (part.layer === layer) addMembers(gram, count, part.members, grams.get(part) ?? new Float64Array());
      }
      return gram;
    },
  };
}

function distancesOf(groups: readonly EncoderGroup[], gramOf: GramOf, count: number): Float64Array {
  const out = new Float64Array(count * count).fill(Number.POSITIVE_INFINITY);
  for (const { members, distances } of groups) {
    if (distances === undefined) throw new RangeError("encoderDistances: none were asked for");
    const gram = gramOf(distances.segment);
    const width = members.length;
    members.forEach((i, row) => {
      members.forEach((j, column) => {
        const squares = (gram[row * width + row] ?? 0) + (gram[column * width + column] ?? 0);
        out[i * count + j] = row === column ? 0 : Math.max(0, squares - 2 * (gram[row * width + column] ?? 0));
      });
    });
  }
  return out;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
