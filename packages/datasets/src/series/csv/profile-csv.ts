/**
 * What stands in the columns of a CSV file whose format and meaning nobody has stated yet. Delimiter, encoding, decimal mark and
 * header are found out from the text; every field is looked at, so a word in the last row counts.
 *
 * Memory: up to 256 distinct texts per column. Errors: as `loadCsv`.
 */
import { KumiaiError } from "@kumiai/params";
import { streamText } from "../read-numbers.js";
import { DEFAULT_MISSING, type Decimal, isForeignDate, parseBinary, parseNumber, parseTime } from "./cells.js";
import { NEARLY_ALL, NO_ODD_CELLS, OddCellCounter, type OddCells } from "./odd-cells.js";
import { type CsvFormat, readCsv } from "./records.js";

/** More distinct texts than this are not kept apart. */
export const MAX_DISTINCT = 256;

export interface ColumnProfile {
  readonly name: string;
  readonly rowCount: number;
  readonly missingCount: number;
  /** Where the first missing field stands; undefined when there is none. */
  readonly firstMissingLine: number | undefined;
  /** Whether nearly every field that is not missing is a number, or a date; the others are `odd`. */
  readonly isNumber: boolean;
  readonly isDate: boolean;
  /** Whether nearly every field looks like a date that cannot be read. */
  readonly isForeignDate: boolean;
  /** Whether every field that is neither missing nor odd is a yes or no, or a whole number. */
  readonly isBinary: boolean;
  readonly isWhole: boolean;
  /** Fields that are not the numbers or dates that nearly all others are. */
  readonly odd: OddCells;
  /** Whether the numbers rise by one from row to row: a row number. */
  readonly isCounter: boolean;
  /** Texts that occur and how often; undefined when there are more than `MAX_DISTINCT`. */
  readonly distinct: ReadonlyMap<string, number> | undefined;
}

export interface CsvProfile {
  readonly path: string;
  readonly format: CsvFormat;
  readonly rowCount: number;
  readonly columns: readonly ColumnProfile[];
}

/** `stated` overrules what would be found out. */
export async function profileCsv(path: string, stated: CsvFormat = {}): Promise<CsvProfile> {
  requireOneCharacter(stated.delimiter);
  const { encoding, head } = await sniffText(path, stated.encoding);
  const delimiter = stated.delimiter ?? delimiterOf(head);
  const format: CsvFormat = {
    delimiter,
    header: stated.header ?? !isRowOfNumbers(head, delimiter),
    encoding,
    ...(stated.missing && { missing: stated.missing }),
  };
  const missing = new Set(stated.missing ?? DEFAULT_MISSING);
  let columns: readonly ColumnStatistics[] = [];
  let rowCount = 0;
  await readCsv(path, format, {
    columns(names) {
      columns = names.map((name) => new ColumnStatistics(name));
    },
    record(fields, _place, line) {
      rowCount++;
      columns.forEach((column, i) => {
        const text = fields[i] ?? "";
        if (missing.has(text)) column.miss(line);
        else column.take(text, line);
      });
    },
  });
  if (rowCount === 0)
    throw new KumiaiError("DATA_MALFORMED", `${path}: expected rows after the header, found none`, { path });
  const decimal = stated.decimal ?? decimalOf(columns, delimiter);
  return {
    path,
    format: { ...format, decimal },
    rowCount,
    columns: columns.map((column) => column.profile(rowCount, decimal)),
  };
}

