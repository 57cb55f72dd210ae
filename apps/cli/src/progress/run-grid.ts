/**
 * Where each run of a comparison stands, as a table: a row for each strategy, a column for each seed. Pure: state in, lines out.
 *
 *   waiting        not begun
 *   3/25 ~4 min    in round 3 of 25, about 4 minutes left for this run
 *   +1.23          finished: Δ% against the baseline in the same seed; `done` where that cannot be said (yet)
 *   +1.23 kept     finished by an earlier call
 */
import { formatSeconds, formatSigned } from "../format.js";
import type { Colors } from "../io.js";
import { type CurrentRun, type ProgressState, type RunState, runKey } from "./model.js";

export interface GridOptions {
  readonly nowMs: number;
  readonly width: number;
  readonly colors: Colors;
  /** Strategies shown at most; 1 or more. */
  readonly rowLimit: number;
}

const GAP = "  ";

/** No lines for a single run, of which the rest of the display tells all. */
export function gridLines(state: ProgressState, options: GridOptions): readonly string[] {
  const { strategies, seeds } = state.plan;
  if (strategies.length * seeds.length < 2) return [];
  const { colors, width } = options;
  const shown = shownStrategies(state, options.rowLimit);
  const nameWidth = Math.max(...shown.map((name) => name.length), "Δ%".length);
  const columns = fittingSeeds(state, shown, { ...options, room: width - nameWidth });
  const rows = shown.map((strategy) => {
    const cells = columns.map(({ seed, size }) => paint(state, { strategy, seed }, size, options));
    const texts = columns.map(({ seed, size }) => cellText(state, { strategy, seed }, options.nowMs).padEnd(size));
    const plain = [strategy.padEnd(nameWidth), ...texts].join(GAP);
    return plain.length <= width ? [strategy.padEnd(nameWidth), ...cells].join(GAP) : plain.slice(0, width);
  });
  const head = ["Δ%".padEnd(nameWidth), ...columns.map(({ seed, size }) => `seed ${seed}`.padEnd(size))].join(GAP);
  const hidden = [
    ...(shown.length < strategies.length ? [`${strategies.length - shown.length} strategies`] : []),
    ...(columns.length < seeds.length ? [`${seeds.length - columns.length} seeds`] : []),
  ];
  return [
    colors.bold(head.slice(0, width)),
    ...rows,
    ...(hidden.length === 0 ? [] : [colors.dim(`and ${hidden.join(", ")}`.slice(0, width))]),
  ];
}

/** In the order asked for; where there is no room for all, those under way come first. */
function shownStrategies({ plan, runs }: ProgressState, rowLimit: number): readonly string[] {
  if (plan.strategies.length <= rowLimit) return plan.strategies;
  const isUnderWay = (name: string) => runs.some(({ strategy }) => strategy === name);
  const preferred = [...plan.strategies].sort((a, b) => Number(isUnderWay(b)) - Number(isUnderWay(a)));
  const chosen = new Set(preferred.slice(0, rowLimit));
  return plan.strategies.filter((name) => chosen.has(name));
}

/** The last seeds that fit, from the first one with work left on; at least one. */
function fittingSeeds(
  state: ProgressState,
  strategies: readonly string[],
  { room, nowMs }: GridOptions & { readonly room: number },
) {
  const columns = state.plan.seeds.map((seed) => {
    const texts = strategies.map((strategy) => cellText(state, { strategy, seed }, nowMs));
    return { seed, size: Math.max(...texts.map((text) => text.length), `seed ${seed}`.length) };
  });
  const needed = (from: number) => columns.slice(from).reduce((sum, { size }) => sum + size + GAP.length, 0);
  const isOver = (seed: number) => strategies.every((strategy) => isFinished(stateOf(state, { strategy, seed })));
  let first = 0;
  while (first < columns.length - 1 && needed(first) > room && isOver(columns[first]?.seed ?? 0)) first++;
  let used = 0;
  const fitting = columns.slice(first).filter(({ size }) => {
    used += size + GAP.length;
    return used <= room;
  });
  return fitting.length > 0 ? fitting : columns.slice(first, first + 1);
}

type Name = Pick<CurrentRun, "strategy" | "seed">;

function stateOf(state: ProgressState, name: Name): RunState {
  return state.states.get(runKey(name)) ?? "waiting";
}

function isFinished(state: RunState): boolean {
  return state === "finished" || state === "kept";
}

function cellText(state: ProgressState, name: Name, nowMs: number): string {
  const status = stateOf(state, name);
  switch (status) {
    case "waiting":
      return "waiting";
    case "running":
      return runningText(
        state.runs.find((run) => runKey(run) === runKey(name)),
        nowMs,
      );
    case "finished":
      return gainText(state, name) ?? "done";
    case "kept":
      return [gainText(state, name), "kept"].filter((text) => text !== null).join(" ");
  }
}

function gainText({ gains }: ProgressState, name: Name): string | null {
  const gain = gains.get(runKey(name));
  return gain === undefined ? null : formatSigned(gain);
}

function runningText(run: CurrentRun | undefined, nowMs: number): string {
  if (run === undefined || run.round === 0) return "starting";
  const share = run.losses.size === 0 ? 0 : run.reported.length / run.losses.size;
  const rounds = run.round - 1 + share;
  const round = `${run.round}/${run.roundCount}`;
  if (rounds === 0) return round;
  const leftMs = ((nowMs - run.startedAtMs) * (run.roundCount - rounds)) / rounds;
  return `${round} ~${formatSeconds(leftMs / 1000)}`;
}

function paint(state: ProgressState, name: Name, size: number, { colors, nowMs }: GridOptions): string {
  const text = cellText(state, name, nowMs).padEnd(size);
  switch (stateOf(state, name)) {
    case "waiting":
      return colors.dim(text);
    case "running":
      return colors.cyan(text);
    case "finished":
    case "kept":
      return text.startsWith("+") ? colors.green(text) : text.startsWith("−") ? colors.red(text) : text;
  }
}
