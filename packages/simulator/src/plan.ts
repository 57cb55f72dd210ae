/** Who trains on what, in which order and at which learning rate: all random choices of local training are made here. */
import type { Rng } from "@kumiai/params";
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

/** The order in which members of a pooled round take their turns: in proportion to their steps, shuffled. */
export function planTurns(stepCounts: readonly number[], rng: Rng): Int32Array {
  const turns = stepCounts.flatMap((count, member) => new Array<number>(count).fill(member));
  return Int32Array.from(rng.shuffled(turns));
}
