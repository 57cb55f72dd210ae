/**
 * A table of sensor series from a CSV file of one's own. Every column has a role: the unit (which machine), the time, a sensor, a
 * target, or none. Rows may come in any order; they are sorted by unit (in the order in which units appear) and time.
 *
 * Memory: 4 bytes per sensor value, 8 per target value and time; the text is never held.
 *
 * Errors: FILE_NOT_FOUND, FILE_UNREADABLE; INVALID_CONFIG for roles that do not fit the columns; DATA_MALFORMED with file, line,
 * column, what was expected and what was found.
 */
import { KumiaiError, parseTaskId } from "@kumiai/params";
import { unknownName } from "../select.js";
import type { OnNotice, SeriesMetric, SeriesTable, SeriesTarget } from "../types.js";
import { DEFAULT_MISSING, type Decimal, parseBinary, parseNumber, parseTime } from "./cells.js";
import { GrowingFloats } from "./growing-floats.js";
import { type CsvFormat, readCsv } from "./records.js";

export interface CsvTarget {
  /** Column with the labels; a field that stands for "missing" is a row without a label. Default: the target's name. */
  readonly column?: string;
  /** `classes`: one of several words or numbers; `binary`: yes or no; `number`: a quantity. */
  readonly kind: "classes" | "binary" | "number";
  /** `classes` only: the classes in order. Default: all that occur, sorted. Sites that share a task should state them. */
  readonly classes?: readonly (string | number)[];
  /** `binary` only: the field that means yes; every other one means no. Default: 1, true, yes, y against 0, false, no, n. */
  readonly positive?: string | number;
  readonly summary?: string;
  readonly metric?: SeriesMetric;
}

/** Which column is what, by name. */
export interface CsvRoles extends CsvFormat {
  /** Which machine, line or run a row belongs to; without it all rows are of one. */
  readonly unit?: string;
  /** Numbers or dates; without it rows are taken as they follow each other. */
  readonly time?: string;
  /** A longer step in time (seconds for dates) is a break: no window crosses it. */
  readonly maxTimeStep?: number;
  /** Default: every column that has no other role. */
  readonly sensors?: readonly string[];
  /** By task id. */
  readonly targets: Readonly<Record<string, CsvTarget>>;
  /** Columns that are left out; where `sensors` are stated, a notice names others without a role. */
  readonly ignore?: readonly string[];
  /** As `ignore`, but they need not be in the file: what only the files of other sites have. */
  readonly ignoreIfPresent?: readonly string[];
}

export async function loadCsv(path: string, roles: CsvRoles, onNotice: OnNotice = () => {}): Promise<SeriesTable> {
  requireRoles(roles);
  const columns = new CsvColumns(roles, path, onNotice);
  await readCsv(path, roles, columns);
  return tableOf(columns, roles, path, onNotice);
}

function requireRoles(roles: CsvRoles): void {
  const invalid = (problem: string): KumiaiError => new KumiaiError("INVALID_CONFIG", problem);
  const used = [...namedColumns(roles), ...(roles.sensors ?? [])];
  const twice = used.find((name, i) => used.indexOf(name) < i);
  if (twice !== undefined) throw invalid(`column ${twice}: expected one role, received two`);
  const delimiter = roles.delimiter ?? ",";
  if ([...delimiter].length !== 1) throw invalid(`delimiter: expected one character, received "${delimiter}"`);
  if (roles.decimal === "," && delimiter === ",") {
    throw invalid('decimal: expected another delimiter than the comma, e.g. delimiter: ";"');
  }
  if (roles.maxTimeStep !== undefined && roles.time === undefined) {
    throw invalid("maxTimeStep: expected a time column to measure steps in; name it under time");
  }
}

/** Columns with a role other than sensor. */
const namedColumns = (roles: CsvRoles): readonly string[] =>
  [roles.unit, roles.time, ...targetColumns(roles), ...(roles.ignore ?? [])].filter((name) => name !== undefined);

const targetColumns = (roles: CsvRoles): readonly string[] =>
  Object.entries(roles.targets).map(([id, target]) => target.column ?? id);

/** Takes records in and keeps what the roles ask for, in columns. */
class CsvColumns {
  readonly units: string[] = [];
  readonly unitOf = new GrowingFloats();
  readonly time = new GrowingFloats();
  readonly sensors = new GrowingFloats();
  /** Per target: numbers, or indices into `words`. */
  readonly targets: readonly GrowingFloats[];
  /** Per target of kind `classes`: the words that occur, in order of appearance. */
  readonly words: readonly Map<string, number>[];
  rowCount = 0;
  /** Columns that are sensors, once the header is known. */
  channels: readonly string[] = [];

