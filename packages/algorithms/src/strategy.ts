/**
 * The contract of a strategy: a whole server algorithm as pure functions over immutable, serialisable state.
 *
 * A strategy never sees data and never trains. What it wants changed in local training it says as data
 * (`Assignment`), so that a site can read it, refuse it and log it. It never touches a long vector either: it says which
 * inner products it needs (`measure`), and from those numbers which weighted sums make the next params (`decide`). What
 * streams the vectors, in memory or from files, is one for all strategies: see `round/`.
 */
import type { BlockRule, Operand, SketchSpec } from "@kumiai/kernels";
import type { ClientId, ParamLayout, ParamRoleKind, ParamSlot, ParamVector, TaskId } from "@kumiai/params";
import type { Cohort } from "./cohort.js";
import type { GradientSurgery } from "./gradient-surgery.js";
import type { StateVector } from "./state-vector.js";

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

/** Groups that local training moves; buffers follow the data by themselves. */
export type TrainedGroup = Exclude<ParamRoleKind, "buffer">;

/** A part of a round's local training. */
export interface TrainingPhase {
  /** Part of the round's local steps, above 0; those of all phases sum to 1. */
  readonly stepShare: number;
  /** Groups that stay as they are in this phase, besides those of the assignment. */
  readonly frozen: readonly TrainedGroup[];
}

/** A copy of a client's model that never leaves it. It starts as the params first received and goes on from round to round. */
export interface PersonalCopy {
  /** λ of Ditto: adds λ/2·‖copy − received‖² over encoder and decoders to the copy's loss. */
  readonly proximalWeight: number;
}

/** What a client is asked to do differently from plain local training. */
export interface Assignment {
  /** μ of FedProx: adds μ/2·‖params − base‖² over encoder and decoders to the loss, base as last received. 0 switches it off. */
  readonly proximalWeight: number;
  /** Groups that stay as they are in this round. */
  readonly frozen: readonly TrainedGroup[];
  /** Local training in parts, one after the other, each with an optimizer of its own; absent: one part, all steps. */
  readonly phases?: readonly TrainingPhase[];
  /** Trained in the same way beside the params that are sent, and used by the client instead of them; absent: none. */
  readonly personal?: PersonalCopy;
  /** Of a client with several tasks: how their gradients are weighed in the params that they share; absent: summed. */
  readonly surgery?: GradientSurgery;
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
  /** ⟨Δ_i, Δ_j⟩ of the encoders, [N, N] row-major; 0 between encoders of different shapes. */
  readonly encoderGram: { readonly clients: readonly ClientId[]; readonly values: Float64Array };
  /** Whether Gram and cosines were computed from the updates or estimated from sketches of them. */
  readonly gramSource: GramSource;
  /** a_kj of the cross attention by tensor, [K, K] row-major: how much decoder k takes from decoder j. */
  readonly attention?: {
    readonly decoders: readonly string[];
    readonly tensors: Readonly<Record<string, Float64Array>>;
  };
  /** What each client's encoder was made of, [N, N] row-major: `values[i·N + j]` is the share of client j's in client i's. */
  readonly encoderMixing?: { readonly clients: readonly ClientId[]; readonly values: Float64Array };
  /** Of each group whose encoders became one by a rule that holds against sites that send anything; see `encoder-rule.ts`. */
  readonly robustness?: readonly {
    readonly rule: "median" | "trimmed-mean" | "krum";
    readonly clients: readonly ClientId[];
    /** So many of them may send anything. */
    readonly tolerated: number;
    /** Whose encoders krum chose. */
    readonly selected?: readonly ClientId[];
  }[];
  /** w* of the conflict-averse solve. */
  readonly conflictWeights?: Readonly<Record<ClientId, number>>;
  readonly hyperWeights?: HyperWeightValues;
  /** What the strategy makes each present client send. */
  readonly shared: TrafficRule;
  /** Bytes that the strategy has to move for each present client in this round, as f32. */
  readonly traffic: Readonly<Record<ClientId, { readonly upBytes: number; readonly downBytes: number }>>;
}

export type GramSource = "exact" | "sketch";

export interface CosineMatrix {
  readonly clients: readonly ClientId[];
  /** `values[i][j]`, symmetric. */
  readonly values: readonly (readonly number[])[];
}

