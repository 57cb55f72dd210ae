/**
 * What crosses the wire between sites and server, carried out: the server sees what it can decode, and so do the sites.
 *
 * Notation, for one client and one group that it shares — code name, symbol, shape [P]:
 *   base      b  what the client has had since the last exchange; the server knows it
 *   local     l  what the client has after training; the server does not know it
 *   seen      s = b + decode(encode(l − b + residual up)); both know it
 *   next      n  what the strategy makes of everybody's `seen`
 *   received  r = ref + decode(encode(n − ref + residual down)), ref one of s and b; the client goes on with it, both know it
 *
 * A codec without loss (f32) sends l and n themselves, so that s = l and r = n to the bit. Heads, buffers and groups that the
 * strategy does not share stay what the client trained, exactly. Residuals are kept for each client and group, on the
 * side that sends. Bytes are those of the frames, plus one a download frame where `reference` is `auto`, to say which.
 *
 * A strategy says only after aggregation which groups it shares. The first exchange therefore aggregates once more, on
 * what nothing was lost of; strategies are pure, so this changes nothing but time.
 *
 * Errors: NON_FINITE with the client's name; what the strategy throws.
 */
import {
  type ClientSpec,
  type ClientUpdate,
  isLossless,
  type RoundOutput,
  sendUpdate,
  type TrafficRule,
} from "@kumiai/algorithms";
import { type ClientId, KumiaiError, type ParamVector, type Rng } from "@kumiai/params";
import type { DirectionConfig, TrafficConfig } from "../config/traffic-schema.js";
import { gatherSlots, scatterSlotsInto, type WireGroup, wireGroups } from "./groups.js";

export interface ClientTraffic {
  readonly upBytes: number;
  readonly downBytes: number;
}

export interface Exchanged {
  readonly output: RoundOutput<unknown>;
  /** What each client goes on with. */
  readonly params: ReadonlyMap<ClientId, ParamVector>;
  readonly bytes: ReadonlyMap<ClientId, ClientTraffic>;
  /** What the server would send if vectors that several clients need went out once, in frames as large as these. */
  readonly broadcastBytes: number;
}

export interface ExchangeInput {
  readonly updates: readonly ClientUpdate[];
  readonly specOf: (client: ClientId) => ClientSpec;
  readonly aggregate: (updates: readonly ClientUpdate[]) => RoundOutput<unknown>;
  /** Of the round. */
  readonly rng: Rng;
}

export interface Exchange {
  /** One round. What is kept from round to round changes only if nothing is thrown. */
  play(input: ExchangeInput): Exchanged;
}

type Residuals = ReadonlyMap<string, Float32Array>;

/** How often a strategy may change its mind about what it shares, given the same clients. */
const MAX_ATTEMPTS = 3;

export function openExchange({ upload, download }: TrafficConfig): Exchange {
  let rule: TrafficRule | null = null;
  let upResiduals: Residuals = new Map();
  let downResiduals: Residuals = new Map();

  return {
    play(input) {
      let assumed = rule ?? input.aggregate(input.updates).traffic.rule;
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const up = sendUp(input, assumed, upload, upResiduals);
        const output = input.aggregate(up.seen);
        if (!isSameRule(output.traffic.rule, assumed)) {
          assumed = output.traffic.rule;
          continue;
        }
        const down = sendDown(input, up.seen, output, download, downResiduals);
        rule = assumed;
        upResiduals = up.residuals;
        downResiduals = down.residuals;
        const bytes = new Map<ClientId, ClientTraffic>();
        for (const { client } of input.updates) {
          bytes.set(client, { upBytes: up.bytes.get(client) ?? 0, downBytes: down.bytes.get(client) ?? 0 });
        }
        return { output, params: down.params, bytes, broadcastBytes: broadcastOf(output, down) };
      }
      throw new RangeError("traffic: the strategy shares other groups each time it is asked");
    },
  };
}

/** Without a `traffic` section: params as they are, counted as f32 without framing. */
export function plainExchange(): Exchange {
  return {
    play({ updates, aggregate }) {
      const output = aggregate(updates);
      const { encoder, decoders } = output.traffic.broadcast;
      return {
        output,
        params: new Map(updates.map(({ client, local }) => [client, output.params.get(client) ?? local])),
        bytes: new Map(updates.map(({ client }) => [client, output.diagnostics.traffic[client] ?? NOTHING])),
        broadcastBytes: 4 * (encoder + decoders),
      };
    },
  };
}

const NOTHING: ClientTraffic = { upBytes: 0, downBytes: 0 };

function isSameRule(a: TrafficRule, b: TrafficRule): boolean {
  return a.encoder === b.encoder && a.decoders === b.decoders;
}

interface Upload {
  readonly seen: readonly ClientUpdate[];
  readonly bytes: ReadonlyMap<ClientId, number>;
  readonly residuals: Residuals;
}

