/** `results.tex`: the same two tables for a paper; needs the package booktabs. */
import { formatNumber, formatSigned, MISSING } from "../report/format.js";
import type { ComparisonResult } from "../result.js";
import { cellText, pText } from "./markdown.js";
import { leftOutNotes, missingYardsticks, type StrategyRow, strategyRows, taskColumns, valueRows } from "./summary.js";

const NONE = "--";

export function renderLatex(result: ComparisonResult): string {
  const { scenario, seeds } = result;
  const missing = missingYardsticks(result);
  const notes = [
    ...(result.complete ? [] : ["Not finished: strategies may rest on different seeds."]),
    ...leftOutNotes(result).map((note) => note.replaceAll("Δ%", "the change")),
    ...(missing.length === 0 ? [] : [`Not run: ${missing.join(", ")}.`]),
  ];
  const caption = [
    `Scenario ${scenario.name}, ${scenario.rounds} rounds, seeds ${seeds.join(", ")}.`,
    "Change against local in percent, mean and standard deviation over seeds; 95 % intervals by paired bootstrap; p of the exact sign test.",
    ...notes,
  ].join(" ");
  return `% Needs \\usepackage{booktabs}.\n${[gainTable(result, caption), valueTable(result)].join("\n")}`;
}

function gainTable(result: ComparisonResult, caption: string): string {
  const head = ["Strategy", "$\\Delta\\%$", "95\\,\\%", "$p$", "$-$ FedAvg", "95\\,\\%", "$p$", "Worst site"];
  return table(head, strategyRows(result).map(gainCells), caption);
}

function gainCells({ name, isBaseline, strategy, local, fedavg }: StrategyRow): readonly string[] {
  const worst = local?.worstClient ?? null;
  const worstGain = worst === null ? null : (local?.clients[worst]?.meanPercent ?? null);
  return [
    escapeLatex(name),
    isBaseline ? "0" : plusMinus(strategy.relativeGainPercent, strategy.relativeGainStdPercent),
    intervalText(local?.bootstrapInterval95 ?? null),
    toMath(pText(local)),
    fedavg === null ? NONE : plusMinus(fedavg.meanPercent, fedavg.stdPercent),
    intervalText(fedavg?.bootstrapInterval95 ?? null),
    toMath(pText(fedavg)),
    worst === null ? NONE : `${escapeLatex(worst)} ${toMath(formatSigned(worstGain, 2))}`,
  ];
}

function valueTable(result: ComparisonResult): string {
  const columns = taskColumns(result);
  const rows = valueRows(result).map(({ name, cells }) => [
    escapeLatex(name),
    ...cells.map((cell, i) => toMath(cellText(cell, columns[i]?.unit ?? ""))),
  ]);
  const head = columns.map(({ client, task, metric, unit, higherIsBetter }) =>
    [
      escapeLatex(`${client} ${task}, ${metric}${unit === "" ? "" : ` ${unit}`}`),
      higherIsBetter ? "$\\uparrow$" : "$\\downarrow$",
    ].join(" "),
  );
  return table(["Strategy", ...head], rows, `Final test metrics of scenario ${result.scenario.name}.`);
}

function plusMinus(mean: number | null, std: number | null): string {
  if (mean === null) return NONE;
  return toMath(std === null ? formatSigned(mean, 2) : `${formatSigned(mean, 2)} ± ${formatNumber(std, 2)}`);
}

function intervalText(interval: readonly [number, number] | null): string {
  return interval === null ? NONE : toMath(`[${formatSigned(interval[0], 2)}, ${formatSigned(interval[1], 2)}]`);
}

/** Signs as in formulas. */
function toMath(text: string): string {
  if (text === "–") return NONE;
  if (text === MISSING) return MISSING;
  return `$${text.replaceAll("\u2212", "-").replaceAll("±", "\\pm")}$`;
}

const SPECIAL: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "°": "\\textdegree{}",
};

export function escapeLatex(text: string): string {
  return text.replaceAll(/[\\~^°&%$#_{}]/g, (char) => SPECIAL[char] ?? `\\${char}`);
}

function table(head: readonly string[], rows: readonly (readonly string[])[], caption: string): string {
  const line = (cells: readonly string[]) => `  ${cells.join(" & ")} \\\\`;
  return [
    "\\begin{table}",
    "  \\centering",
    `  \\caption{${escapeLatex(caption)}}`,
    `  \\begin{tabular}{l${"r".repeat(head.length - 1)}}`,
    "  \\toprule",
    line(head),
    "  \\midrule",
    ...rows.map(line),
    "  \\bottomrule",
    "  \\end{tabular}",
    "\\end{table}",
    "",
  ].join("\n");
}
