/**
 * The shape of `result.json`, schema version 1. Everything per client, task or strategy is keyed by name; round records
 * are in order. Every measured time stands under a key `seconds`: without those keys two runs of one config and seed
 * are equal byte for byte, whatever the number of workers. Percentages are numbers in percent; bytes are bytes.
 */
import type { CosineMatrix, HyperWeightValues, MembershipAdvantage, RoundDiagnostics } from "@kumiai/algorithms";

import type { PricesConfig, ThresholdsConfig } from "./config/decision-schema.js";
import type { SiteScenes } from "./config/scenario.js";
import type { TrafficConfig } from "./config/traffic-schema.js";
import type { StrategyDifference } from "./statistics/against.js";

export const RESULT_SCHEMA_VERSION = 1;

export interface ComparisonResult {
  readonly schemaVersion: typeof RESULT_SCHEMA_VERSION;
  readonly kumiaiVersion: string;
  /** False when the comparison was cancelled or failed: only finished runs are in it. */
  readonly complete: boolean;
  readonly scenario: ScenarioSummary;
  readonly seeds: readonly number[];
  /** The strategy that gains are relative to; `local` if it was run, else null and all gains are null. */
  readonly baseline: string | null;
  readonly strategies: Readonly<Record<string, StrategyResult>>;
  /** Wall time of the whole comparison. */
  readonly seconds: number;
}

export interface ScenarioSummary {
  readonly name: string;
  readonly description: string;
  /** SHA-256 of the parsed config, so that results of different configs are not mixed. */
  readonly configHash: string;
  readonly rounds: number;
  readonly clients: readonly ScenarioClient[];
  /** As in the scenario file; not part of `configHash`. */
  readonly prices?: PricesConfig;
  readonly thresholds?: ThresholdsConfig;
}

/** Of a site whose scenes differ from others', also how: `classSkew`, `domainShift`, `flipTasks`. */
export interface ScenarioClient extends SiteScenes {
  readonly id: string;
  readonly domain: string;
  readonly tasks: readonly ScenarioTask[];
  /** Examples with the first seed; of series, other seeds may have a few more or fewer. */
  readonly trainCount: number;
  readonly testCount: number;
  /** Labels of all tasks that it trains on, mean over seeds; absent in results of older versions. */
  readonly trainLabelCount?: number;
  /** Params in the model, and of them those that may be shared (encoder and decoders). */
  readonly paramCount: number;
  readonly sharedParamCount: number;
}

export interface ScenarioTask {
  readonly id: string;
  /** e.g. `mIoU`, `F1 (ODS)`, `mean angular error`, `RMSE`. */
  readonly metric: string;
  /** `%`, `°` or ``. */
  readonly unit: string;
  readonly higherIsBetter: boolean;
}

export interface StrategyResult {
  /** The strategy's kind in the registry, e.g. `fedavg`, where its name is another; absent: the name is the kind. */
  readonly kind?: string;
  /** One line: what it does, with the options in force. */
  readonly summary: string;
  /** Δ%: mean over seeds of the seeds' gains; null where the baseline was not run. */
  readonly relativeGainPercent: number | null;
  /** Sample standard deviation over seeds; null with fewer than two. */
  readonly relativeGainStdPercent: number | null;
  /** 95 % interval of the mean, Student t over paired seeds; null with fewer than two. */
  readonly relativeGainInterval95: readonly [number, number] | null;
  /** Δ% of this strategy over Δ% of `pooled`; null unless pooled was run and gained. */
  readonly pooledGainShare: number | null;
  /** How updates were encoded and how often exchanged; absent: in every round, params as f32. */
  readonly traffic?: TrafficConfig;
  /** Mean over seeds of all clients' bytes over all rounds. */
  readonly upBytes: number;
  readonly downBytes: number;
  /** As `downBytes`, if each vector that several clients need went out once. Absent before 0.2. */
  readonly broadcastBytes?: number;
  /** What whole models as f32, up and down in every round, would have cost. Absent before 0.2. */
  readonly fullModelBytes?: number;
  /** (upBytes + downBytes) / fullModelBytes; null where no run has finished. Absent before 0.2. */
  readonly trafficShare?: number | null;
  /** `client/task` pairs that in some seed did not beat the constant predictor. */
  readonly notAboveConstant: readonly string[];
  /** Paired differences to the references that were run; absent: none was, or gains cannot be said. */
  readonly against?: {
    readonly local?: StrategyDifference;
    readonly fedavg?: StrategyDifference;
  };
  readonly perSeed: Readonly<Record<string, SeedResult>>;
}

