/**
 * A first guess at what the columns of a CSV file are, from their names (English and Japanese) and their values. It is a start for a
 * config file that a person corrects, so every guess comes with its reason; nothing else in Kumiai guesses roles.
 */

import { DEFAULT_MISSING, type Decimal, parseNumber, parseTime } from "./cells.js";
import type { CsvRoles, CsvTarget } from "./load-csv.js";
import { byValue } from "./load-csv.js";
import { NEARLY_ALL, NO_ODD_CELLS, oddCellsText } from "./odd-cells.js";
import type { ColumnProfile, CsvProfile } from "./profile-csv.js";

export type GuessedColumn = {
  readonly name: string;
  /** For people, e.g. "its name speaks of time". */
  readonly why: string;
  /** What a person has to look at before anything else, e.g. odd cells. */
  readonly warning?: string;
  /** Words in the column that have to stand for missing values, besides the usual ones, so that it can be loaded. */
  readonly missing?: readonly string[];
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
  const columns = profile.columns.map(withOddClasses);
  const time = timeColumn(columns);
  const unit = columns.find((column) => column !== time && looksLikeUnit(column));
  const rest = columns.filter((column) => column !== time && column !== unit && useless(column) === undefined);
  const targets = targetColumns(rest);
  const names = wordsInUse(unit, [...targets.keys()]);
  return columns
    .map((column): GuessedColumn => {
      const { name } = column;
      if (column === time) return { name, role: "time", ...withGaps(timeReason(column), column, "time") };
      if (column === unit) {
        const why = `its name speaks of machines or runs, and it has ${column.distinct?.size ?? 0} values`;
        return { name, role: "unit", ...withGaps(why, column, "name") };
      }
      const problem = useless(column);
      if (problem !== undefined) return { name, role: "ignore", why: problem, ...dateWarning(column) };
      const why = targets.get(column);
      if (!column.isNumber && why === undefined) {
        return { name, role: "ignore", ...wordsReason(column) };
      }
      const clash = oddWordsOf(column).find((word) => names.has(word));
      if (clash !== undefined) return { name, role: "ignore", ...clashReason(column, clash) };
      if (why === undefined) return { name, role: "sensor", ...withOdd(sensorReason(column), column) };
      return {
        name,
        role: "target",
        ...withOdd(why, column),
        ...oddClasses(profile, column),
        id: "",
        target: targetOf(column),
      };
    })
    .map(withIds());
}

/** Roles for `loadCsv`, as guessed. Rows without unit or time are left out, though a scenario does not allow them. */
export function rolesOf({ format, columns: profiles }: CsvProfile, columns: readonly GuessedColumn[]): CsvRoles {
  const named = (role: GuessedColumn["role"]): readonly string[] =>
    columns.filter((column) => column.role === role).map(({ name }) => name);
  const [unit] = named("unit");
  const [time] = named("time");
  const missing = [...(format.missing ?? DEFAULT_MISSING), ...new Set(columns.flatMap(({ missing = [] }) => missing))];
  const places = profiles.filter(({ name }) => name === unit || name === time);
  const hasGaps = places.some((column) => gapsOf(column).count > 0);
  const isDate = places.some((column) => column.name === time && column.isDate);
  const isMissing = new Set(missing);
  const { decimal = "." } = format;
  return {
    ...format,
    ...(missing.length > (format.missing ?? DEFAULT_MISSING).length && { missing }),
    ...(hasGaps && {
      skip: (fieldOf) =>
        (unit !== undefined && isMissing.has(fieldOf(unit))) ||
        (time !== undefined && !isTime(fieldOf(time), decimal, isDate)),
    }),
    ...(unit !== undefined && { unit }),
    ...(time !== undefined && { time }),
    sensors: named("sensor"),
    ignore: named("ignore"),
    targets: Object.fromEntries(
      columns.flatMap((column) => (column.role === "target" ? [[column.id, column.target] as const] : [])),
    ),
  };
}