/** The hyper-weights used in the round, before clamping. */
export interface HyperWeightValues {
  /** Where layers have one each, their mean. */
  readonly encoderAlpha: Readonly<Record<ClientId, number>>;
  /** By decoder (`client/task`), then by layer key. */
  readonly decoderBeta: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Inner products that a strategy's decision depends on. What is not asked for is not computed. */
export interface MeasureRequest {
  /**
   * Gram of the encoder deltas: `exact`, or estimated from sketches. `any`: nothing depends on it, diagnostics report it; exact for
   * a few clients, from sketches for many.
   */
  readonly encoderGram: "exact" | "any" | SketchSpec;
  /**
   * Gram of the encoder deltas layer by layer (`slot.layerKey`), one [N, N] for each; the encoder's Gram is then their sum, exact. For a
   * thousand clients, a layer takes 12 MB.
   */
  readonly encoderLayerGrams: "none" | "exact";
  /** ‖local_i − local_j‖² between the encoders themselves: how far apart clients are, wherever each came from. Reads them once more. */
  readonly encoderDistances: "none" | "exact";
  /** Gram of the deltas of all decoders, tensor by tensor; they must have one shape. */
  readonly decoderGrams: "none" | "exact" | SketchSpec;
  /** ⟨vector, Δ_i⟩ over the encoder, by client. */
  readonly encoderAlignments: ReadonlyMap<ClientId, StateVector>;
  /** ⟨vector, Δ_k⟩ tensor by tensor, by decoder key. */
  readonly decoderAlignments: ReadonlyMap<string, StateVector>;
}

export const NOTHING_MEASURED: MeasureRequest = {
  encoderGram: "any",
  encoderLayerGrams: "none",
  encoderDistances: "none",
  decoderGrams: "none",
  encoderAlignments: new Map(),
  decoderAlignments: new Map(),
};

/** What was asked for, and the norms. N clients and K decoders stand in the order of the cohort. */
export interface Measurements {
  /** [N, N], row-major, exactly symmetric. */
  readonly encoderGram: Float64Array;
  readonly gramSource: GramSource;
  /** ‖Δ_i‖, never from sketches. */
  readonly encoderNorms: ReadonlyMap<ClientId, number>;
  readonly decoderNorms: ReadonlyMap<string, number>;
  /** Keys of the encoder's layers in the order of the layout; none unless `encoderLayerGrams` was asked for. */
  readonly encoderLayers: readonly string[];
  /** [N, N] of a layer; 0 between encoders of different shapes. RangeError for a layer that was not measured. */
  encoderLayerGram(layer: string): Float64Array;
  /**
   * [N, N], row-major, 0 or more, exactly symmetric; infinite between encoders of different shapes. Made when asked for; RangeError if they
   * were not measured.
   */
  encoderDistances(): Float64Array;
  /** [K, K] for a tensor of a decoder, in layout order, made when it is asked for; RangeError if none were measured. */
  decoderGram(tensor: number): Float64Array;
  readonly encoderAlignments: ReadonlyMap<ClientId, number>;
  /** The same by layer; none unless `encoderLayerGrams` was asked for. */
  readonly encoderLayerAlignments: ReadonlyMap<ClientId, ReadonlyMap<string, number>>;
  /** One number per tensor. */
  readonly decoderAlignments: ReadonlyMap<string, readonly number[]>;
}

/** Where a weighted sum goes: into the params of the client of a row, or into a vector that the state keeps. */
export type Destination = { readonly row: number } | { readonly keep: StateVector; readonly from: number };

/** Some slots of a client; or, with `stored`, a stretch of a vector of the state as long as them, `before` and `after` alike. */
export interface MixRow {
  readonly client: ClientId;
  readonly slots: readonly ParamSlot[];
  readonly stored?: { readonly vector: StateVector; readonly from: number };
}

/**
 * Weighted sums (`factors`) or trimmed means (`trim`) over some slots of some clients; all rows have slots of the same shapes, taken end to end. See
 * `BlockRule` for what each computes, element by element.
 */
export interface GroupMix {
  readonly rows: readonly MixRow[];
  readonly blocks: readonly (BlockRule & {
    /** `before` is a row's base, `after` its local params, `delta` the difference, `result` an earlier result of this group. */
    readonly operands: readonly Operand[];
    /** Where each result goes; none where only later blocks need it. */
    readonly results: readonly (readonly Destination[])[];
  })[];
}

/** Gives a vector of the next state a place; its elements are those that mixes send there. `name` is unique in the state. */
export type Keep = (name: string, length: number) => StateVector;

export interface Decision<State> {
  readonly state: State;
  /** Slots that no mix writes stay as the client trained them. */
  readonly mixes: readonly GroupMix[];
  readonly traffic: TrafficRule;
  readonly diagnostics: Pick<
    RoundDiagnostics,
    "conflictWeights" | "encoderMixing" | "robustness" | "hyperWeights" | "attention"
  >;
}

/** Which groups a client sends and receives, each once. */
export interface TrafficRule {
  readonly encoder: boolean;
  readonly decoders: boolean;
}

/** What a round needs to cross the wire, as `TrafficRule`, and what of it is the same for several clients. */
export interface RoundTraffic {
  readonly rule: TrafficRule;
  /**
   * Numbers that the server sends if every vector that several clients need goes out once (a broadcast): one encoder of FedAvg
   * for all, the common direction of FedHCA² instead of an encoder for each. At most what single letters take.
   */
  readonly broadcast: { readonly encoder: number; readonly decoders: number };
}

export interface RoundOutput<State> {
  readonly state: State;
  readonly traffic: RoundTraffic;
  /** Next round's params, one fresh vector for each client that sent an update. A client's params go to it alone. */
  readonly params: ReadonlyMap<ClientId, ParamVector>;
  readonly diagnostics: RoundDiagnostics;
}

/** What the author of a strategy writes; `defineStrategy` makes a `Strategy` of it. */
export interface StrategyCore<State = unknown> {
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
  /** Throws LAYOUT_MISMATCH if groups that must match do not. */
  measure(state: State, cohort: Cohort): MeasureRequest;
  /** Never mutates its arguments. */
  decide(state: State, cohort: Cohort, measured: Measurements, keep: Keep): Decision<State>;
}

export interface Strategy<State = unknown> extends StrategyCore<State> {
  /** One round over vectors in memory. Never mutates its arguments. Throws LAYOUT_MISMATCH, NON_FINITE or UNKNOWN_CLIENT. */
  aggregate(state: State, input: RoundInput): RoundOutput<State>;
}