function sendUp(input: ExchangeInput, rule: TrafficRule, config: DirectionConfig, before: Residuals): Upload {
  const residuals = new Map(before);
  const bytes = new Map<ClientId, number>();
  const seen = input.updates.map((update) => {
    const { client, base } = update;
    const local = update.local.slice();
    let total = 0;
    for (const group of wireGroups(input.specOf(client), rule)) {
      const wire = { client, group, direction: "up", rng: input.rng } as const;
      const sent = send(update.local, base, config, residuals, wire);
      scatterSlotsInto(local, group.slots, sent.received);
      total += sent.byteLength;
    }
    bytes.set(client, total);
    return { ...update, local };
  });
  return { seen, bytes, residuals };
}

interface Download {
  readonly params: ReadonlyMap<ClientId, ParamVector>;
  readonly bytes: ReadonlyMap<ClientId, number>;
  readonly residuals: Residuals;
  /** By kind of group: bytes and numbers that went out, all clients together. */
  readonly totals: Readonly<Record<WireGroup["kind"], { bytes: number; numbers: number }>>;
}

function sendDown(
  input: ExchangeInput,
  seen: readonly ClientUpdate[],
  output: RoundOutput<unknown>,
  config: TrafficConfig["download"],
  before: Residuals,
): Download {
  const residuals = new Map(before);
  const bytes = new Map<ClientId, number>();
  const params = new Map<ClientId, ParamVector>();
  const totals = { encoder: { bytes: 0, numbers: 0 }, decoders: { bytes: 0, numbers: 0 } };
  for (const { client, base, local } of seen) {
    const next = output.params.get(client) ?? local;
    const received = next.slice();
    let total = 0;
    for (const group of wireGroups(input.specOf(client), output.traffic.rule)) {
      const wire = { client, group, direction: "down", rng: input.rng } as const;
      const flag = config.reference === "auto" && !isLossless(config.codec) ? 1 : 0;
      const reference = chooseReference(config.reference, next, { sent: local, base }, group);
      const sent = send(next, reference, config, residuals, wire);
      scatterSlotsInto(received, group.slots, sent.received);
      total += sent.byteLength + flag;
      totals[group.kind].bytes += sent.byteLength + flag;
      totals[group.kind].numbers += sent.received.length;
    }
    bytes.set(client, total);
    params.set(client, received);
  }
  return { params, bytes, residuals, totals };
}

/** What both sides know and `next` is nearer to; the same for both: what the client sent. */
function chooseReference(
  choice: TrafficConfig["download"]["reference"],
  next: ParamVector,
  known: Readonly<Record<"sent" | "base", ParamVector>>,
  { slots }: WireGroup,
): ParamVector {
  if (choice !== "auto") return known[choice];
  const distance = (from: ParamVector): number => {
    let sum = 0;
    for (const { offset, size } of slots) {
      for (let i = offset; i < offset + size; i++) sum += ((next[i] as number) - (from[i] as number)) ** 2;
    }
    return sum;
  };
  return distance(known.base) < distance(known.sent) ? known.base : known.sent;
}

interface Wire {
  readonly client: ClientId;
  readonly group: WireGroup;
  readonly direction: "up" | "down";
  readonly rng: Rng;
}

/** Sends the group of `to`, knowing that the receiver has `from`; keeps what was lost in `residuals`. */
function send(
  to: ParamVector,
  from: ParamVector,
  { codec, errorFeedback }: DirectionConfig,
  residuals: Map<string, Float32Array>,
  { client, group, direction, rng }: Wire,
): { readonly received: Float32Array; readonly byteLength: number } {
  const key = `${client}/${group.name}`;
  const target = gatherSlots(to, group.slots);
  const known = gatherSlots(from, group.slots);
  const isExact = isLossless(codec);
  try {
    const { frame, received, residual } = sendUpdate(
      isExact ? target : target.map((x, i) => x - (known[i] as number)),
      {
        codec,
        errorFeedback,
        residual: residuals.get(key) ?? null,
        rng: rng.split(direction).split(client).split(group.name),
      },
    );
    if (residual !== null) residuals.set(key, residual);
    const whole = isExact ? received : received.map((x, i) => x + (known[i] as number));
    return { received: whole, byteLength: frame.length };
  } catch (error) {
    if (!(error instanceof KumiaiError) || error.code !== "NON_FINITE") throw error;
    throw new KumiaiError(
      "NON_FINITE",
      `client ${client}, ${group.name}, ${direction === "up" ? "sent" : "received"} ${error.message}`,
      { ...error.details, client },
      error,
    );
  }
}

function broadcastOf({ traffic }: RoundOutput<unknown>, { totals }: Download): number {
  const part = (kind: WireGroup["kind"]): number => {
    const { bytes, numbers } = totals[kind];
    return numbers === 0 ? 0 : (bytes * traffic.broadcast[kind]) / numbers;
  };
  return Math.round(part("encoder") + part("decoders"));
}
