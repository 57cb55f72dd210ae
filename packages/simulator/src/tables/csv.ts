/** `results.csv`: tidy, one line for each strategy, seed, site and task (RFC 4180, UTF-8, decimal point). */
import type { ComparisonResult, TaskResult } from "../result.js";
import { roundedNumber } from "../serialize.js";

export const CSV_COLUMNS = [
  "scenario",
  "strategy",
  "kind",
  "seed",
  "site",
  "domain",
  "task",
  "metric",
  "unit",
  "higher_is_better",
  "value",
  "constant",
  "above_constant",
  "gain_percent",
] as const;

/** Numbers as in `result.json`; what does not exist is empty. Ends with a newline. */
export function renderCsv(result: ComparisonResult): string {
  const lines = [csvLine(CSV_COLUMNS)];
  for (const [name, { kind = name, perSeed }] of Object.entries(result.strategies)) {
    for (const seed of result.seeds) {
      for (const { id, domain, tasks } of result.scenario.clients) {
        for (const task of tasks) {
          const found = perSeed[String(seed)]?.clients[id]?.tasks[task.id];
          if (found === undefined) continue;
          const where = [result.scenario.name, name, kind, seed, id, domain, task.id];
          lines.push(csvLine([...where, task.metric, task.unit, task.higherIsBetter, ...numbersOf(found)]));
        }
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

function numbersOf({ value, constant, aboveConstant, relativeGainPercent }: TaskResult) {
  return [roundedNumber(value), roundedNumber(constant), aboveConstant, roundedNumber(relativeGainPercent)];
}

/** One line without its end; null is an empty field. */
export function csvLine(values: readonly (string | number | boolean | null)[]): string {
  return values.map(field).join(",");
}

function field(value: string | number | boolean | null): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
