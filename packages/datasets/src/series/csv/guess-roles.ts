/**
 * A first guess at what the columns of a CSV file are, from their names (English and Japanese) and their values. It is a start for a
 * config file that a person corrects, so every guess comes with its reason; nothing else in Kumiai guesses roles.
 */

import type { CsvRoles, CsvTarget } from "./load-csv.js";
import { byValue } from "./load-csv.js";
import type { ColumnProfile, CsvProfile } from "./profile-csv.js";

export type GuessedColumn = {
  readonly name: string;
  /** For people, e.g. "its name speaks of time". */
  readonly why: string;
} & (
  | { readonly role: "unit" | "time" | "sensor" | "ignore" }
  | { readonly role: "target"; readonly id: string; readonly target: CsvTarget }
);

const TIME_WORDS =
  /^(?:time|timestamp|date|datetime|t|cycle|cycles|step|seconds?|sec|ms|minutes?|hours?|index|seq|sequence)$/;
const TIME_SIGNS = /時刻|日時|日付|時間|サイクル/;
const UNIT_WORDS = /^(?:unit|machine|engine|asset|line|device|equipment|robot|station|run|batch|lot|id)$/;
const UNIT_SIGNS = /号機|設備|機番|機械|装置|ライン|ロット/;
const STATE_WORDS =
  /^(?:fail|fails|failed|failure|failures|fault|faults|faulty|alarm|alert|defect|defective|ng|error|anomaly|abnormal|broken|label|target|class|state|status|condition|health|grade|mode|stage|verdict|result|quality)$/;
const STATE_SIGNS = /故障|異常|不良|状態|判定|合否|品質|良否/;
const AMOUNT_WORDS = /^(?:rul|wear|yield|thickness|roughness|remaining|life|lifetime|score|target|label|quality)$/;
const AMOUNT_SIGNS = /残|寿命|摩耗|歩留|膜厚|粗さ/;

/** Classes that a column of labels may have before it is taken for something else. */
const MAX_CLASSES = 20;

/** One guess per column, in the order of the file. */
export function guessRoles(profile: CsvProfile): readonly GuessedColumn[] {
  const { columns } = profile;
  const time = timeColumn(columns);
  const unit = columns.find((column) => column !== time && looksLikeUnit(column));
  const rest = columns.filter((column) => column !== time && column !== unit && useless(column) === undefined);
  const targets = targetColumns(rest);
  return columns
    .map((column): GuessedColumn => {
      const { name } = column;
      if (column === time) return { name, role: "time", why: timeReason(column) };
      if (column === unit)
        return {
          name,
          role: "unit",
          why: `its name speaks of machines or runs, and it has ${column.distinct?.size ?? 0} values`,
        };
      const problem = useless(column);
      if (problem !== undefined) return { name, role: "ignore", why: problem };
      const why = targets.get(column);
      if (why !== undefined) return { name, role: "target", why, id: "", target: targetOf(column) };
      if (column.isNumber) return { name, role: "sensor", why: sensorReason(column) };
      return { name, role: "ignore", why: "words, and no sign that they are to be predicted" };
    })
    .map(withIds());
}

/** Roles for `loadCsv`, as guessed. */
export function rolesOf({ format }: CsvProfile, columns: readonly GuessedColumn[]): CsvRoles {
  const named = (role: GuessedColumn["role"]): readonly string[] =>
    columns.filter((column) => column.role === role).map(({ name }) => name);
  const [unit] = named("unit");
  const [time] = named("time");
  return {
    ...format,
    ...(unit !== undefined && { unit }),
    ...(time !== undefined && { time }),
    sensors: named("sensor"),
    ignore: named("ignore"),
    targets: Object.fromEntries(
      columns.flatMap((column) => (column.role === "target" ? [[column.id, column.target] as const] : [])),
    ),
  };
}

/** `machineId`, `machine_id` and `Machine ID` are [machine, id]. */
function wordsOf({ name }: ColumnProfile): readonly string[] {
  return name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}

function speaksOf(column: ColumnProfile, words: RegExp, signs: RegExp): boolean {
  return wordsOf(column).some((word) => words.test(word)) || signs.test(column.name);
}

function timeColumn(columns: readonly ColumnProfile[]): ColumnProfile | undefined {
  const complete = columns.filter((column) => column.missingCount === 0 && column.distinct?.size !== 1);
  return (
    complete.find((column) => column.isDate) ??
    complete.find((column) => column.isNumber && speaksOf(column, TIME_WORDS, TIME_SIGNS) && !hasUnitInName(column)) ??
    complete.find((column) => column.isCounter)
  );
}

