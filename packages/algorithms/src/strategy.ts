/**
 * The contract of a strategy: a whole server algorithm as pure functions over immutable, serialisable state.
 *
 * A strategy never sees data and never trains. What it wants changed in local training it says as data
 * (`Assignment`), so that a site can read it, refuse it and log it.
 */
import type { ClientId, ParamLayout, ParamRoleKind, ParamVector, TaskId } from "@kumiai/params";

/** What the server knows about a client. */
export interface ClientSpec {
  readonly id: ClientId;
  /** Name of the data's domain, e.g. `garments`. */
  readonly domain: string;
  readonly tasks: readonly TaskId[];
  readonly layout: ParamLayout;
}

/** One client's work in a round. `delta = local − base`, always after minus before. */
export interface ClientUpdate {
  readonly client: ClientId;
  /** Params that the client started the round from, as the server gave them. */
  readonly base: ParamVector;
  /** Params after local training. */
  readonly local: ParamVector;
  /** Examples the client owns (not: example passes). */
  readonly sampleCount: number;
}

/** What a client is asked to do differently from plain local training. */
export interface Assignment {
  /** μ of FedProx: adds μ/2·‖params − base‖² over encoder and decoders to the loss. 0 switches it off. */
  readonly proximalWeight: number;
  /** Groups that stay as they are in this round. */
  readonly frozen: readonly Exclude<ParamRoleKind, "buffer">[];
}

export const PLAIN_ASSIGNMENT: Assignment = { proximalWeight: 0, frozen: [] };

export interface RoundInput {
  /** From 1. */
  readonly round: number;
  /** Everybody on the roster this round, also those whose update did not come. Newcomers simply appear here. */
  readonly clients: readonly ClientSpec[];
  /** At most one per client of the roster, in any order. */
  readonly updates: readonly ClientUpdate[];
}

/** Numbers about the aggregation itself. Everything per client or decoder is keyed by id, never by position. */
export interface RoundDiagnostics {
  /** On the roster, without an update this round. They keep their params and their hyper-weights. */
  readonly absent: readonly ClientId[];
  /** Euclidean norm of each present client's delta, per group. */
  readonly updateNorms: Readonly<
    Record<ClientId, { readonly encoder: number; readonly decoders: Readonly<Record<TaskId, number>> }>
  >;
  /** Cosines between the encoder deltas of the present clients; a zero delta has cosine 0 with all, 1 with itself. */
  readonly encoderCosines: CosineMatrix;
  /** w* of the conflict-averse solve. */
  readonly conflictWeights?: Readonly<Record<ClientId, number>>;
  readonly hyperWeights?: HyperWeightValues;
  /** Bytes that the strategy has to move for each present client in this round, as f32. */
  readonly traffic: Readonly<Record<ClientId, { readonly upBytes: number; readonly downBytes: number }>>;
}

export interface CosineMatrix {
  readonly clients: readonly ClientId[];
  /** `values[i][j]`, symmetric. */
  readonly values: readonly (readonly number[])[];
}

/** The hyper-weights used in the round, before clamping. */
export interface HyperWeightValues {
  readonly encoderAlpha: Readonly<Record<ClientId, number>>;
  /** By decoder (`client/task`), then by layer key. */
  readonly decoderBeta: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface RoundOutput<State> {
  readonly state: State;
  /** Next round's params, one fresh vector for each client that sent an update. A client's params go to it alone. */
  readonly params: ReadonlyMap<ClientId, ParamVector>;
  readonly diagnostics: RoundDiagnostics;
}

export interface Strategy<State = unknown> {
  readonly name: string;
  /**
   * `sites`: every client trains alone on its own data, then the server aggregates.
   * `pooled`: a reference that no federation could run: one model is trained on everybody's data; encoders are one
   * and decoders are one per (domain, task). `aggregate` is then never given more than that model's copies.
   */
  readonly training: "sites" | "pooled";
  /** State before round 1. Throws LAYOUT_MISMATCH if groups that must match do not. */
  init(clients: readonly ClientSpec[]): State;
  assignment(state: State, client: ClientSpec): Assignment;
  /** Never mutates its arguments. Throws LAYOUT_MISMATCH, NON_FINITE or UNKNOWN_CLIENT. */
  aggregate(state: State, input: RoundInput): RoundOutput<State>;
}
