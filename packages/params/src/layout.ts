/**
 * A model is one flat Float32Array plus a layout. The layout says where each tensor stands and what its role is;
 * roles, not names, decide what is shared.
 */
import { createHash } from "node:crypto";
import { KumiaiError } from "./errors.js";
import type { TaskId } from "./ids.js";

/** All parameters of one model, end to end, in layout order. */
export type ParamVector = Float32Array;

/** What a slot is for. Heads, stems (a site's own input layers) and buffers never leave a site. */
export type ParamRole =
  | { readonly kind: "encoder" }
  | { readonly kind: "decoder"; readonly task: TaskId }
  | { readonly kind: "head"; readonly task: TaskId }
  | { readonly kind: "stem" }
  | { readonly kind: "buffer" };

export type ParamRoleKind = ParamRole["kind"];

/** One tensor, before it has a place in the vector. */
export interface ParamSlotSpec {
  /** Unique in the model, e.g. `decoders.semseg.fuse.0.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** The layer that the slot belongs to, e.g. `decoders.semseg.fuse.0`: a weight and its bias share it. */
  readonly layer: string;
  readonly role: ParamRole;
}

export interface ParamSlot extends ParamSlotSpec {
  /** Name within its group: `decoders.semseg.fuse.0.weight` has the key `fuse.0.weight`. Equal keys match across tasks. */
  readonly key: string;
  /** `layer` within its group, e.g. `fuse.0`. */
  readonly layerKey: string;
  /** First element in the flat vector. */
  readonly offset: number;
  /** Element count, the product of `shape`. */
  readonly size: number;
}

export interface ParamLayout {
  readonly slots: readonly ParamSlot[];
  /** Element count of the flat vector. */
  readonly size: number;
  /** SHA-256 over names, shapes, layers and roles in order. Different layouts of equal size have different hashes. */
  readonly hash: string;
}

/** Builds a layout; slots take places in the given order. Throws MODEL_INVALID for a repeated name, a bad shape or an unknown role. */
export function createLayout(specs: readonly ParamSlotSpec[]): ParamLayout {
  const seen = new Set<string>();
  const slots: ParamSlot[] = [];
  let offset = 0;
  for (const spec of specs) {
    if (seen.has(spec.name)) {
      throw new KumiaiError("MODEL_INVALID", `slot ${spec.name}: the name occurs twice; every slot needs its own name`);
    }
    seen.add(spec.name);
    if (!spec.shape.every((extent) => Number.isSafeInteger(extent) && extent > 0)) {
      throw new KumiaiError("MODEL_INVALID", `slot ${spec.name}: expected positive extents, received [${spec.shape}]`);
    }
    checkRole(spec);
    const size = spec.shape.reduce((product, extent) => product * extent, 1);
    const prefix = groupPrefixOf(spec.role);
    slots.push({
      name: spec.name,
      shape: [...spec.shape],
      layer: spec.layer,
      role: spec.role,
      key: stripPrefix(spec.name, prefix),
      layerKey: stripPrefix(spec.layer, prefix),
      offset,
      size,
    });
    offset += size;
  }
  return { slots, size: offset, hash: hashOf(slots) };
}

/** The part of `params` that `slot` names, as a view: writing to it writes to `params`. */
export function slotView(params: ParamVector, slot: ParamSlot): Float32Array {
  return params.subarray(slot.offset, slot.offset + slot.size);
}

/** The slots of one role, in layout order; `task` narrows decoders and heads. */
export function slotsOfRole(layout: ParamLayout, kind: ParamRoleKind, task?: TaskId): readonly ParamSlot[] {
  return layout.slots.filter(
    (slot) => slot.role.kind === kind && (task === undefined || ("task" in slot.role && slot.role.task === task)),
  );
}

/** `name shape` of each slot by key: two groups can be aggregated together if these are equal. */
export function describeGroup(slots: readonly ParamSlot[]): readonly string[] {
  return slots.map((slot) => `${slot.key} [${slot.shape.join(",")}]`);
}

/**
 * Throws LAYOUT_MISMATCH with the first exact difference unless the two groups have the same keys and shapes in the
 * same order. `where` names the two sides for the reader.
 */
export function assertSameGroup(expected: readonly ParamSlot[], received: readonly ParamSlot[], where: string): void {
  const left = describeGroup(expected);
  const right = describeGroup(received);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if (left[i] !== right[i]) {
      throw new KumiaiError(
        "LAYOUT_MISMATCH",
        `${where}: slot ${i}: expected ${left[i] ?? "no slot"}, received ${right[i] ?? "no slot"}; sites that share a group need the same layers in it`,
        { slot: i, expected: left[i] ?? "", received: right[i] ?? "" },
      );
    }
  }
}

function checkRole({ name, role }: ParamSlotSpec): void {
  const kinds: readonly ParamRoleKind[] = ["encoder", "decoder", "head", "stem", "buffer"];
  if (!kinds.includes(role?.kind)) {
    throw new KumiaiError(
      "MODEL_INVALID",
      `slot ${name}: expected a role of ${kinds.join(", ")}, received ${String(role?.kind)}`,
    );
  }
}

function groupPrefixOf(role: ParamRole): string {
  switch (role.kind) {
    case "encoder":
      return "encoder.";
    case "decoder":
      return `decoders.${role.task}.`;
    case "head":
      return `heads.${role.task}.`;
    case "stem":
      return "stem.";
    case "buffer":
      return "";
  }
}

function stripPrefix(name: string, prefix: string): string {
  return prefix !== "" && name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

function hashOf(slots: readonly ParamSlot[]): string {
  const hash = createHash("sha256");
  for (const slot of slots) {
    hash.update(
      JSON.stringify([slot.name, slot.shape, slot.layer, slot.role.kind, "task" in slot.role ? slot.role.task : ""]),
    );
    hash.update("\n");
  }
  return hash.digest("hex");
}
