/** What the Markdown and the LaTeX table show, as numbers: read from a result, nothing computed that is not in it but means over seeds. */
import { mean, sampleStd } from "@kumiai/algorithms";
import { describeFailed, describeLeftOut, failedTasks, leftOutTasks } from "../left-out.js";
import { isNumber } from "../report/format.js";
import type { ComparisonResult, StrategyResult } from "../result.js";
import type { StrategyDifference } from "../statistics/against.js";

export interface StrategyRow {
  readonly name: string;
  readonly isBaseline: boolean;
  readonly strategy: StrategyResult;
  readonly local: StrategyDifference | null;
  readonly fedavg: StrategyDifference | null;
}

/** In the order of the result. */
export function strategyRows({ strategies, baseline }: ComparisonResult): readonly StrategyRow[] {
  return Object.entries(strategies).map(([name, strategy]) => ({
    name,
    isBaseline: name === baseline,
    strategy,
    local: strategy.against?.local ?? null,
    fedavg: strategy.against?.fedavg ?? null,
  }));
}

export interface TaskColumn {
  readonly client: string;
  readonly task: string;
  readonly metric: string;
  readonly unit: string;
  readonly higherIsBetter: boolean;
}

export function taskColumns({ scenario }: ComparisonResult): readonly TaskColumn[] {
  return scenario.clients.flatMap((client) =>
    client.tasks.map(({ id, metric, unit, higherIsBetter }) => ({
      client: client.id,
      task: id,
      metric,
      unit,
      higherIsBetter,
    })),
  );
}

export interface Cell {
  readonly mean: number;
  /** Null with fewer than two seeds. */
  readonly std: number | null;
}

/** The metric has no value on the test data. */
export const UNDEFINED = "undefined";

export interface ValueRow {
  readonly name: string;
  /** In the order of `taskColumns`; null where it was not run, `UNDEFINED` where it was and no seed has the value. */
  readonly cells: readonly (Cell | typeof UNDEFINED | null)[];
}

/** First the best constant prediction, then every strategy: final test metrics, mean and standard deviation over seeds. */
export function valueRows(result: ComparisonResult): readonly ValueRow[] {
  const columns = taskColumns(result);
  const runs = Object.entries(result.strategies);
  const valuesOf = (strategy: StrategyResult, { client, task }: TaskColumn, key: "value" | "constant") =>
    result.seeds.flatMap((seed): (number | null)[] => {
      const found = strategy.perSeed[String(seed)]?.clients[client]?.tasks[task];
      return found === undefined ? [] : [found[key]];
    });
  // The constant depends on the seed's labels alone; the strategy with the most seeds knows it for most of them.
  const [, fullest] = runs.toSorted(([, a], [, b]) => seedCount(b) - seedCount(a))[0] ?? [];
  return [
    {
      name: "constant",
      cells: columns.map((column) => cellOf(fullest === undefined ? [] : valuesOf(fullest, column, "constant"))),
    },
    ...runs.map(([name, strategy]) => ({
      name,
      cells: columns.map((column) => cellOf(valuesOf(strategy, column, "value"))),
    })),
  ];
}

function seedCount({ perSeed }: StrategyResult): number {
  return Object.keys(perSeed).length;
}

function cellOf(values: readonly (number | null)[]): Cell | typeof UNDEFINED | null {
  if (values.length === 0) return null;
  const finite = values.filter(isNumber);
  return finite.length === 0 ? UNDEFINED : { mean: mean(finite), std: sampleStd(finite) };
}

/** Strategies without which a gain is hard to read. */
const YARDSTICKS = ["local", "fedavg", "self-extrapolation", "pooled"];

export function missingYardsticks({ strategies }: ComparisonResult): readonly string[] {
  const kinds = new Set(Object.entries(strategies).map(([name, { kind }]) => kind ?? name));
  return YARDSTICKS.filter((kind) => !kinds.has(kind));
}

/** A sentence for each task that has no part in Δ%, with the reason, and for each that a strategy failed at. */
export function leftOutNotes(result: ComparisonResult): readonly string[] {
  return [
    ...leftOutTasks(result).map((task) => `Left out of Δ%: ${describeLeftOut(task, result.seeds.length)}.`),
    ...failedTasks(result).map((task) => `${describeFailed(task)}.`),
  ];
}