/** A bare number among dates can be read, but would be far from all others. */
function isTime(text: string, decimal: Decimal, isDate: boolean): boolean {
  return parseTime(text, decimal) !== undefined && !(isDate && parseNumber(text, decimal) !== undefined);
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
  const changing = columns.filter((column) => isNearlyComplete(column) && valuesOf(column)?.length !== 1);
  return (
    changing.find((column) => column.isDate) ??
    changing.find((column) => column.isNumber && speaksOf(column, TIME_WORDS, TIME_SIGNS) && !hasUnitInName(column)) ??
    changing.find((column) => column.isCounter)
  );
}

/** Missing and odd cells, which cannot be a time. */
function gapsOf({ missingCount, firstMissingLine, odd }: Pick<ColumnProfile, GapKeys>): Gaps {
  const lines = [firstMissingLine, odd.firstLine].filter((line) => line !== undefined);
  return { count: missingCount + odd.count, firstLine: Math.min(...lines) };
}

type GapKeys = "missingCount" | "firstMissingLine" | "odd";

interface Gaps {
  readonly count: number;
  readonly firstLine: number;
}

function isNearlyComplete(column: ColumnProfile): boolean {
  return gapsOf(column).count <= (1 - NEARLY_ALL) * column.rowCount;
}

/** `what`: of which some rows have none. */
function withGaps(why: string, column: ColumnProfile, what: "time" | "name"): Pick<GuessedColumn, "why" | "warning"> {
  // The odd cells of a unit are names like any other.
  const { count, firstLine } = gapsOf(what === "name" ? { ...column, odd: NO_ODD_CELLS } : column);
  if (count === 0) return { why };
  const numbers = column.isDate && oddWordsOf(column).some((word) => parseTime(word, ".") !== undefined);
  const gaps =
    `${count.toLocaleString("en-US")} of ${column.rowCount.toLocaleString("en-US")} rows ` +
    `${count === 1 ? "has" : "have"} no ${what}, first in line ${firstLine}; a run stops there ` +
    `${numbers ? "(or takes a bare number for seconds since 1970) " : ""}until such rows are corrected or deleted`;
  return { why: `${why}; but ${gaps}`, warning: gaps };
}

/** Signs only, or an error as spreadsheets write it: not the name of anything. */
const isNoName = (word: string): boolean => !/[\p{L}\p{N}]/u.test(word) || word.startsWith("#");

/** In a column of verdicts such as 0, 1, NG, a rare word is a class, and often the one that matters. */
function withOddClasses(column: ColumnProfile): ColumnProfile {
  const { distinct, isNumber, isWhole, odd } = column;
  const isVerdict = isNumber && isWhole && (distinct?.size ?? MAX_CLASSES + 1) <= MAX_CLASSES;
  if (odd.count === 0 || !isVerdict || !speaksOf(column, STATE_WORDS, STATE_SIGNS)) return column;
  if (oddWordsOf(column).every(isNoName)) return column;
  return { ...column, isNumber: false, isWhole: false, isBinary: false, odd: NO_ODD_CELLS };
}

function oddClasses({ columns }: CsvProfile, { name, odd }: ColumnProfile): { readonly warning?: string } {
  const raw = columns.find((column) => column.name === name)?.odd;
  if (raw === undefined || raw.count === odd.count) return {};
  return { warning: `numbers, but for ${oddCellsText(raw)}; taken as classes` };
}

const oddWordsOf = ({ odd }: ColumnProfile): readonly string[] => [...(odd.words?.keys() ?? [])];

/** What occurs and is not odd. */
function valuesOf({ distinct, odd }: ColumnProfile): readonly string[] | undefined {
  return distinct && [...distinct.keys()].filter((text) => !odd.words?.has(text));
}

/** Names of units and classes. A word that is to stand for missing values does so in every column. */
function wordsInUse(unit: ColumnProfile | undefined, targets: readonly ColumnProfile[]): ReadonlySet<string> {
  const units = [...(unit?.distinct?.keys() ?? [])].filter((word) => !isNoName(word));
  return new Set([...units, ...targets.filter(isClasses).flatMap((column) => valuesOf(column) ?? [])]);
}

function withOdd(why: string, column: ColumnProfile): Pick<GuessedColumn, "why" | "warning" | "missing"> {
  if (column.odd.count === 0) return { why };
  const odd = oddCellsText(column.odd);
  return {
    why: `${why}; taken as missing: ${odd}`,
    warning: `numbers, but for ${odd}; taken as missing values`,
    missing: oddWordsOf(column),
  };
}

