/**
 * What FedHCA² remembers between rounds: plain data and long vectors, which lie in memory (then `structuredClone`
 * copies all of it) or in a file. Nothing in it is ever changed in place.
 */
import type { ClientId, TaskId } from "@kumiai/params";
import type { HyperWeight } from "../hyper-weights.js";
import type { StateVector } from "../state-vector.js";

export interface FedHca2State {
  readonly version: 1;
  /** Everybody who ever sent an update, on the roster or not: who comes back finds their hyper-weights. */
  readonly clients: Readonly<Record<ClientId, ClientMemory>>;
  /** Ũ by round, kept as long as some client's last round is that one. Empty when nothing learns from it. */
  readonly directions: Readonly<Record<number, StateVector>>;
}

export interface ClientMemory {
  /** The round in which the client last took part: its base comes from there. */
  readonly lastRound: number;
  /** By layer key; where the encoder has one for all its layers, under `WHOLE`. */
  readonly alphas: Readonly<Record<string, HyperWeight>>;
  /** What α scaled in that round, where every client has a vector of its own; null where it was the round's Ũ, or nothing learns from it. */
  readonly direction: StateVector | null;
  readonly decoders: Readonly<Record<TaskId, DecoderMemory>>;
}

export interface DecoderMemory {
  /** By layer key. */
  readonly betas: Readonly<Record<string, HyperWeight>>;
  /** M_k of the client's last round, all tensors end to end; null when nothing learns from it. */
  readonly attended: StateVector | null;
}

/** In place of a layer's key. */
export const WHOLE = "";

export const EMPTY_STATE: FedHca2State = { version: 1, clients: {}, directions: {} };

/** What `record` holds under `key`; ids may be called `constructor` or `toString`, which every object inherits. */
export function findOwn<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The directions that some client's next hyper-weight step needs. */
export function neededDirections(
  directions: Readonly<Record<number, StateVector>>,
  clients: Readonly<Record<ClientId, ClientMemory>>,
): Readonly<Record<number, StateVector>> {
  const rounds = new Set(Object.values<ClientMemory>(clients).map(({ lastRound }) => String(lastRound)));
  return Object.fromEntries(Object.entries(directions).filter(([round]) => rounds.has(round)));
}
