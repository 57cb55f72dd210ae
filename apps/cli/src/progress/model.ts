/** What is known about a comparison while it runs: a reducer over its events, without clock or terminal. */
import type { ComparisonEvent, ComparisonResult, Progress } from "@kumiai/simulator";

export interface ProgressState {
  /** What is being got ready, for people; null when nothing is. */
  readonly preparing: string | null;
  readonly work: Progress;
  /** Runs under way, in the order in which they started; several go on at once. */
  readonly runs: readonly CurrentRun[];
  /** Runs started so far. */
  readonly startedRuns: number;
  /** When the first run started; null before. */
  readonly startedAtMs: number | null;
  /** What the comparison is made of, in the order asked for. */
  readonly plan: { readonly strategies: readonly string[]; readonly seeds: readonly number[] };
  /** By `runKey`; who is not in it waits. */
  readonly states: ReadonlyMap<string, RunState>;
  /** Δ% of finished runs by `runKey`, where it can be said. */
  readonly gains: ReadonlyMap<string, number>;
}

export type RunState = "waiting" | "running" | "finished" | "kept";

export interface CurrentRun {
  readonly strategy: string;
  readonly seed: number;
  /** Its place in the order of starting, from 1. */
  readonly ordinal: number;
  /** The round under way, from 1; 0 before the first. */
  readonly round: number;
  readonly roundCount: number;
  /** By client: the loss reported last, a sum over tasks; null before the first. */
  readonly losses: ReadonlyMap<string, number | null>;
  /** Clients that have reported in the round under way. */
  readonly reported: readonly string[];
  readonly absent: readonly string[];
  readonly startedAtMs: number;
}

export const NO_PROGRESS: ProgressState = {
  preparing: "getting ready",
  work: { finishedSteps: 0, totalSteps: 0, finishedRuns: 0, totalRuns: 0 },
  runs: [],
  startedRuns: 0,
  startedAtMs: null,
  plan: { strategies: [], seeds: [] },
  states: new Map(),
  gains: new Map(),
};

type RunName = Pick<CurrentRun, "strategy" | "seed">;

/** The state after `event`, which came at `atMs` on the caller's clock. A finished run leaves the state. */
export function advance(before: ProgressState, event: ComparisonEvent, atMs: number): ProgressState {
  const state = { ...before, work: event.progress };
  switch (event.type) {
    case "comparisonStarted":
      return { ...state, preparing: "starting", plan: { strategies: event.strategies, seeds: event.seeds } };
    case "seedPrepared":
      return { ...state, preparing: state.runs.length === 0 ? "starting" : null };
    case "seedPreparing":
      return { ...state, preparing: `preparing data of seed ${event.seed}` };
    case "runStarted":
      return withRun(state, event, event.roundCount, atMs);
    case "roundStarted":
      return change(state, event, (run) => ({
        ...run,
        round: event.round,
        losses: new Map(event.present.map((client) => [client, run.losses.get(client) ?? null])),
        reported: [],
        absent: event.absent,
      }));
    case "clientTrained":
      return change(state, event, (run) => ({
        ...run,
        losses: new Map([...run.losses, [event.client, event.loss]]),
        reported: [...run.reported, event.client],
      }));
    case "runFinished":
      return withState({ ...state, runs: state.runs.filter((run) => !isSame(run, event)) }, event, "finished");
    case "runKept":
      return withState(state, event, "kept");
    case "roundFinished":
    case "evaluated":
    case "comparisonFinished":
      return state;
  }
}

function withRun(state: ProgressState, { strategy, seed }: RunName, roundCount: number, atMs: number): ProgressState {
  const ordinal = state.startedRuns + 1;
  const run: CurrentRun = {
    strategy,
    seed,
    ordinal,
    round: 0,
    roundCount,
    losses: new Map(),
    reported: [],
    absent: [],
    startedAtMs: atMs,
  };
  return {
    ...withState(state, run, "running"),
    preparing: null,
    runs: [...state.runs, run],
    startedRuns: ordinal,
    startedAtMs: state.startedAtMs ?? atMs,
  };
}

function withState(state: ProgressState, name: RunName, next: RunState): ProgressState {
  return { ...state, states: new Map([...state.states, [runKey(name), next]]) };
}

/** The state that knows the gains of `result` too. */
export function withGains(state: ProgressState, { strategies, baseline }: ComparisonResult): ProgressState {
  const gains = Object.entries(strategies).flatMap(([strategy, { perSeed }]) =>
    Object.entries(perSeed).flatMap(([seed, { relativeGainPercent: gain }]) =>
      gain === null || strategy === baseline ? [] : [[runKey({ strategy, seed: Number(seed) }), gain] as const],
    ),
  );
  return { ...state, gains: new Map(gains) };
}

/** Names a run; names of strategies have no blanks. */
export function runKey({ strategy, seed }: RunName): string {
  return `${strategy} ${seed}`;
}

function change(state: ProgressState, name: RunName, next: (run: CurrentRun) => CurrentRun): ProgressState {
  return { ...state, runs: state.runs.map((run) => (isSame(run, name) ? next(run) : run)) };
}

function isSame(a: RunName, b: RunName): boolean {
  return a.strategy === b.strategy && a.seed === b.seed;
}

export function findRun(state: ProgressState, name: RunName): CurrentRun | undefined {
  return state.runs.find((run) => isSame(run, name));
}

/** Share of all optimizer steps that has been taken, in [0, 1]. */
export function doneFraction({ work }: ProgressState): number {
  return work.totalSteps === 0 ? 0 : Math.min(1, work.finishedSteps / work.totalSteps);
}

/** Expected milliseconds to the end at the mean pace so far; null while there is too little to go by. */
export function remainingMs({ work, startedAtMs }: ProgressState, nowMs: number): number | null {
  if (work.finishedSteps === 0 || startedAtMs === null) return null;
  return ((nowMs - startedAtMs) * Math.max(0, work.totalSteps - work.finishedSteps)) / work.finishedSteps;
}
