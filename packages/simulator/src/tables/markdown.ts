/** `results.md`: the comparison as Markdown tables, to be put into a text as they are. */
import { formatBytes, formatGain, formatInterval, formatNumber, formatSigned, MISSING } from "../report/format.js";
import type { ComparisonResult } from "../result.js";
import type { StrategyDifference } from "../statistics/against.js";
import {
  type Cell,
  leftOutNotes,
  missingYardsticks,
  type StrategyRow,
  strategyRows,
  taskColumns,
  UNDEFINED,
  valueRows,
} from "./summary.js";

const NONE = "–";

export function renderMarkdown(result: ComparisonResult): string {
  const { scenario, seeds, complete } = result;
  const missing = missingYardsticks(result);
  const parts = [
    `# ${scenario.name}: ${Object.keys(result.strategies).length} strategies, seeds ${seeds.join(", ")}`,
    ...(complete
      ? []
      : ["**Not finished**: only the runs that finished are shown; strategies may rest on different seeds."]),
    gainTable(result),
    "Δ% is relative to `local` in the same seed, mean over sites of the mean over their tasks; ± is the standard deviation over seeds. " +
      "t: Student's 95 % interval; boot: paired percentile bootstrap; p: exact two-sided sign test over seeds. " +
      "Differences to `fedavg` are in percentage points of Δ%.",
    ...leftOutNotes(result),
    ...(missing.length === 0 ? [] : [`Not run here: ${missing.join(", ")}.`]),
    "## Final test metrics",
    valueTable(result),
  ];
  return `${parts.join("\n\n").replaceAll("\u00a0", " ")}\n`;
}

function gainTable(result: ComparisonResult): string {
  const head = [
    "strategy",
    "Δ% ± std",
    "t 95 %",
    "boot 95 %",
    "p",
    "− fedavg",
    "boot 95 %",
    "p",
    "of pooled",
    "worst site",
    "up",
    "down",
    "not above constant",
  ];
  const rows = strategyRows(result).map((row) => gainCells(row, result));
  return markdownTable(head, rows);
}

function gainCells(row: StrategyRow, result: ComparisonResult): readonly string[] {
  const { strategy, isBaseline, local, fedavg } = row;
  const { relativeGainPercent: gain, relativeGainStdPercent: std, pooledGainShare: share } = strategy;
  const worst = local?.worstClient ?? null;
  const worstGain = worst === null ? null : (local?.clients[worst]?.meanPercent ?? null);
  return [
    row.name,
    isBaseline ? "0" : plusMinus(gain, std),
    isBaseline ? "" : intervalText(strategy.relativeGainInterval95),
    intervalText(local?.bootstrapInterval95 ?? null),
    pText(local),
    fedavg === null ? NONE : plusMinus(fedavg.meanPercent, fedavg.stdPercent),
    intervalText(fedavg?.bootstrapInterval95 ?? null),
    pText(fedavg),
    share === null ? NONE : `${formatNumber(100 * share, 0)} %`,
    worst === null ? NONE : `${worst} ${formatGain(worstGain, 2)}`,
    formatBytes(strategy.upBytes),
    formatBytes(strategy.downBytes),
    `${strategy.notAboveConstant.length} of ${taskColumns(result).length}`,
  ];
}

function plusMinus(mean: number | null, std: number | null): string {
  if (mean === null) return NONE;
  return std === null ? formatSigned(mean, 2) : `${formatSigned(mean, 2)} ± ${formatNumber(std, 2)}`;
}

function intervalText(interval: readonly [number, number] | null): string {
  return interval === null ? NONE : formatInterval(interval, 2);
}

export function pText(difference: StrategyDifference | null): string {
  return difference === null || difference.signTestP === null ? NONE : formatNumber(difference.signTestP, 3);
}

function valueTable(result: ComparisonResult): string {
  const columns = taskColumns(result);
  const head = columns.map(
    ({ client, task, metric, unit, higherIsBetter }) =>
      `${client} ${task}, ${metric}${unit === "" ? "" : ` ${unit}`} ${higherIsBetter ? "↑" : "↓"}`,
  );
  return markdownTable(
    ["strategy", ...head],
    valueRows(result).map(({ name, cells }) => [
      name,
      ...cells.map((cell, i) => cellText(cell, columns[i]?.unit ?? "")),
    ]),
  );
}

export function cellText(cell: Cell | typeof UNDEFINED | null, unit: string): string {
  if (cell === null) return NONE;
  if (cell === UNDEFINED) return MISSING;
  const digits = unit === "" ? 3 : 2;
  const text = formatNumber(cell.mean, digits);
  return cell.std === null ? text : `${text} ± ${formatNumber(cell.std, digits)}`;
}

/** The first column to the left, the others to the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `| --- |${" ---: |".repeat(head.length - 1)}`, ...rows.map(line)].join("\n");
}
