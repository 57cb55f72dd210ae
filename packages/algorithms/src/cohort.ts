/**
 * The door of every strategy: who takes part in a round, checked once, without the numbers themselves.
 *
 * Clients stand in ascending order of id (by code unit), decoders in ascending order of client, then of task, whatever
 * the order in which updates came: so no result depends on arrival.
 */
import {
  assertSameGroup,
  type ClientId,
  KumiaiError,
  type ParamLayout,
  type ParamSlot,
  slotsOfRole,
  type TaskId,
} from "@kumiai/params";
import type { ClientSpec } from "./strategy.js";

/** A client whose update came. */
export interface PresentClient {
  readonly spec: ClientSpec;
  /** Examples the client owns, 1 or more. */
  readonly sampleCount: number;
  readonly encoderSlots: readonly ParamSlot[];
  readonly decoders: readonly DecoderPart[];
}

/** One decoder of one client. */
export interface DecoderPart {
  /** `client/task`. */
  readonly key: string;
  readonly client: ClientId;
  readonly task: TaskId;
  readonly slots: readonly ParamSlot[];
}

export interface Cohort {
  /** From 1. */
  readonly round: number;
  /** Everybody, in order. */
  readonly roster: readonly ClientSpec[];
  readonly present: readonly PresentClient[];
  readonly absent: readonly ClientId[];
}

/** Who sent an update. */
export interface Sender {
  readonly client: ClientId;
  readonly sampleCount: number;
}

/**
 * Throws UNKNOWN_CLIENT for an update from outside the roster, INVALID_CONFIG for a client or an update that comes
 * twice or a bad sample count.
 */
export function openCohort(round: number, clients: readonly ClientSpec[], senders: readonly Sender[]): Cohort {
  const specs = rosterOf(clients);
  const updates = new Map<ClientId, Sender>();
  for (const sender of senders) {
    if (!specs.has(sender.client)) {
      throw new KumiaiError(
        "UNKNOWN_CLIENT",
        `round ${round}: an update came from ${sender.client}, which is not on the roster; expected one of ${[...specs.keys()].join(", ")}`,
        { client: sender.client, round },
      );
    }
    if (updates.has(sender.client)) {
      throw new KumiaiError("INVALID_CONFIG", `round ${round}: two updates came from client ${sender.client}`, {
        client: sender.client,
        round,
      });
    }
    updates.set(sender.client, sender);
  }
  const present: PresentClient[] = [];
  const absent: ClientId[] = [];
  const slotsOf = sharedSlots();
  for (const [id, spec] of specs) {
    const sender = updates.get(id);
    if (sender === undefined) absent.push(id);
    else present.push(presentClient(spec, sender, slotsOf));
  }
  return { round, roster: [...specs.values()], present, absent };
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

/** `slotsOfRole` that gives clients of one layout the same list. */
function sharedSlots(): typeof slotsOfRole {
  const known = new Map<ParamLayout, Map<string, readonly ParamSlot[]>>();
  return (layout, kind, task) => {
    const own = known.get(layout) ?? new Map<string, readonly ParamSlot[]>();
    known.set(layout, own);
    const key = `${kind} ${task ?? ""}`;
    const slots = own.get(key) ?? slotsOfRole(layout, kind, task);
    own.set(key, slots);
    return slots;
  };
}

function presentClient(spec: ClientSpec, sender: Sender, slotsOf: typeof slotsOfRole): PresentClient {
  checkSampleCount(sender);
  const tasks = [...new Set(spec.tasks)].sort(compareText);
  return {
    spec,
    sampleCount: sender.sampleCount,
    encoderSlots: slotsOf(spec.layout, "encoder"),
    decoders: tasks.map((task) => ({
      key: decoderKey(spec.id, task),
      client: spec.id,
      task,
      slots: slotsOf(spec.layout, "decoder", task),
    })),
  };
}

/** All decoders of the clients present, in order. */
export function decodersOf({ present }: Cohort): readonly DecoderPart[] {
  return present.flatMap(({ decoders }) => decoders);
}

export function decoderKey(client: ClientId, task: TaskId): string {
  return `${client}/${task}`;
}

function checkSampleCount({ client, sampleCount }: Sender): void {
  if (!Number.isSafeInteger(sampleCount) || sampleCount < 1) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `client ${client}: sampleCount: expected a whole number of 1 or more, received ${sampleCount}`,
      { client },
    );
  }
}

/** Encoders of all `clients` have one shape. Throws LAYOUT_MISMATCH naming two that differ. */
export function assertSameEncoders(clients: readonly ClientSpec[]): void {
  const [first, ...others] = [...clients].sort((a, b) => compareText(a.id, b.id));
  if (first === undefined) return;
  const expected = slotsOfRole(first.layout, "encoder");
  for (const other of others) {
    if (other.layout === first.layout) continue;
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

export function sizeOf(slots: readonly ParamSlot[]): number {
  return slots.reduce((sum, { size }) => sum + size, 0);
}

/** Ascending by code unit: the same on every machine, unlike an order by locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