function requireOneCharacter(delimiter: string | undefined): void {
  if (delimiter === undefined || ([...delimiter].length === 1 && !/["\r\n]/.test(delimiter))) return;
  throw new KumiaiError(
    "INVALID_CONFIG",
    `delimiter: expected one character, and no quote or line break, received ${JSON.stringify(delimiter)}`,
    { delimiter },
  );
}

class ColumnStatistics {
  readonly name: string;
  pointNumbers = 0;
  commaNumbers = 0;
  #missingCount = 0;
  #firstMissingLine: number | undefined;
  #count = 0;
  #dates = 0;
  #foreignDates = 0;
  #binaries = 0;
  #wholes = 0;
  #risesByOne = 0;
  #last: number | undefined;
  #rowsSinceLast = 0;
  #distinct: Map<string, number> | undefined = new Map();
  /** What is no number, by the decimal mark, and what is no date. */
  readonly #odd = { ".": new OddCellCounter(), ",": new OddCellCounter(), date: new OddCellCounter() };

  constructor(name: string) {
    this.name = name;
  }

  miss(line: number): void {
    this.#missingCount++;
    this.#firstMissingLine ??= line;
    this.#rowsSinceLast++;
  }

  take(text: string, line: number): void {
    this.#count++;
    const point = parseNumber(text, ".");
    const comma = parseNumber(text, ",");
    if (point !== undefined) this.pointNumbers++;
    else this.#odd["."].take(text, line);
    if (comma !== undefined) this.commaNumbers++;
    else this.#odd[","].take(text, line);
    this.#rowsSinceLast++;
    const value = point ?? comma;
    if (value !== undefined) this.#takeNumber(value);
    if (value === undefined && parseTime(text, ".") !== undefined) this.#dates++;
    else this.#odd.date.take(text, line);
    if (value === undefined && isForeignDate(text)) this.#foreignDates++;
    if (parseBinary(text) !== undefined) this.#binaries++;
    if (this.#distinct === undefined) return;
    this.#distinct.set(text, (this.#distinct.get(text) ?? 0) + 1);
    if (this.#distinct.size > MAX_DISTINCT) this.#distinct = undefined;
  }

  #takeNumber(value: number): void {
    if (Number.isSafeInteger(value)) this.#wholes++;
    if (this.#last !== undefined && value === this.#last + this.#rowsSinceLast) this.#risesByOne++;
    this.#last = value;
    this.#rowsSinceLast = 0;
  }

  profile(rowCount: number, decimal: Decimal): ColumnProfile {
    const numbers = decimal === "," ? this.commaNumbers : this.pointNumbers;
    const nearlyAll = (count: number): boolean => this.#count > 0 && count >= NEARLY_ALL * this.#count;
    const isNumber = nearlyAll(numbers);
    const isDate = nearlyAll(this.#dates);
    const odd = isNumber ? this.#odd[decimal] : isDate ? this.#odd.date : NO_ODD_CELLS;
    const allBut = (others: number, count: number): boolean => this.#count > 0 && count === this.#count - others;
    return {
      name: this.name,
      rowCount,
      missingCount: this.#missingCount,
      firstMissingLine: this.#firstMissingLine,
      isNumber,
      isDate,
      isForeignDate: nearlyAll(this.#foreignDates),
      isBinary: allBut(0, this.#binaries) || allBut(odd.count, this.#binaries),
      isWhole: allBut(odd.count, this.#wholes),
      odd,
      isCounter: isNumber && numbers > 2 && numbers >= NEARLY_ALL * rowCount && this.#risesByOne === numbers - 1,
      distinct: this.#distinct,
    };
  }
}

/** The encoding in which the text can be read, and its first line that is not blank. */
async function sniffText(path: string, stated: string | undefined): Promise<{ encoding: string; head: string }> {
  const candidates = stated === undefined ? ["utf-8", "shift_jis"] : [stated];
  for (const [i, encoding] of candidates.entries()) {
    try {
      return { encoding, head: await firstLine(path, encoding) };
    } catch (error) {
      const isDecoding = error instanceof KumiaiError && error.cause instanceof TypeError;
      if (!isDecoding || i === candidates.length - 1) throw error;
    }
  }
  throw new Error("no encoding to try");
}

/** Reads all of the file, so that a wrong byte anywhere is met. */
async function firstLine(path: string, encoding: string): Promise<string> {
  let head = "";
  await streamText(
    path,
    async (text) => {
      for await (const piece of text) if (head.trimStart().indexOf("\n") < 0) head += piece;
    },
    encoding,
  );
  return head.trimStart().split("\n", 1)[0]?.trimEnd() ?? "";
}

const withoutQuoted = (line: string): string => line.replace(/"(?:[^"]|"")*"/g, "x");

/** The mark that occurs most in the first line. */
function delimiterOf(head: string): string {
  const plain = withoutQuoted(head);
  const counts = [",", ";", "\t", "|"].map((mark) => [mark, plain.split(mark).length - 1] as const);
  return counts.reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

function isRowOfNumbers(head: string, delimiter: string): boolean {
  const decimal = delimiter === "," ? "." : ",";
  return withoutQuoted(head)
    .split(delimiter)
    .every((field) => parseNumber(field.trim(), ".") !== undefined || parseNumber(field.trim(), decimal) !== undefined);
}

function decimalOf(columns: readonly ColumnStatistics[], delimiter: string): Decimal {
  if (delimiter === ",") return ".";
  const surplus = columns.reduce((sum, column) => sum + column.commaNumbers - column.pointNumbers, 0);
  return surplus > 0 ? "," : ".";
}