/** `Run time [s]` of every row is a measurement more often than a clock; `time (s)` is a clock. */
function hasUnitInName({ name }: ColumnProfile): boolean {
  return /\b(?:run|total|lead|tact|process|cycle)[ _-]?time\b/i.test(name);
}

function timeReason(column: ColumnProfile): string {
  if (column.isDate) return "dates";
  return column.isCounter ? "it rises by one from row to row" : "its name speaks of time";
}

/** `line`, `Machine ID`, `engine no`; not `line speed` or `machine failure`. */
function looksLikeUnit(column: ColumnProfile): boolean {
  const { distinct, rowCount, missingCount } = column;
  if (distinct === undefined || missingCount > 0 || distinct.size < 2) return false;
  if (column.isNumber && !column.isWhole) return false;
  const noun = wordsOf(column).findLast((word) => !/^(?:id|no|nr|number|name|code)$/.test(word)) ?? "id";
  return (UNIT_WORDS.test(noun) || UNIT_SIGNS.test(column.name)) && rowCount / distinct.size >= 5;
}

/** Why a column is of no use, if so. */
function useless({ distinct, missingCount, rowCount, isNumber, isDate, isCounter }: ColumnProfile): string | undefined {
  if (missingCount === rowCount) return "empty";
  if (distinct?.size === 1) return "the same in every row";
  if (isDate) return "dates; one column is the time already";
  if (isCounter) return "a row number";
  if (!isNumber && (distinct === undefined || distinct.size > MAX_CLASSES))
    return "many different words: names or notes";
  return undefined;
}

/** Columns that are likely to be labels, with the reason. */
function targetColumns(columns: readonly ColumnProfile[]): ReadonlyMap<ColumnProfile, string> {
  const found = new Map<ColumnProfile, string>();
  for (const column of columns) {
    const few = (column.distinct?.size ?? MAX_CLASSES + 1) <= MAX_CLASSES;
    const canBeClass = few && (!column.isNumber || column.isWhole);
    if (canBeClass && speaksOf(column, STATE_WORDS, STATE_SIGNS))
      found.set(column, "its name speaks of a state or verdict");
    else if (column.isNumber && speaksOf(column, AMOUNT_WORDS, AMOUNT_SIGNS)) {
      found.set(column, "its name speaks of a quantity that is judged");
    }
  }
  const first = columns.findIndex((column) => found.has(column));
  for (const column of first < 0 ? [] : columns.slice(first)) {
    if (!found.has(column) && column.isBinary) found.set(column, "0 or 1, behind another target");
  }
  if (found.size > 0) return found;
  const words = columns.find((column) => !column.isNumber);
  if (words !== undefined) return found.set(words, "the only kind of column that cannot be a sensor: a few words");
  const flag = columns.findLast((column) => column.isBinary);
  if (flag !== undefined) return found.set(flag, "0 or 1, and nothing else looked like a target");
  const last = columns.at(-1);
  return last === undefined || columns.length < 2
    ? found
    : found.set(last, "the last column, as nothing else looked like a target");
}

function targetOf(column: ColumnProfile): CsvTarget {
  const common = { column: column.name };
  if (column.isBinary) return { ...common, kind: "binary" };
  const { distinct } = column;
  const isClass = distinct !== undefined && distinct.size <= MAX_CLASSES && (!column.isNumber || column.isWhole);
  return isClass
    ? { ...common, kind: "classes", classes: [...distinct.keys()].sort(byValue) }
    : { ...common, kind: "number" };
}

function sensorReason({ isBinary, missingCount, rowCount }: ColumnProfile): string {
  const gaps = missingCount === 0 ? "" : `, ${((100 * missingCount) / rowCount).toFixed(1)} % missing`;
  return `${isBinary ? "0 or 1: a switch, or a label that the model must not see" : "numbers"}${gaps}`;
}

/** Gives every target an id of its own, made from its name. */
function withIds(): (column: GuessedColumn) => GuessedColumn {
  const used = new Set<string>();
  return (column) => {
    if (column.role !== "target") return column;
    const base =
      column.name
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-+|-+$/g, "")
        .slice(0, 50) || "target";
    let id = base;
    for (let n = 2; used.has(id); n++) id = `${base}-${n}`;
    used.add(id);
    return { ...column, id };
  };
}
