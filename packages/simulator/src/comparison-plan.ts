/** Which runs a comparison has, in which order, and how long they are. */
import { KumiaiError } from "@kumiai/params";
import { hasJoined, isPresent, type Scenario } from "./config/scenario.js";
import type { DataSource } from "./data/source.js";
import type { NamedStrategy } from "./named-strategies.js";
import { stepsPerRound } from "./plan.js";

export interface PlannedRun {
  readonly named: NamedStrategy;
  readonly seed: number;
}

/** Each once. Throws INVALID_CONFIG. */
export function checkSeeds(seeds: readonly number[]): readonly number[] {
  const bad = seeds.find((seed) => !Number.isSafeInteger(seed) || seed < 0);
  if (seeds.length === 0 || bad !== undefined) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `seeds: expected whole numbers of 0 or more, received ${bad ?? "none"}; give e.g. 1,2,3`,
    );
  }
  return [...new Set(seeds)];
}

/** By seed, so that examples of a finished seed can be forgotten; pooled runs first, because each is one long chain of jobs. */
export function planRuns(strategies: readonly NamedStrategy[], seeds: readonly number[]): readonly PlannedRun[] {
  const longestFirst = [...strategies].sort((a, b) => rank(a) - rank(b));
  return seeds.flatMap((seed) => longestFirst.map((named) => ({ named, seed })));
}

function rank({ strategy }: NamedStrategy): number {
  return strategy.training === "pooled" ? 0 : 1;
}

/** Optimizer steps of one run, all clients and rounds. */
export function stepsOfRun({ training, clients }: Scenario, data: DataSource, seed: number): number {
  let steps = 0;
  for (const client of clients) {
    const inRound = stepsPerRound(training, data.countsOf(client, seed).train);
    for (let round = 1; round <= training.rounds; round++) {
      if (hasJoined(client, round) && isPresent(client, round)) steps += inRound;
    }
  }
  return steps;
}
