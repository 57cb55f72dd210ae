/** A scenario after parsing: everything checked, defaults filled in, paths absolute. Docs: `docs/ref-scenario.md`. */

import type { SceneDomain } from "@kumiai/datasets";
import type { ClientId, TaskId } from "@kumiai/params";
import type { TrafficConfig } from "./traffic-schema.js";

export interface Scenario {
  readonly name: string;
  readonly description: string;
  readonly scenes: {
    /** Side of the square scenes in pixels, a multiple of 16. */
    readonly size: number;
  };
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
  readonly evaluation: EvaluationConfig;
  /** Absent: params cross the wire in every round as they are, and are counted as f32 without framing. */
  readonly traffic?: TrafficConfig;
  /** Strategies by the name they are asked for with: a kind of the registry and its options. */
  readonly strategies: Readonly<Record<string, StrategyConfig>>;
  readonly clients: readonly ClientConfig[];
}

export interface ModelConfig {
  readonly encoder: {
    /** Channels of the encoder's stages, from the finest to the coarsest. */
    readonly channels: readonly number[];
    /** Absolute path of a safetensors file with the encoder's first params; null: drawn from the seed. */
    readonly initFile: string | null;
  };
  readonly decoder: { readonly width: number };
}

export type OptimizerConfig =
  | { readonly name: "adamw"; readonly learningRate: number; readonly weightDecay: number }
  | { readonly name: "sgd"; readonly learningRate: number; readonly weightDecay: number; readonly momentum: number };

export interface TrainingConfig {
  readonly rounds: number;
  /** Passes over a client's own examples in one round. */
  readonly localEpochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerConfig;
  /** Rounds in which the learning rate rises linearly from near 0. */
  readonly warmupRounds: number;
  readonly schedule: "cosine" | "constant";
  /** Limit of the global gradient norm; null: no clipping. */
  readonly clipNorm: number | null;
  /** Whether the optimizer's moments outlive a round. */
  readonly optimizerState: "keep" | "reset";
  /** Class weight of the background in the loss of `semseg`; all other classes have 1. */
  readonly backgroundLossWeight: number;
  /** Factors of the tasks' losses in a site's sum; a task that is not named has 1. */
  readonly lossWeights: Readonly<Record<string, number>>;
}

export interface EvaluationConfig {
  /** Test metrics are taken in round 0, then every so many rounds, and after the last. */
  readonly everyRounds: number;
  /** Test scenes per client. */
  readonly testCount: number;
}

export interface StrategyConfig {
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** In place of the scenario's. */
  readonly traffic?: TrafficConfig;
}

export interface ClientConfig {
  readonly id: ClientId;
  readonly domain: SceneDomain;
  readonly tasks: readonly TaskId[];
  /** Labeled scenes that the client trains on. */
  readonly trainCount: number;
  /** First round that the client is on the roster; 1: from the start. */
  readonly joinsAtRound: number;
  /** Rounds in which it neither trains nor receives. */
  readonly absentRounds: readonly number[];
}

/** Whether `client` is on the roster in `round` (it may still be absent). */
export function hasJoined(client: ClientConfig, round: number): boolean {
  return round >= client.joinsAtRound;
}

/** Whether `client` trains in `round`. */
export function isPresent(client: ClientConfig, round: number): boolean {
  return hasJoined(client, round) && !client.absentRounds.includes(round);
}
