/** The groups of a model that cross the wire, each as one flat vector: the encoder, and the decoder of each task. */
import type { ClientSpec, TrafficRule } from "@kumiai/algorithms";
import { type ParamSlot, type ParamVector, slotsOfRole, slotView } from "@kumiai/params";

export interface WireGroup {
  /** `encoder` or `decoder/<task>`. */
  readonly name: string;
  readonly kind: "encoder" | "decoders";
  readonly slots: readonly ParamSlot[];
}

/** The groups that `rule` lets a client send and receive; none is empty. */
export function wireGroups({ layout, tasks }: ClientSpec, rule: TrafficRule): readonly WireGroup[] {
  const groups: WireGroup[] = [];
  if (rule.encoder) groups.push({ name: "encoder", kind: "encoder", slots: slotsOfRole(layout, "encoder") });
  for (const task of rule.decoders ? tasks : []) {
    groups.push({ name: `decoder/${task}`, kind: "decoders", slots: slotsOfRole(layout, "decoder", task) });
  }
  return groups.filter(({ slots }) => slots.length > 0);
}

/** The slots' elements of `params`, end to end, as a fresh vector. */
export function gatherSlots(params: ParamVector, slots: readonly ParamSlot[]): Float32Array {
  const out = new Float32Array(slots.reduce((sum, { size }) => sum + size, 0));
  let at = 0;
  for (const slot of slots) {
    out.set(slotView(params, slot), at);
    at += slot.size;
  }
  return out;
}

/** Writes `values` into the slots of `params`, end to end. */
export function scatterSlotsInto(params: ParamVector, slots: readonly ParamSlot[], values: Float32Array): void {
  let at = 0;
  for (const slot of slots) {
    slotView(params, slot).set(values.subarray(at, at + slot.size));
    at += slot.size;
  }
}
