/** The numbers of a finished comparison as tables for a terminal. */
import type { ComparisonResult, StrategyResult, SweepResult } from "@kumiai/simulator";
import Table from "cli-table3";
import { formatBytes, formatNumber, formatSigned } from "./format.js";
import type { Colors } from "./io.js";

/** One row a strategy: gain, spread, interval, share of the pooled gain, traffic, tasks that say nothing. */
export function strategyTable(result: ComparisonResult, colors: Colors): string {
  const severalSeeds = result.seeds.length > 1;
  const pooled = Object.values(result.strategies).some(({ pooledGainShare }) => pooledGainShare !== null);
  const head = [
    "strategy",
    severalSeeds ? "Δ% ± std" : "Δ%",
    ...(severalSeeds ? ["95 % interval"] : []),
    ...(pooled ? ["of pooled"] : []),
    "up / round",
    "down / round",
    "not above constant",
  ];
  const taskCount = result.scenario.clients.reduce((sum, { tasks }) => sum + tasks.length, 0);
  const table = newTable(head, colors);
  for (const [name, strategy] of Object.entries(result.strategies)) {
    const baseline = name === result.baseline;
    table.push([
      name,
      { content: baseline ? "baseline" : gainOf(strategy, colors), hAlign: "right" },
      ...(severalSeeds ? [{ content: baseline ? "" : intervalOf(strategy), hAlign: "right" as const }] : []),
      ...(pooled ? [{ content: baseline ? "" : shareOf(strategy), hAlign: "right" as const }] : []),
      { content: formatBytes(strategy.upBytes / Math.max(1, result.scenario.rounds)), hAlign: "right" },
      { content: formatBytes(strategy.downBytes / Math.max(1, result.scenario.rounds)), hAlign: "right" },
      weakTasksOf(strategy, taskCount, colors),
    ]);
  }
  return table.toString();
}

/** One row a site: its mean gain over seeds under each strategy. Empty without a baseline. */
export function siteTable(result: ComparisonResult, colors: Colors): string {
  if (result.baseline === null) return "";
  const compared = Object.entries(result.strategies).filter(([name]) => name !== result.baseline);
  if (compared.length === 0) return "";
  const table = newTable(["Δ% by site", ...compared.map(([name]) => name)], colors);
  for (const { id, tasks } of result.scenario.clients) {
    const gains = compared.map(([, strategy]) => ({
      content: signed(siteGain(strategy, id), colors),
      hAlign: "right" as const,
    }));
    table.push([`${id} ${colors.dim(`(${tasks.map((task) => task.id).join(", ")})`)}`, ...gains]);
  }
  return table.toString();
}

/** One row a task of a single run: its value beside what a constant prediction scores. */
export function taskTable(result: ComparisonResult, strategy: string, seed: number, colors: Colors): string {
  const clients = result.strategies[strategy]?.perSeed[String(seed)]?.clients ?? {};
  const table = newTable(["site", "task", "metric", "value", "constant"], colors);
  for (const { id, tasks } of result.scenario.clients) {
    tasks.forEach((task, i) => {
      const measured = clients[id]?.tasks[task.id];
      if (measured === undefined) return;
      const inUnit = (number: number) =>
        Number.isFinite(number) ? `${formatNumber(number)} ${task.unit}`.trim() : "n/a";
      const value = inUnit(measured.value);
      table.push([
        i === 0 ? id : "",
        task.id,
        `${task.metric} ${task.higherIsBetter ? "↑" : "↓"}`,
        { content: measured.aboveConstant === false ? colors.yellow(`${value} !`) : value, hAlign: "right" },
        { content: inUnit(measured.constant), hAlign: "right" },
      ]);
    });
  }
  return table.toString();
}

/** One row a strategy, one column a degree: mean gain ± standard deviation over seeds. */
export function sweepTable({ axis, baseline, degrees, strategies }: SweepResult, colors: Colors): string {
  const table = newTable([`Δ% by ${axis.label}`, ...degrees.map(({ label }) => label)], colors);
  for (const name of strategies.filter((strategy) => strategy !== baseline)) {
    const cells = degrees.map(({ strategies: gains }) => {
      const found = gains[name];
      const content = found === undefined ? "–" : gainOf(found, colors);
      return { content, hAlign: "right" as const };
    });
    table.push([name, ...cells]);
  }
  return table.toString();
}

function newTable(head: string[], colors: Colors): InstanceType<typeof Table> {
  return new Table({
    head: head.map((title) => colors.bold(title)),
    style: { head: [], border: [], compact: true },
  });
}

function gainOf(
  measured: Pick<StrategyResult, "relativeGainPercent" | "relativeGainStdPercent">,
  colors: Colors,
): string {
  const { relativeGainPercent: gain, relativeGainStdPercent: std } = measured;
  return std === null ? signed(gain, colors) : `${signed(gain, colors)} ± ${std.toFixed(2)}`;
}

function signed(gain: number | null, colors: Colors): string {
  const text = formatSigned(gain);
  if (text.startsWith("+")) return colors.green(text);
  return text.startsWith("−") ? colors.red(text) : text;
}

function intervalOf({ relativeGainInterval95: interval }: StrategyResult): string {
  return interval === null ? "–" : `${formatSigned(interval[0])} … ${formatSigned(interval[1])}`;
}

function shareOf({ pooledGainShare: share }: StrategyResult): string {
  return share === null ? "–" : `${(share * 100).toFixed(0)} %`;
}

function weakTasksOf({ notAboveConstant: weak }: StrategyResult, taskCount: number, colors: Colors): string {
  return weak.length === 0 ? "none" : colors.yellow(`${weak.length} of ${taskCount} tasks`);
}

/** Which tasks those are, a line a strategy; empty if there are none. Such a task says nothing about a strategy. */
export function weakTaskLines(result: ComparisonResult, colors: Colors): string {
  const weak = Object.entries(result.strategies).filter(([, strategy]) => strategy.notAboveConstant.length > 0);
  return weak
    .map(
      ([name, strategy]) =>
        `${colors.yellow("!")} ${name} does not beat a constant: ${strategy.notAboveConstant.join(", ")}`,
    )
    .join("\n");
}

/** Over the seeds in which the site has a task that counts; null if one of them is missing. */
function siteGain(strategy: StrategyResult, client: string): number | null {
  const counting = Object.values(strategy.perSeed).filter(({ clients }) =>
    Object.values(clients[client]?.tasks ?? {}).some(({ leftOut }) => leftOut === undefined),
  );
  const gains = counting.map((seed) => seed.clients[client]?.relativeGainPercent ?? null);
  const known = gains.filter((gain) => gain !== null);
  return known.length === 0 || known.length < gains.length ? null : known.reduce((a, b) => a + b, 0) / known.length;
}
