export { type ConflictAverse, solveConflictAverse } from "./conflict-averse.js";
export { type AttentionOptions, attendAll } from "./cross-attention.js";
export * from "./metrics/index.js";
export { describeOptions } from "./options.js";
export { createStrategy, STRATEGIES } from "./registry.js";
export type { StrategyDefinition } from "./strategies/definition.js";
export type { FedHca2Options } from "./strategies/fedhca2.js";
export type { ClientMemory, DecoderMemory, FedHca2State } from "./strategies/fedhca2-state.js";
export {
  type Assignment,
  type ClientSpec,
  type ClientUpdate,
  type CosineMatrix,
  type HyperWeightValues,
  PLAIN_ASSIGNMENT,
  type RoundDiagnostics,
  type RoundInput,
  type RoundOutput,
  type Strategy,
} from "./strategy.js";
