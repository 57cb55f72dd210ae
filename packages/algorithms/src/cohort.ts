/**
 * The door of every strategy: what came in is checked here once, and turned into the deltas that aggregation works on.
 *
 * Notation — code name, symbol, shape:
 *   encoderDelta      Δ_i      [P]  local − base over the encoder slots, end to end in layout order
 *   DecoderPart.delta Δ_{i,t}  [Q]  the same for one decoder
 *
 * Clients stand in ascending order of id (by code unit), decoders in ascending order of client, then of task, whatever
 * the order in which updates came: so no result depends on arrival. Cost: three passes over each update.
 */
import type { KernelBackend } from "@kumiai/kernels";
import {
  assertSameGroup,
  type ClientId,
  KumiaiError,
  type ParamSlot,
  type ParamVector,
  slotsOfRole,
  type TaskId,
} from "@kumiai/params";
import type { ClientSpec, ClientUpdate, RoundInput } from "./strategy.js";

/** A client whose update came. */
export interface PresentClient {
  readonly spec: ClientSpec;
  readonly update: ClientUpdate;
  readonly encoderSlots: readonly ParamSlot[];
  readonly encoderDelta: Float32Array;
  readonly decoders: readonly DecoderPart[];
}

/** One decoder of one client. */
export interface DecoderPart {
  /** `client/task`. */
  readonly key: string;
  readonly client: ClientId;
  readonly task: TaskId;
  readonly slots: readonly ParamSlot[];
  readonly delta: Float32Array;
}

export interface Cohort {
  readonly present: readonly PresentClient[];
  readonly absent: readonly ClientId[];
}

/**
 * Throws UNKNOWN_CLIENT for an update from outside the roster, INVALID_CONFIG for a client or an update that comes
 * twice or a bad sample count, LAYOUT_MISMATCH for a vector of the wrong length, NON_FINITE for NaN or infinity.
 */
export function openCohort(input: RoundInput, kernels: KernelBackend): Cohort {
  const specs = rosterOf(input.clients);
  const updates = new Map<ClientId, ClientUpdate>();
  for (const update of input.updates) {
    if (!specs.has(update.client)) {
      throw new KumiaiError(
        "UNKNOWN_CLIENT",
        `round ${input.round}: an update came from ${update.client}, which is not on the roster; expected one of ${[...specs.keys()].join(", ")}`,
        { client: update.client, round: input.round },
      );
    }
    if (updates.has(update.client)) {
      throw new KumiaiError("INVALID_CONFIG", `round ${input.round}: two updates came from client ${update.client}`, {
        client: update.client,
        round: input.round,
      });
    }
    updates.set(update.client, update);
  }
  const present: PresentClient[] = [];
  const absent: ClientId[] = [];
  for (const [id, spec] of specs) {
    const update = updates.get(id);
    if (update === undefined) absent.push(id);
    else present.push(openUpdate(spec, update, kernels));
  }
  return { present, absent };
}

/** The roster in ascending order of id. Throws INVALID_CONFIG where an id occurs twice. */
function rosterOf(clients: readonly ClientSpec[]): ReadonlyMap<ClientId, ClientSpec> {
  const specs = new Map<ClientId, ClientSpec>();
  for (const spec of [...clients].sort((a, b) => compareText(a.id, b.id))) {
    if (specs.has(spec.id)) {
      throw new KumiaiError("INVALID_CONFIG", `client ${spec.id}: occurs twice on the roster; ids are unique`, {
        client: spec.id,
      });
    }
    specs.set(spec.id, spec);
  }
  return specs;
}

function openUpdate(spec: ClientSpec, update: ClientUpdate, kernels: KernelBackend): PresentClient {
  checkSampleCount(update);
  checkVector(spec, update.base, "base", kernels);
  checkVector(spec, update.local, "local", kernels);
  const deltaOf = (slots: readonly ParamSlot[]): Float32Array => {
    const delta = new Float32Array(sizeOf(slots));
    kernels.subtractInto(delta, gather(update.local, slots), gather(update.base, slots));
    const index = kernels.findNonFinite(delta);
    if (index >= 0) refuseNonFinite(spec, slotAt(slots, index), "delta", delta[index] ?? Number.NaN);
    return delta;
  };
  const encoderSlots = slotsOfRole(spec.layout, "encoder");
  const tasks = [...new Set(spec.tasks)].sort(compareText);
  return {
    spec,
    update,
    encoderSlots,
    encoderDelta: deltaOf(encoderSlots),
    decoders: tasks.map((task) => {
      const slots = slotsOfRole(spec.layout, "decoder", task);
      return { key: decoderKey(spec.id, task), client: spec.id, task, slots, delta: deltaOf(slots) };
    }),
  };
}

export function decoderKey(client: ClientId, task: TaskId): string {
  return `${client}/${task}`;
}

