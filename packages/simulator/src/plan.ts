/** Who trains on what, in which order and at which learning rate: all random choices of local training are made here. */
import type { Assignment, TrainedGroup } from "@kumiai/algorithms";
import { KumiaiError, type Rng } from "@kumiai/params";
import { learningRateAt } from "@kumiai/training";
import type { TrainingConfig } from "./config/scenario.js";
import type { StepPlan } from "./pool/jobs.js";

export interface PlanInput {
  readonly training: TrainingConfig;
  /** From 1. */
  readonly round: number;
  readonly exampleCount: number;
  /** Of this client and round. */
  readonly rng: Rng;
}

/** Steps in one round for a client with `exampleCount` examples. */
export function stepsPerRound(training: TrainingConfig, exampleCount: number): number {
  return Math.ceil(exampleCount / training.batchSize) * training.localEpochs;
}

/**
 * `localEpochs` passes in fresh random orders. No example is dropped: the last batch of a pass is filled up with the
 * first examples of the same pass.
 */
export function planSteps({ training, round, exampleCount, rng }: PlanInput): StepPlan {
  const stepCount = stepsPerRound(training, exampleCount);
  const rowsPerEpoch = (stepCount / training.localEpochs) * training.batchSize;
  const order = new Int32Array(stepCount * training.batchSize);
  const rows = Array.from({ length: exampleCount }, (_, row) => row);
  for (let epoch = 0; epoch < training.localEpochs; epoch++) {
    const shuffled = rng.split(`epoch-${epoch}`).shuffled(rows);
    for (let i = 0; i < rowsPerEpoch; i++) order[epoch * rowsPerEpoch + i] = shuffled[i % exampleCount] as number;
  }
  const learningRates = Float64Array.from({ length: stepCount }, (_, step) =>
    learningRateAt((round - 1) * stepCount + step, {
      peak: training.optimizer.learningRate,
      totalSteps: training.rounds * stepCount,
      warmupSteps: training.warmupRounds * stepCount,
      decay: training.schedule,
    }),
  );
  return { order, learningRates };
}

/** A part of a round's local training in whole steps. */
export interface PlannedPhase {
  readonly stepCount: number;
  readonly frozen: readonly TrainedGroup[];
}

/** Deviation of the sum of step shares from 1 that is rounding. */
const SHARE_TOLERANCE = 1e-9;

/**
 * The phases of an assignment over a round's steps: each ends at its share, rounded to a whole step, and has one step at
 * least. Throws INVALID_CONFIG if there are fewer steps than phases, or for shares that are not above 0 and 1 together.
 */
export function planPhases({ phases, frozen }: Assignment, stepCount: number): readonly PlannedPhase[] {
  if (phases === undefined) return [{ stepCount, frozen }];
  const shares = phases.map(({ stepShare }) => stepShare);
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (!(Math.abs(total - 1) <= SHARE_TOLERANCE) || shares.some((share) => !(share > 0))) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `phases of local training: expected step shares above 0 that sum to 1, received ${shares.join(", ")}`,
    );
  }
  if (stepCount < phases.length) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `expected a local step or more for each of the ${phases.length} phases of a round, received ${stepCount} in all; raise training.localEpochs`,
    );
  }
  let share = 0;
  let start = 0;
  return phases.map((phase, i) => {
    share += phase.stepShare;
    const last = stepCount - (phases.length - 1 - i);
    const end = Math.min(last, Math.max(start + 1, Math.round(share * stepCount)));
    const planned = { stepCount: end - start, frozen: [...new Set([...frozen, ...phase.frozen])] };
    start = end;
    return planned;
  });
}

/** The order in which members of a pooled round take their turns: in proportion to their steps, shuffled. */
export function planTurns(stepCounts: readonly number[], rng: Rng): Int32Array {
  const turns = stepCounts.flatMap((count, member) => new Array<number>(count).fill(member));
  return Int32Array.from(rng.shuffled(turns));
}
