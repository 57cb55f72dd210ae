/** What a comparison lacks: runs that were planned and have not finished, and what keeps it from having a Δ. */
import { type FailedTask, failedTasks } from "../../left-out.js";
import type { ComparisonResult } from "../../result.js";
import type { ReportStrategy, ReportView } from "../view.js";

export interface RunFacts {
  readonly plannedCount: number;
  readonly finishedCount: number;
  /** By strategy, in the order of the result; only those that lack a run. */
  readonly missing: readonly { readonly strategy: string; readonly seeds: readonly number[] }[];
  /** False where a run is missing, or the comparison says itself that it has not ended. */
  readonly areComplete: boolean;
}

/** A comparison is planned as every strategy with every seed. */
export function runFacts({ complete, strategies, seeds }: ComparisonResult): RunFacts {
  const missing = Object.entries(strategies).flatMap(([strategy, { perSeed }]) => {
    const waiting = seeds.filter((seed) => perSeed[String(seed)] === undefined);
    return waiting.length === 0 ? [] : [{ strategy, seeds: waiting }];
  });
  const plannedCount = Object.keys(strategies).length * seeds.length;
  const finishedCount = missing.reduce((count, one) => count - one.seeds.length, plannedCount);
  return { plannedCount, finishedCount, missing, areComplete: complete && missing.length === 0 };
}

/**
 * Why a strategy has no Δ. `notRun`: nobody asked for `local`, which Δ compares with; `strategies`: those to run so that it is there.
 * `notFinished`: no seed has been finished by both. `failed`: the strategy has no finite score where training alone has one, and its other
 * seeds would flatter it. `leftOut`: no task has a part in Δ.
 */
export type NoGain =
  | { readonly kind: "notRun"; readonly strategies: readonly string[] }
  | { readonly kind: "notFinished" }
  | { readonly kind: "failed"; readonly tasks: readonly FailedTask[] }
  | { readonly kind: "leftOut" };

/** Null where there is a Δ. `hasGain`: some seed has one. */
export function findNoGain({ result }: ReportView, strategy: ReportStrategy, hasGain: boolean): NoGain | null {
  const { strategies, seeds } = result;
  const failed = failedTasks(result).filter((task) => task.strategy === strategy.name);
  if (failed.length > 0) return { kind: "failed", tasks: failed };
  if (hasGain) return null;
  if (!Object.hasOwn(strategies, "local")) return { kind: "notRun", strategies: ["local", ...Object.keys(strategies)] };
  const isPaired = (seed: number): boolean =>
    [strategy.result, strategies.local].every((one) => one?.perSeed[String(seed)] !== undefined);
  return { kind: seeds.some(isPaired) ? "leftOut" : "notFinished" };
}