function checkSampleCount({ client, sampleCount }: ClientUpdate): void {
  if (!Number.isSafeInteger(sampleCount) || sampleCount < 1) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `client ${client}: sampleCount: expected a whole number of 1 or more, received ${sampleCount}`,
      { client },
    );
  }
}

function checkVector(spec: ClientSpec, params: ParamVector, what: "base" | "local", kernels: KernelBackend): void {
  if (params.length !== spec.layout.size) {
    throw new KumiaiError(
      "LAYOUT_MISMATCH",
      `client ${spec.id}: ${what} params: expected ${spec.layout.size} numbers, received ${params.length}; the client may run another version of the model`,
      { client: spec.id, expected: spec.layout.size, received: params.length },
    );
  }
  const index = kernels.findNonFinite(params);
  if (index >= 0) refuseNonFinite(spec, slotAt(spec.layout.slots, index), what, params[index] ?? Number.NaN);
}

function refuseNonFinite(spec: ClientSpec, slot: string, what: string, value: number): never {
  throw new KumiaiError(
    "NON_FINITE",
    `client ${spec.id}: ${what} params, slot ${slot}: expected finite numbers, received ${value}; lower the client's learning rate or clip its gradients`,
    { client: spec.id, slot },
  );
}

/**
 * Aggregation of finite but absurd updates can leave the range of f32; nothing of that may go out or into the state.
 * Throws NON_FINITE naming the first client and slot, and the client whose update is the longest.
 */
export function assertFiniteParams(
  params: ReadonlyMap<ClientId, ParamVector>,
  { present }: Cohort,
  kernels: KernelBackend,
): void {
  for (const { spec } of present) {
    const own = params.get(spec.id);
    const index = own === undefined ? -1 : kernels.findNonFinite(own);
    if (own === undefined || index < 0) continue;
    const longest = longestUpdate(present, kernels);
    const slot = slotAt(spec.layout.slots, index);
    throw new KumiaiError(
      "NON_FINITE",
      `client ${spec.id}: params after aggregation, slot ${slot}: expected finite numbers, received ${own[index]}; the longest update of the round is that of client ${longest}, look at its training`,
      { client: spec.id, slot, longestUpdate: longest },
    );
  }
}

function longestUpdate(present: readonly PresentClient[], kernels: KernelBackend): string {
  const lengths = present.map(({ spec, encoderDelta, decoders }) => ({
    id: spec.id,
    length: Math.hypot(kernels.norm(encoderDelta), ...decoders.map(({ delta }) => kernels.norm(delta))),
  }));
  return lengths.reduce((a, b) => (b.length > a.length ? b : a)).id;
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

/** Encoders of all `clients` have one shape. Throws LAYOUT_MISMATCH naming two that differ. */
export function assertSameEncoders(clients: readonly ClientSpec[]): void {
  const [first, ...others] = [...clients].sort((a, b) => compareText(a.id, b.id));
  if (first === undefined) return;
  const expected = slotsOfRole(first.layout, "encoder");
  for (const other of others) {
    assertSameGroup(
      expected,
      slotsOfRole(other.layout, "encoder"),
      `encoder of client ${other.id} against that of client ${first.id}`,
    );
  }
}

/** Decoders that `bucketOf` puts together have one shape. Throws LAYOUT_MISMATCH naming two that differ. */
export function assertSameDecoders(
  clients: readonly ClientSpec[],
  bucketOf: (client: ClientSpec, task: TaskId) => string,
): void {
  const firsts = new Map<string, { readonly name: string; readonly slots: readonly ParamSlot[] }>();
  for (const client of [...clients].sort((a, b) => compareText(a.id, b.id))) {
    for (const task of [...client.tasks].sort(compareText)) {
      const slots = slotsOfRole(client.layout, "decoder", task);
      const name = decoderKey(client.id, task);
      const bucket = bucketOf(client, task);
      const first = firsts.get(bucket);
      if (first === undefined) firsts.set(bucket, { name, slots });
      else assertSameGroup(first.slots, slots, `decoder ${name} against decoder ${first.name}`);
    }
  }
}

/** The slots' elements of `params`, end to end, as a fresh vector. */
export function gather(params: ParamVector, slots: readonly ParamSlot[]): Float32Array {
  const out = new Float32Array(sizeOf(slots));
  let at = 0;
  for (const { offset, size } of slots) {
    out.set(params.subarray(offset, offset + size), at);
    at += size;
  }
  return out;
}

/** The inverse of `gather`: writes `values` over the slots' elements of `params`. */
export function scatterInto(params: ParamVector, slots: readonly ParamSlot[], values: Float32Array): void {
  let at = 0;
  for (const { offset, size } of slots) {
    params.set(values.subarray(at, at + size), offset);
    at += size;
  }
}

export function sizeOf(slots: readonly ParamSlot[]): number {
  return slots.reduce((sum, { size }) => sum + size, 0);
}

/** Ascending by code unit: the same on every machine, unlike an order by locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
