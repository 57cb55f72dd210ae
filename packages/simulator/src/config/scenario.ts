/** A scenario after parsing: everything checked, defaults filled in, paths absolute. Docs: `docs/ref-scenario.md`. */

import type { SeriesMetric } from "@kumiai/datasets";
import type { ClientId, TaskId } from "@kumiai/params";
import type { PricesConfig, ThresholdsConfig } from "./decision-schema.js";
import type { Places } from "./located.js";
import type { TrafficConfig } from "./traffic-schema.js";

/** Knows where its values stand in the file, for what only the data show to be wrong; that is no part of what it means, and JSON leaves it out. */
export interface Scenario extends Places {
  readonly name: string;
  readonly description: string;
  readonly data: DataConfig;
  readonly scenes: {
    /** Side of the square scenes in pixels, a multiple of 16. */
    readonly size: number;
  };
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
  readonly evaluation: EvaluationConfig;
  /** Absent: params cross the wire in every round as they are, and are counted as f32 without framing. */
  readonly traffic?: TrafficConfig;
  /** For the report; no run depends on them, and neither does the config's hash. */
  readonly prices?: PricesConfig;
  readonly thresholds?: ThresholdsConfig;
  /** Strategies by the name they are asked for with: a kind of the registry and its options. */
  readonly strategies: Readonly<Record<string, StrategyConfig>>;
  readonly clients: readonly ClientConfig[];
  /** What is measured about privacy after each run; absent: nothing. It changes no other number. */
  readonly privacy?: PrivacyConfig;
}

export interface PrivacyConfig {
  /** Candidates a side, at most: training examples of a site, and held-out ones. */
  readonly examples: number;
}

/** What sites' examples are. Paths are absolute. */
export type DataConfig = { readonly kind: "scenes" } | SeriesConfig;

export type SeriesConfig = HydraulicConfig | CmapssConfig | CsvConfig;

interface SeriesCommon {
  readonly split: {
    /** Windows in a stretch of time that is all training or all test. */
    readonly blockLength: number;
    readonly testShare: number;
    /** Windows dropped on either side of a border between training and test. */
    readonly gap: number;
  };
}

export interface HydraulicConfig extends SeriesCommon {
  readonly kind: "hydraulic";
  /** Null: `hydraulic` in the data folder of the command. */
  readonly folder: string | null;
}

export interface WindowConfig {
  /** Rows of a window, and from one window's start to the next. */
  readonly length: number;
  readonly stride: number;
}

export interface CmapssConfig extends SeriesCommon {
  readonly kind: "cmapss";
  /** Null: `cmapss` in the data folder of the command. */
  readonly folder: string | null;
  readonly window: WindowConfig;
}

export interface CsvTargetConfig {
  readonly column: string;
  readonly kind: "classes" | "binary" | "number";
  /** Values in the order of the classes; null: as they occur, sorted. */
  readonly classes: readonly string[] | null;
  /** `binary`: the field that means yes; null: 1, true, yes, y. */
  readonly positive: string | null;
  /** Null: macro-F1 for classes, AUROC for binary, RMSE for numbers. */
  readonly metric: SeriesMetric | null;
}

export interface CsvConfig extends SeriesCommon {
  readonly kind: "csv";
  readonly file: string | null;
  readonly delimiter: string;
  readonly decimal: "." | ",";
  /** Whether the first record names the columns. */
  readonly header: boolean;
  readonly encoding: string;
  /** Fields that stand for "not measured"; null: the usual ones. */
  readonly missing: readonly string[] | null;
  readonly unit: string | null;
  readonly time: string | null;
  /** Longer steps are breaks; null: there are none. */
  readonly maxTimeStep: number | null;
  /** Null: every column that is nothing else. */
  readonly sensors: readonly string[] | null;
  readonly ignore: readonly string[];
  readonly targets: Readonly<Record<string, CsvTargetConfig>>;
  readonly window: WindowConfig;
}

export interface ModelConfig {
  /** A site's own input layers; models of series only. */
  readonly stem: { readonly width: number };
  readonly encoder: {
    /** Channels of the encoder's stages, from the finest to the coarsest. */
    readonly channels: readonly number[];
    /** Steps that a kernel of an encoder of series covers. */
    readonly kernel: number;
    /** Whether scale and shift of its norms are shared with the rest, or stay the site's own. */
    readonly norms: "shared" | "own";
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
  /** Sites of one domain have like data, e.g. `garments`. */
  readonly domain: string;
  readonly tasks: readonly TaskId[];
  /** Labeled examples that the client trains on, at most; Infinity: all there are. */
  readonly trainCount: number;
  /** What a site of series data has of them; null for scenes. */
  readonly series: SiteSeries | null;
  /** How its scenes differ from other sites'; absent: not at all. */
  readonly scenes?: SiteScenes;
  /** First round that the client is on the roster; 1: from the start. */
  readonly joinsAtRound: number;
  /** Rounds in which it neither trains nor receives. */
  readonly absentRounds: readonly number[];
}

/** Each key is absent where it is neutral. */
export interface SiteScenes {
  /** Concentration of the Dirichlet distribution that its shares of the item classes are drawn from. */
  readonly classSkew?: number;
  /** Above 0, at most 1: how far its camera is from a neutral one. */
  readonly domainShift?: number;
  /** Of its tasks, those whose labels contradict other sites', in the order of `tasks`. */
  readonly flipTasks?: readonly TaskId[];
}

export interface SiteSeries {
  /** Channels that it measures; null: all. */
  readonly sensors: readonly string[] | null;
  /** Values of targets that its operation is limited to. */
  readonly where: Readonly<Record<string, readonly string[]>>;
  /** Part of the time that is its own, as shares from the start. */
  readonly period: readonly [number, number];
  /** Machines that are its own, of data of kind `csv`; all, unless it names some. */
  readonly units?: readonly string[];
  /** [take, of]: of every `of` blocks of the split it trains on the one with index `take`; null: on all. */
  readonly blocks: readonly [number, number] | null;
  /** Subset of C-MAPSS, e.g. `FD001`. */
  readonly subset: string | null;
  /** A file of its own, in place of the scenario's. */
  readonly file: string | null;
}

/** Whether `client` is on the roster in `round` (it may still be absent). */
export function hasJoined(client: ClientConfig, round: number): boolean {
  return round >= client.joinsAtRound;
}

/** Whether `client` trains in `round`. */
export function isPresent(client: ClientConfig, round: number): boolean {
  return hasJoined(client, round) && !client.absentRounds.includes(round);
}
