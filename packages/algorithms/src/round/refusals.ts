/** Numbers that are not finite, as errors that say whose they are and where they came from. */
import { type NonFinite, readRange } from "@kumiai/kernels";
import { type ClientId, KumiaiError, type ParamSlot } from "@kumiai/params";
import { type Cohort, decodersOf } from "../cohort.js";
import type { Measurements } from "../strategy.js";
import type { RoundIo } from "./io.js";
import type { MeasurementPlan } from "./measuring.js";
import type { MixingPlan } from "./mixing.js";
import type { Place } from "./parts.js";

/** How far each client and decoder moved, all that is needed of what was measured. */
export type Norms = Pick<Measurements, "encoderNorms" | "decoderNorms">;

/** What the first pass found in an update. */
export function refuseUpdate(found: NonFinite, { rows, checks }: MeasurementPlan, io: RoundIo): KumiaiError {
  const place = "check" in found ? checks[found.check] : "row" in found ? rows[found.segment]?.[found.row] : undefined;
  if (place === undefined) throw new RangeError(`no such place: ${JSON.stringify(found)}`);
  const { client, slots } = place;
  const { stage, value } = findBad(place, found.index, io);
  const slot = slotAt(slots, found.index);
  const where = stage === "delta" ? "" : io.describe(client, stage, slot);
  return new KumiaiError(
    "NON_FINITE",
    `client ${client}: ${stage} params, slot ${slot}${where}: expected finite numbers, received ${value}; lower the client's learning rate or clip its gradients`,
    { client, slot },
  );
}

interface Bad {
  readonly stage: "base" | "local" | "delta";
  readonly value: number;
}

/** Base and local may be finite and their difference not. */
function findBad({ client, slots, stage, origin = { client, slots } }: Place, index: number, io: RoundIo): Bad {
  const elementOf = (each: "base" | "local"): number => {
    const from = each === "base" ? origin : { client, slots };
    const vector = io.source(from.client, each, from.slots);
    return readRange({ vector, start: index, length: 1 })[0] ?? Number.NaN;
  };
  const stages = stage === undefined ? (["base", "local"] as const) : [stage];
  for (const each of stages) {
    const value = elementOf(each);
    if (!Number.isFinite(value)) return { stage: each, value };
  }
  return { stage: "delta", value: Math.fround(elementOf("local") - elementOf("base")) };
}

/**
 * Aggregation of finite but absurd updates can leave the range of f32, or of the 16 bits in which a file holds params; nothing of
 * that may go out or into the state. Names the client and the slot, and the client whose update is the longest.
 */
export function refuseResult(found: NonFinite, { places }: MixingPlan, cohort: Cohort, norms: Norms): KumiaiError {
  const place = "result" in found ? places[found.segment]?.[found.result] : undefined;
  if (place === undefined) throw new RangeError(`no such result: ${JSON.stringify(found)}`);
  const slot = slotAt(place.slots, found.index);
  const longest = longestUpdate(cohort, norms);
  return new KumiaiError(
    "NON_FINITE",
    `client ${place.client}: params after aggregation, slot ${slot}: expected finite numbers within the range of their type, received none; the longest update of the round is that of client ${longest}, look at its training`,
    { client: place.client, slot, longestUpdate: longest },
  );
}

function longestUpdate(cohort: Cohort, { encoderNorms, decoderNorms }: Norms): ClientId | "" {
  const lengths = cohort.present.map(({ spec }) => {
    const own = decodersOf(cohort).filter(({ client }) => client === spec.id);
    const norms = own.map(({ key }) => decoderNorms.get(key) ?? 0);
    return { id: spec.id, length: Math.hypot(encoderNorms.get(spec.id) ?? 0, ...norms) };
  });
  return lengths.reduce<{ id: ClientId | ""; length: number }>((a, b) => (b.length > a.length ? b : a), {
    id: "",
    length: -1,
  }).id;
}

/** Name of the slot that holds element `index` of `slots` end to end. */
function slotAt(slots: readonly ParamSlot[], index: number): string {
  let end = 0;
  for (const slot of slots) {
    end += slot.size;
    if (index < end) return slot.name;
  }
  return "?";
}