function clashReason(column: ColumnProfile, word: string): Pick<GuessedColumn, "why" | "warning"> {
  const why =
    `numbers, but for ${oddCellsText(column.odd)}; "${word.slice(0, 40)}" cannot stand for a missing value, as it is ` +
    "a class or unit in another column: leave such cells empty";
  return { why, warning: `left out: ${why}` };
}

const FOREIGN_DATES = "looks like dates that are not ISO; write them as 2024-05-01T10:00 to cut runs at gaps";

function dateWarning({ isForeignDate }: ColumnProfile): { readonly warning?: string } {
  return isForeignDate ? { warning: FOREIGN_DATES } : {};
}

/** `Run time [s]` of every row is a measurement more often than a clock; `time (s)` is a clock. */
function hasUnitInName({ name }: ColumnProfile): boolean {
  return /\b(?:run|total|lead|tact|process|cycle)[ _-]?time\b/i.test(name);
}

function timeReason(column: ColumnProfile): string {
  if (column.isDate) return "dates";
  return column.isCounter ? "it rises by one from row to row" : "its name speaks of time";
}

function wordsReason(column: ColumnProfile): Pick<GuessedColumn, "why" | "warning"> {
  const { missingCount, rowCount } = column;
  if (missingCount === 0 || !looksLikeUnit({ ...column, missingCount: 0 })) {
    return { why: "words, and no sign that they are to be predicted" };
  }
  const why = `its name speaks of machines or runs, but ${missingCount.toLocaleString("en-US")} of ${rowCount.toLocaleString("en-US")} rows have no name`;
  return { why, warning: `left out: ${why}` };
}

/** `line`, `Machine ID`, `engine no`; not `line speed` or `machine failure`. */
function looksLikeUnit(column: ColumnProfile): boolean {
  const { distinct, rowCount, missingCount } = column;
  if (distinct === undefined || missingCount > (1 - NEARLY_ALL) * rowCount || distinct.size < 2) return false;
  if (column.isNumber && !column.isWhole) return false;
  const noun = wordsOf(column).findLast((word) => !/^(?:id|no|nr|number|name|code)$/.test(word)) ?? "id";
  return (UNIT_WORDS.test(noun) || UNIT_SIGNS.test(column.name)) && rowCount / distinct.size >= 5;
}

/** Why a column is of no use, if so. */
function useless(column: ColumnProfile): string | undefined {
  const { distinct, missingCount, rowCount, isNumber, isDate, isForeignDate, isCounter, odd } = column;
  if (missingCount === rowCount) return "empty";
  if (valuesOf(column)?.length === 1) return `the same in every row${odd.count > 0 ? " that has a number" : ""}`;
  if (isDate) {
    return isNearlyComplete(column) ? "dates; one column is the time already" : "dates, but too many rows have none";
  }
  if (isForeignDate) return FOREIGN_DATES;
  if (isCounter) return "a row number";
  if (odd.words === undefined) {
    return `numbers in ${(100 * (1 - odd.count / (rowCount - missingCount))).toFixed(1)} % of the cells, many different words in the others`;
  }
  if (!isNumber && (distinct === undefined || distinct.size > MAX_CLASSES))
    return "many different words: names or notes";
  return undefined;
}

/** Columns that are likely to be labels, with the reason. */
function targetColumns(columns: readonly ColumnProfile[]): ReadonlyMap<ColumnProfile, string> {
  const found = new Map<ColumnProfile, string>();
  for (const column of columns) {
    if (isClasses(column) && speaksOf(column, STATE_WORDS, STATE_SIGNS))
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

/** Whether what occurs in a column can be classes. */
function isClasses(column: ColumnProfile): boolean {
  const few = (valuesOf(column)?.length ?? MAX_CLASSES + 1) <= MAX_CLASSES;
  return few && (!column.isNumber || column.isWhole);
}

function targetOf(column: ColumnProfile): CsvTarget {
  const common = { column: column.name };
  if (column.isBinary) return { ...common, kind: "binary" };
  return isClasses(column)
    ? { ...common, kind: "classes", classes: [...(valuesOf(column) ?? [])].sort(byValue) }
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