  readonly #roles: CsvRoles;
  readonly #path: string;
  readonly #onNotice: OnNotice;
  readonly #missing: ReadonlySet<string>;
  readonly #unitIndex = new Map<string, number>();
  #at: ReadonlyMap<string, number> = new Map();

  constructor(roles: CsvRoles, path: string, onNotice: OnNotice) {
    this.#roles = roles;
    this.#path = path;
    this.#onNotice = onNotice;
    this.#missing = new Set(roles.missing ?? DEFAULT_MISSING);
    this.targets = Object.keys(roles.targets).map(() => new GrowingFloats());
    this.words = Object.values(roles.targets).map(
      ({ classes = [] }) => new Map(classes.map((name, index) => [String(name), index])),
    );
  }

  columns(names: readonly string[]): void {
    const named = namedColumns(this.#roles);
    for (const name of [...named, ...(this.#roles.sensors ?? [])]) {
      if (!names.includes(name)) throw this.#unknownColumn(name, names);
    }
    const { ignoreIfPresent = [] } = this.#roles;
    const others = names.filter((name) => !named.includes(name) && !ignoreIfPresent.includes(name));
    this.channels = this.#roles.sensors ?? others;
    if (this.channels.length === 0) {
      throw new KumiaiError(
        "INVALID_CONFIG",
        `${this.#path}: expected at least one column to be a sensor, received none`,
      );
    }
    const idle = others.filter((name) => !this.channels.includes(name));
    if (idle.length > 0) this.#onNotice(`${this.#path}: columns without a role are left out: ${idle.join(", ")}`);
    this.#at = new Map(names.map((name, index) => [name, index]));
  }

  record(fields: readonly string[], place: string): void {
    const { unit, time, targets, decimal = "." } = this.#roles;
    this.unitOf.push(unit === undefined ? 0 : this.#unitOf(this.#field(fields, unit), `${place}: column ${unit}`));
    this.time.push(
      time === undefined ? this.rowCount : this.#timeOf(this.#field(fields, time), `${place}: column ${time}`),
    );
    for (const name of this.channels) {
      const text = this.#field(fields, name);
      this.sensors.push(this.#missing.has(text) ? Number.NaN : numberOf(text, decimal, `${place}: column ${name}`));
    }
    Object.entries(targets).forEach(([id, target], k) => {
      const column = target.column ?? id;
      const text = this.#field(fields, column);
      this.targets[k]?.push(
        this.#missing.has(text) ? Number.NaN : this.#labelOf(text, target, k, `${place}: column ${column}`),
      );
    });
    this.rowCount++;
  }

  #field(fields: readonly string[], name: string): string {
    return fields[this.#at.get(name) ?? -1] ?? "";
  }

  #unitOf(text: string, place: string): number {
    if (this.#missing.has(text)) throw notA("the name of a unit", text, place);
    const known = this.#unitIndex.get(text);
    if (known !== undefined) return known;
    this.#unitIndex.set(text, this.units.length);
    return this.units.push(text) - 1;
  }

  #timeOf(text: string, place: string): number {
    const value = parseTime(text, this.#roles.decimal ?? ".");
    if (value === undefined) throw notA("a number or a date such as 2024-05-01 13:00:00", text, place);
    return value;
  }

  #labelOf(text: string, target: CsvTarget, k: number, place: string): number {
    switch (target.kind) {
      case "number":
        return numberOf(text, this.#roles.decimal ?? ".", place);
      case "binary": {
        const positive = target.positive === undefined ? undefined : String(target.positive);
        const value = parseBinary(text, positive);
        if (value === undefined) throw notA("1 or 0, true or false, yes or no (or set positive)", text, place);
        return value;
      }
      case "classes": {
        const words = this.words[k] ?? new Map<string, number>();
        const known = words.get(text);
        if (known !== undefined) return known;
        if (target.classes !== undefined) throw notA(`one of ${target.classes.join(", ")}`, text, place);
        words.set(text, words.size);
        return words.size - 1;
      }
    }
  }

  #unknownColumn(name: string, names: readonly string[]): KumiaiError {
    const { delimiter = "," } = this.#roles;
    const other = [",", ";", "\t", "|"].find(
      (mark) => mark !== delimiter && names.length === 1 && names[0]?.includes(mark),
    );
    if (other !== undefined) {
      const shown = other === "\t" ? "\\t" : other;
      return new KumiaiError(
        "INVALID_CONFIG",
        `${this.#path}: expected fields between "${delimiter}", received one column; set delimiter: "${shown}"`,
      );
    }
    return unknownName("INVALID_CONFIG", `column of ${this.#path}`, name, names);
  }
}

/** No sensor reads more; programs write the largest number that they can hold where they have none. */
const MAX_NUMBER = 1e38;

function numberOf(text: string, decimal: Decimal, place: string): number {
  const value = parseNumber(text, decimal);
  if (value !== undefined) {
    if (Math.abs(value) <= MAX_NUMBER) return value;
    throw notA(
      `a number up to ±1e${Math.log10(MAX_NUMBER)}`,
      text,
      place,
      "; if it means that nothing was measured, state it under missing",
    );
  }
  const other = decimal === "." ? "," : ".";
  const hint =
    parseNumber(text, other) === undefined
      ? "; state it under missing, or the column under ignore"
      : `; set decimal: "${other}"`;
  throw notA("a number or a field that stands for missing", text, place, hint);
}

function notA(expected: string, text: string, place: string, hint = ""): KumiaiError {
  return new KumiaiError("DATA_MALFORMED", `${place}: expected ${expected}, found "${text.slice(0, 40)}"${hint}`, {
    place,
  });
}

function tableOf(columns: CsvColumns, roles: CsvRoles, path: string, onNotice: OnNotice): SeriesTable {
  const { rowCount, units } = columns;
  if (rowCount === 0)
    throw new KumiaiError("DATA_MALFORMED", `${path}: expected rows after the header, found none`, { path });
  const order = sortedRows(columns, path, onNotice);
  const time = columns.time.picked(order);
  const unitOf = Int32Array.from(columns.unitOf.picked(order));
  return {
    name: path,
    rowCount,
    channels: columns.channels,
    values: columns.sensors.picked(order, columns.channels.length),
    targets: Object.entries(roles.targets).map(([id, target], k) => targetOf(id, target, columns, k, order)),
    units: roles.unit === undefined ? ["all"] : units,
    unitOf,
    segmentOf: segmentsOf(unitOf, time, roles.maxTimeStep ?? Number.POSITIVE_INFINITY),
    time,
    conditionCount: 1,
  };
}

/** Row numbers by unit and time; rows of the same time stay in the order of the file. */
function sortedRows({ rowCount, unitOf, time }: CsvColumns, path: string, onNotice: OnNotice): Uint32Array {
  const order = Uint32Array.from({ length: rowCount }, (_, row) => row);
  const before = (a: number, b: number): number => unitOf.at(a) - unitOf.at(b) || time.at(a) - time.at(b) || a - b;
  order.sort(before);
  const timeFellBack = order.some((row, i) => {
    const previous = order[i - 1];
    return previous !== undefined && unitOf.at(previous) === unitOf.at(row) && previous > row;
  });
  if (timeFellBack) onNotice(`${path}: rows were not in the order of time; they are sorted`);
  return order;
}

function segmentsOf(unitOf: Int32Array, time: Float64Array, maxStep: number): Int32Array {
  const segments = new Int32Array(unitOf.length);
  for (let row = 1; row < unitOf.length; row++) {
    const breaks = unitOf[row] !== unitOf[row - 1] || (time[row] ?? 0) - (time[row - 1] ?? 0) > maxStep;
    segments[row] = (segments[row - 1] ?? 0) + (breaks ? 1 : 0);
  }
  return segments;
}

const DEFAULT_METRICS = { classes: "macro-f1", binary: "auroc", number: "rmse" } as const;

/** Labels are Uint8. */
const MAX_CLASSES = 255;

function targetOf(id: string, target: CsvTarget, columns: CsvColumns, k: number, order: Uint32Array): SeriesTarget {
  const raw = columns.targets[k]?.picked(order) ?? new Float64Array(order.length);
  const common = {
    id: parseTaskId(id),
    summary: target.summary ?? target.column ?? id,
    metric: target.metric ?? DEFAULT_METRICS[target.kind],
  };
  switch (target.kind) {
    case "number":
      return { ...common, label: { kind: "scalar" }, classNames: [], values: raw };
    case "binary":
      return { ...common, label: { kind: "mask" }, classNames: ["0", "1"], values: raw };
    case "classes": {
      const seen = [...(columns.words[k]?.keys() ?? [])];
      const classNames = target.classes === undefined ? [...seen].sort(byValue) : seen;
      if (classNames.length < 2 || classNames.length > MAX_CLASSES) {
        throw new KumiaiError(
          "INVALID_CONFIG",
          `target ${id}: expected 2 to ${MAX_CLASSES} classes, received ${classNames.length}; is it a number, or should it be left out?`,
        );
      }
      const rank = seen.map((name) => classNames.indexOf(name));
      const values = raw.map((index) => (Number.isNaN(index) ? index : (rank[index] ?? Number.NaN)));
      return { ...common, label: { kind: "classes", classCount: classNames.length }, classNames, values };
    }
  }
}

/** Numbers by size, before words by code point. */
export function byValue(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  return a < b ? -1 : a > b ? 1 : 0;
}
