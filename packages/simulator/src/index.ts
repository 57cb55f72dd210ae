export {
  BASELINE_STRATEGY,
  type CompareOptions,
  type ComparisonOutcome,
  compareStrategies,
} from "./compare.js";
export type { PricesConfig, ThresholdsConfig } from "./config/decision-schema.js";
export { loadScenario, parseScenario } from "./config/parse.js";
export type {
  ClientConfig,
  OptimizerConfig,
  PrivacyConfig,
  Scenario,
  StrategyConfig,
  TrainingConfig,
} from "./config/scenario.js";
export { type DirectionConfig, describeTraffic, type TrafficConfig } from "./config/traffic-schema.js";
export { checkData } from "./data/source.js";
export type { ComparisonEvent, Progress, RunEvent } from "./events.js";
export {
  type KeptRun,
  type KeptRuns,
  type KeptRunsOptions,
  openKeptRuns,
  type RunIdentity,
  removePartialFiles,
} from "./kept-runs/kept-runs.js";
export { describeFailed, describeLeftOut, failedTasks, leftOutTasks } from "./left-out.js";
export { type NamedStrategy, resolveStrategies } from "./named-strategies.js";
export { loadResult, parseResult } from "./parse-result.js";
export { createWorkerPool, type JobContext, type PoolOptions, type WorkerPool } from "./pool/pool.js";
export {
  type PretrainEpoch,
  type PretrainedEncoder,
  type PretrainOptions,
  pretrainEncoder,
  writePretrainedEncoder,
} from "./pretrain.js";
export {
  type Decision,
  type DecisionOptions,
  renderDecision,
} from "./report/decision/index.js";
export type { Language } from "./report/decision/words.js";
export { type ReportInput, renderReport } from "./report/render-report.js";
export {
  type ClientPrivacy,
  type ClientResult,
  type ClientRoundRecord,
  type ComparisonResult,
  type PictureSet,
  RESULT_SCHEMA_VERSION,
  type RoundRecord,
  type ScenarioClient,
  type ScenarioSummary,
  type ScenarioTask,
  type SeedResult,
  type StrategyResult,
  type TaskResult,
  type UpdateLeak,
} from "./result.js";
export { type RunOptions, type RunOutcome, runStrategy } from "./run.js";
export { type PrepareSeedOptions, prepareSeed, type SeedContext } from "./seed-context.js";
export { serializeResult, withoutTimes } from "./serialize.js";
export type { ClientDifference, PairedDifference, StrategyDifference } from "./statistics/against.js";
export { findSameDegrees, loadSweep, parseSweep } from "./sweep/load-sweep.js";
export {
  type DegreeGain,
  type DegreeResult,
  SWEEP_SCHEMA_VERSION,
  type SweepResult,
  serializeSweep,
  summarizeSweep,
} from "./sweep/summarize.js";
export type { AxisScale, Sweep, SweepAxis, SweepDegree } from "./sweep/sweep.js";
export { renderSweepPage, renderSweepSvg } from "./sweep/sweep-page.js";
export { renderSweepCsv, renderSweepMarkdown } from "./sweep/sweep-tables.js";
export { renderCsv } from "./tables/csv.js";
export { renderLatex } from "./tables/latex.js";
export { renderMarkdown } from "./tables/markdown.js";
export { KUMIAI_VERSION } from "./version.js";