export interface SeedResult {
  readonly relativeGainPercent: number | null;
  /** Final round, test data. */
  readonly clients: Readonly<Record<string, ClientResult>>;
  readonly rounds: readonly RoundRecord[];
  /** By client; absent unless the scenario asks for it. */
  readonly privacy?: Readonly<Record<string, ClientPrivacy>>;
  readonly seconds: number;
}

/**
 * How well membership in a site's training data can be told, by the attacks of `privacy/membership.ts`. Null where there are fewer than
 * 8 candidates a side.
 */
export interface ClientPrivacy {
  /** What the site sent first, when nothing of other sites was in it; null: it sent nothing. */
  readonly firstUpdate: UpdateLeak | null;
  /** What it sent last. */
  readonly lastUpdate: UpdateLeak | null;
  /** `loss-threshold` on the model that the site has at the end; for `local`, what handing out the model would give away. */
  readonly model: MembershipAdvantage | null;
  /** `loss-threshold` on the params before training: not leakage, but the difference between members and held-out examples. */
  readonly untrained: MembershipAdvantage | null;
}

export interface UpdateLeak {
  readonly round: number;
  readonly lossDrop: MembershipAdvantage | null;
  readonly updateAlignment: MembershipAdvantage | null;
}

export interface ClientResult {
  readonly relativeGainPercent: number | null;
  readonly tasks: Readonly<Record<string, TaskResult>>;
}

/**
 * Why a task has no part in Δ% in a seed, see `left-out.ts`: the test data leave its metric without a value (`noTestLabels`, `oneClass`), or
 * there is nothing to be relative to (`aloneZero`, `aloneNotFinite`).
 */
export type LeftOutReason = "noTestLabels" | "oneClass" | "aloneZero" | "aloneNotFinite";

export interface TaskResult {
  /** Not a number (null in the file) where the metric is not defined on the test data. */
  readonly value: number;
  /** What the best constant prediction (fitted on this client's training labels) scores on the same test data. */
  readonly constant: number;
  /** Null where `constant` is not defined. */
  readonly aboveConstant: boolean | null;
  /** Signed so that better is positive: relative change against the baseline in the same seed. */
  readonly relativeGainPercent: number | null;
  /** In no gain of this seed, under any strategy, and why; absent: it counts. */
  readonly leftOut?: LeftOutReason;
}

export interface RoundRecord {
  /** 0 is the state before training. */
  readonly round: number;
  readonly clients: Readonly<Record<string, ClientRoundRecord>>;
  /** Bytes that the server would send if each vector that several clients need went out once. Absent before 0.2. */
  readonly broadcastBytes?: number;
  readonly encoderCosines: CosineMatrix | null;
  readonly hyperWeights: HyperWeightValues | null;
  readonly conflictWeights: Readonly<Record<string, number>> | null;
  /** Of strategies that give each client a mixture of its own; absent: of others, and in rounds without an exchange. */
  readonly encoderMixing?: EncoderMixing;
  /** Of strategies whose encoders became one by a robust rule, one entry a group; absent: of others, and without an exchange. */
  readonly robustness?: NonNullable<RoundDiagnostics["robustness"]>;
  readonly seconds: number;
}

export interface EncoderMixing {
  readonly clients: readonly string[];
  /** `values[i][j]` is the share of client j's encoder in what client i got. */
  readonly values: readonly (readonly number[])[];
}

export interface ClientRoundRecord {
  readonly absent: boolean;
  /** Mean training loss per task over the round's steps; empty in round 0 and when absent. */
  readonly trainLoss: Readonly<Record<string, number>>;
  /** Test metrics of the params after aggregation; null in rounds without evaluation. */
  readonly metrics: Readonly<Record<string, number>> | null;
  /** Euclidean norms of the local update; null when absent. */
  readonly updateNorm: { readonly encoder: number; readonly decoders: Readonly<Record<string, number>> } | null;
  readonly upBytes: number;
  readonly downBytes: number;
  readonly seconds: number;
}

/** One row of the report's pictures: the same test scene as input, truth and two predictions. Pixels are RGB, 8 bits. */
export interface PictureSet {
  readonly client: string;
  readonly task: string;
  readonly height: number;
  readonly width: number;
  readonly scenes: readonly {
    readonly input: Uint8Array;
    readonly truth: Uint8Array;
    /** By strategy name. */
    readonly predictions: Readonly<Record<string, Uint8Array>>;
  }[];
}
