/**
 * `results.csv`: tidy, one line for each strategy, seed, site and task (RFC 4180, UTF-8, decimal point). Every gain can be computed again
 * from its own line:
 *
 *   gain_percent = ± 100 · (value − local_value) / |local_value|   plus where higher_is_better is true
 *
 * Δ% of a site is the mean of it over the site's lines without a reason in left_out, of a seed the mean over sites, of a strategy the mean over seeds.
 */
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
  "local_value",
  "constant",
  "above_constant",
  "gain_percent",
  "left_out",
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
          const local = baselineValue(result, { seed, client: id, task: task.id });
          const how = [task.metric, task.unit, task.higherIsBetter];
          lines.push([...where, ...how, ...numbersOf(found, local)].map(field).join(","));
        }
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

/** What the baseline (`local`) reached at the same place; null where it was not run. */
function baselineValue(
  { baseline, strategies }: ComparisonResult,
  at: { readonly seed: number; readonly client: string; readonly task: string },
): number | null {
  const run = baseline === null ? undefined : strategies[baseline]?.perSeed[String(at.seed)];
  return run?.clients[at.client]?.tasks[at.task]?.value ?? null;
}

function numbersOf(task: TaskResult, local: number | null) {
  return [
    roundedNumber(task.value),
    roundedNumber(local),
    roundedNumber(task.constant),
    task.aboveConstant,
    roundedNumber(task.relativeGainPercent),
    task.leftOut ?? null,
  ];
}

/** One line without its end; null is an empty field. */
export function csvLine(values: readonly (string | number | boolean | null)[]): string {
  return values.map(field).join(",");
}

function field(value: string | number | boolean | null): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
