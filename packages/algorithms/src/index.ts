export { type Cohort, type DecoderPart, decodersOf, type PresentClient } from "./cohort.js";
export { type ConflictAverse, solveConflictAverse } from "./conflict-averse.js";
export { type AttentionOptions, attentionOf } from "./cross-attention.js";
export { defineStrategy } from "./define-strategy.js";
export { type GradientSurgery, surgeryWeights } from "./gradient-surgery.js";
export * from "./metrics/index.js";
export { describeLimits, describeOptions, type OptionAbout } from "./options.js";
export {
  bestThreshold,
  LEAST_CANDIDATES,
  MEMBERSHIP_ATTACKS,
  type MembershipAdvantage,
  type MembershipAttack,
  type MembershipScores,
  membershipAdvantage,
  updateAlignment,
} from "./privacy/membership.js";
export { createStrategy, STRATEGIES } from "./registry.js";
export type { FileClient } from "./round/client-files.js";
export { aggregateFiles, type FileRound, type FileRoundResult } from "./round/in-files.js";
export { aggregateHere, aggregateShared, sharedVector } from "./round/in-memory.js";
export { isStoredVector, type StateVector, StoredVector } from "./state-vector.js";
export type { StrategyDefinition } from "./strategies/definition.js";
export type { FedHca2Options } from "./strategies/fedhca2-options.js";
export type { ClientMemory, DecoderMemory, FedHca2State } from "./strategies/fedhca2-state.js";
export {
  type Assignment,
  type ClientSpec,
  type ClientUpdate,
  type CosineMatrix,
  type Decision,
  type Destination,
  type GroupMix,
  type HyperWeightValues,
  type Keep,
  type Measurements,
  type MeasureRequest,
  NOTHING_MEASURED,
  type PersonalCopy,
  PLAIN_ASSIGNMENT,
  type RoundDiagnostics,
  type RoundInput,
  type RoundOutput,
  type RoundTraffic,
  type Strategy,
  type StrategyCore,
  type TrafficRule,
  type TrainedGroup,
  type TrainingPhase,
} from "./strategy.js";
export * from "./transforms/index.js";
