/** Progress in a pipe or a log: a plain line for the start, each round and each run's end. */
import type { ComparisonEvent } from "@kumiai/simulator";
import { formatNumber, formatSeconds } from "../format.js";
import { findRun, type ProgressState, remainingMs } from "./model.js";

/** The line that `event` deserves; null for most events. `before` is the state that the event found. */
export function lineFor(before: ProgressState, event: ComparisonEvent, nowMs: number): string | null {
  switch (event.type) {
    case "comparisonStarted":
      return startLine(event);
    case "seedPreparing":
      return `seed ${event.seed}: preparing data`;
    case "roundFinished":
      return [
        `${labelOf(before, event)}: round ${event.round} of ${event.roundCount}`,
        `mean loss ${formatNumber(event.loss)}`,
        `${event.seconds.toFixed(1)} s`,
        ...leftOf({ ...before, work: event.progress }, nowMs),
      ].join(", ");
    case "runFinished":
      return `${labelOf(before, event)}: done in ${formatSeconds(event.seconds)}`;
    case "runKept":
      return `${event.strategy}, seed ${event.seed}: kept from before`;
    case "comparisonFinished":
    case "seedPrepared":
    case "runStarted":
    case "roundStarted":
    case "clientTrained":
    case "evaluated":
      return null;
  }
}

/** `about 58 s left`, once there is something to go by. */
export function leftOf(state: ProgressState, nowMs: number): readonly string[] {
  const left = remainingMs(state, nowMs);
  return left === null || left === 0 ? [] : [`about ${formatSeconds(left / 1000)} left`];
}

function startLine(event: Extract<ComparisonEvent, { type: "comparisonStarted" }>): string {
  const { strategies, seeds, clients, threadCount } = event;
  return [
    count(clients.length, "site"),
    strategies.length === 1 ? `strategy ${strategies[0]}` : `strategies ${strategies.join(", ")}`,
    `${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}`,
    count(threadCount, "worker thread"),
  ].join("; ");
}

/** `[2/6] fedavg, seed 1`: its place in the order of starting, of all. */
function labelOf(state: ProgressState, run: { readonly strategy: string; readonly seed: number }): string {
  const ordinal = findRun(state, run)?.ordinal ?? "?";
  return `[${ordinal}/${state.work.totalRuns}] ${run.strategy}, seed ${run.seed}`;
}

function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? "" : "s"}`;
}
