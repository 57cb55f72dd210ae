/**
 * Tasks that have no part in Δ%. A relative change needs a score of training alone that is a number and not 0; where there is none, the
 * task is left out of the site's mean in that seed, for every strategy alike, so that strategies are compared over the same tasks. The
 * rule looks at the test labels and at training alone only: no strategy can rid itself of a task by failing at it.
 */
import type { ComparisonResult, LeftOutReason } from "./result.js";

/** The reasons in words, to follow a colon. */
export const LEFT_OUT_WORDS: Readonly<Record<LeftOutReason, string>> = {
  noTestLabels: "no test example has a label",
  oneClass: "all test labels are of one class",
  aloneZero: "training alone scored 0, and nothing can be told relative to that",
  aloneNotFinite: "training alone has no finite score",
};

export interface LeftOutTask {
  readonly client: string;
  readonly task: string;
  readonly metric: string;
  readonly reason: LeftOutReason;
  readonly seeds: readonly number[];
}

/** A score that a strategy failed to reach where training alone has one: its Δ% cannot be said. */
export interface FailedTask {
  readonly strategy: string;
  readonly client: string;
  readonly task: string;
  readonly seeds: readonly number[];
}

/** Why a gain over a baseline that scored `alone` cannot be said; undefined: it can. */
export function unfitBaseline(alone: number): LeftOutReason | undefined {
  if (!Number.isFinite(alone)) return "aloneNotFinite";
  return alone === 0 ? "aloneZero" : undefined;
}

/** All of a result, in the order of its sites and tasks; a task with several reasons comes once for each. */
export function leftOutTasks({ scenario, seeds, strategies }: ComparisonResult): readonly LeftOutTask[] {
  return scenario.clients.flatMap((client) =>
    client.tasks.flatMap(({ id, metric }) => {
      const seedsOf = new Map<LeftOutReason, number[]>();
      for (const seed of seeds) {
        const found = Object.values(strategies).flatMap(
          ({ perSeed }) => perSeed[String(seed)]?.clients[client.id]?.tasks[id]?.leftOut ?? [],
        );
        for (const reason of new Set(found)) seedsOf.set(reason, [...(seedsOf.get(reason) ?? []), seed]);
      }
      return [...seedsOf].map(([reason, seeds]) => ({ client: client.id, task: id, metric, reason, seeds }));
    }),
  );
}

/** All of a result, strategy by strategy. */
export function failedTasks({ scenario, seeds, strategies, baseline }: ComparisonResult): readonly FailedTask[] {
  const alone = baseline === null ? undefined : strategies[baseline];
  return Object.entries(strategies).flatMap(([strategy, { perSeed }]) =>
    scenario.clients.flatMap((client) =>
      client.tasks.flatMap(({ id }) => {
        const failed = seeds.filter((seed) => {
          const found = perSeed[String(seed)]?.clients[client.id]?.tasks[id];
          const hasRival = alone?.perSeed[String(seed)]?.clients[client.id]?.tasks[id] !== undefined;
          const isRated = found !== undefined && found.leftOut === undefined && hasRival;
          return isRated && found.relativeGainPercent === null;
        });
        return failed.length === 0 ? [] : [{ strategy, client: client.id, task: id, seeds: failed }];
      }),
    ),
  );
}

/** `fedavg has no Δ%: plant-b/wear has no finite score with seed 2`. */
export function describeFailed({ strategy, client, task, seeds }: FailedTask): string {
  return `${strategy} has no Δ%: ${client}/${task} has no finite score with ${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}`;
}

/** `plant-b/state (AUROC): all test labels are of one class`, with the seeds where it is not so in all of `seedCount`. */
export function describeLeftOut({ client, task, metric, reason, seeds }: LeftOutTask, seedCount: number): string {
  const when = seeds.length === seedCount ? "" : `, ${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}`;
  return `${client}/${task} (${metric}${when}): ${LEFT_OUT_WORDS[reason]}`;
}
