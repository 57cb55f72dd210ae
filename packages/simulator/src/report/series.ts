/** Values over rounds, gathered from all seeds: the lines and bands of the report's charts. */
import type { ClientRoundRecord, RoundRecord } from "../result.js";
import type { LineSeries } from "./charts/line-chart.js";
import { isNumber } from "./format.js";
import { spreadOf } from "./statistics.js";
import { type ReportStrategy, type ReportView, seedResults } from "./view.js";

type PickValue = (record: RoundRecord) => number | null | undefined;

/** Mean over seeds per round with a band of one standard deviation; rounds without a value are skipped. */
export function roundSeries(
  view: ReportView,
  strategy: ReportStrategy,
  pick: PickValue,
  style: Omit<LineSeries, "points" | "band">,
): LineSeries {
  const byRound = new Map<number, number[]>();
  for (const seed of seedResults(view, strategy)) {
    for (const record of seed.rounds) {
      const value = pick(record);
      if (!isNumber(value)) continue;
      const values = byRound.get(record.round) ?? [];
      values.push(value);
      byRound.set(record.round, values);
    }
  }
  const rounds = [...byRound].sort(([a], [b]) => a - b);
  const points: [number, number][] = [];
  const band: [number, number, number][] = [];
  for (const [round, values] of rounds) {
    const spread = spreadOf(values);
    if (spread === null) continue;
    points.push([round, spread.mean]);
    if (spread.std !== null) band.push([round, spread.mean - spread.std, spread.mean + spread.std]);
  }
  return { ...style, points, band };
}

/** The record of `client` in a round; none before it joined. Ids are user input, so what objects inherit does not count. */
export function recordOf({ clients }: RoundRecord, client: string): ClientRoundRecord | undefined {
  return Object.hasOwn(clients, client) ? clients[client] : undefined;
}

/** With more strategies than this, bands over each other show nothing: only the baseline and the focus keep theirs. */
export const BANDS_FOR_ALL_UP_TO = 4;

/** One line per strategy, in the strategies' colors; those without a value are left out. */
export function strategySeries(
  view: ReportView,
  strategies: readonly ReportStrategy[],
  pick: PickValue,
): readonly LineSeries[] {
  return strategies
    .map((strategy) => {
      const strong = strategy.name === view.focus?.name;
      const { label: name, color, dash, kind } = strategy;
      const line = roundSeries(view, strategy, pick, { name, color, dash, strong });
      const isBanded = strong || kind === "baseline" || strategies.length <= BANDS_FOR_ALL_UP_TO;
      return isBanded ? line : { ...line, band: [] };
    })
    .filter(({ points }) => points.length > 0);
}

/** The last value of a line, for the text that describes the chart. */
export function lastValue({ points }: LineSeries): number | null {
  return points[points.length - 1]?.[1] ?? null;
}
