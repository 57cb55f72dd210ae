/**
 * Records of a CSV file, one at a time: quoted fields, doubled quotes, line breaks inside quotes, any line ends, byte order mark,
 * gzip when the name ends in `.gz`.
 *
 * Errors: FILE_NOT_FOUND, FILE_UNREADABLE (also text that is not in the stated encoding), DATA_MALFORMED with file and line.
 */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { KumiaiError } from "@kumiai/params";
import { CsvError, parse } from "csv-parse";
import { streamText } from "../read-numbers.js";
import type { Decimal } from "./cells.js";

/** How the text of a file is to be read. */
export interface CsvFormat {
  /** Between fields: one character, e.g. `,`, `;` or a tab. Default: `,`. */
  readonly delimiter?: string;
  /** What a fraction begins with: `1.5` or `1,5`. Default: `.`. */
  readonly decimal?: Decimal;
  /** Whether the first record names the columns; else they are called `1`, `2`, … Default: true. */
  readonly header?: boolean;
  /** Fields that stand for "not measured"; blanks around a field do not count. Default: empty, NA, N/A, NaN, nan, null, NULL. */
  readonly missing?: readonly string[];
  /** E.g. `shift_jis`; any name that TextDecoder knows. Default: `utf-8`. */
  readonly encoding?: string;
  /** Records to leave out, told by their fields. For a first look at a file; a scenario has no such key. */
  readonly skip?: (fieldOf: (column: string) => string) => boolean;
}

export interface CsvReader {
  /** Once, before any record. */
  columns(names: readonly string[]): void;
  /** `place`: file and line, for messages. `line`: the record's last. */
  record(fields: readonly string[], place: string, line: number): void;
}

export async function readCsv(path: string, format: CsvFormat, reader: CsvReader): Promise<void> {
  const { header = true, skip } = format;
  let named = false;
  let at: ReadonlyMap<string, number> = new Map();
  const take: TakeRecord = (fields, line) => {
    const place = `${path}:${line}`;
    if (!named) {
      named = true;
      const names = header ? namesOf(fields, place) : fields.map((_, i) => String(i + 1));
      at = new Map(names.map((name, i) => [name, i]));
      reader.columns(names);
      if (header) return;
    }
    if (skip?.((column) => fields[at.get(column) ?? -1] ?? "")) return;
    reader.record(fields, place, line);
  };
  await streamText(path, (text) => parseInto(text, path, format, take), format.encoding);
  if (!named) throw malformedCsv(`${path}: expected a header and rows, found an empty file`, path);
}

type TakeRecord = (fields: readonly string[], line: number) => void;

async function parseInto(
  text: AsyncIterable<string>,
  path: string,
  { delimiter = "," }: CsvFormat,
  take: TakeRecord,
): Promise<void> {
  // Counted where the parser works: records that it has read but not handed over are lost when it fails.
  let lastLine = 0;
  const on_record = <T>(record: T, { lines }: { readonly lines: number }): T => {
    lastLine = lines;
    return record;
  };
  const parser = parse({ delimiter, bom: true, info: true, trim: true, skip_empty_lines: true, on_record });
  let refusal: unknown;
  const consume = async (records: AsyncIterable<unknown>): Promise<void> => {
    for await (const entry of records) {
      const { record, info } = entry as { record: string[]; info: { lines: number } };
      try {
        take(record, info.lines);
      } catch (error) {
        // The streams' own complaint about being ended early may come before this one.
        refusal = error;
        throw error;
      }
    }
  };
  try {
    await pipeline(Readable.from(text), parser, consume);
  } catch (cause) {
    if (refusal !== undefined) throw refusal;
    if (cause instanceof CsvError) {
      throw malformedCsv(`${placeOf(cause, path, lastLine + 1)}: ${explain(cause, lastLine + 1)}`, path, cause);
    }
    throw cause;
  }
}

/** A quote that stays open is met at the end of the file, which says nothing; its record begins where the last whole one ended. */
function placeOf({ code, lines }: CsvError, path: string, recordLine: number): string {
  const line = code === "CSV_QUOTE_NOT_CLOSED" ? recordLine : lines;
  return typeof line === "number" ? `${path}:${line}` : path;
}

/** What is wrong, without the fields themselves. `recordLine`: where the record begins that could not be read. */
function explain(error: CsvError, recordLine: number): string {
  switch (error.code) {
    case "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH":
    case "CSV_RECORD_INCONSISTENT_COLUMNS":
      return `expected as many fields as in the first line; ${error.message}`;
    case "CSV_QUOTE_NOT_CLOSED":
      return "expected a closing quote, found none up to the end of the file; it was opened in the record that begins in this line";
    case "CSV_INVALID_CLOSING_QUOTE":
    case "INVALID_OPENING_QUOTE": {
      const isLater = typeof error.lines === "number" && error.lines > recordLine;
      const hint = isLater ? `; a quote may have been opened by mistake since line ${recordLine}` : "";
      return `${error.message}${hint}`;
    }
    case "CSV_MAX_RECORD_SIZE":
      return "expected lines of at most 128,000 characters, found a longer one; is the quote or the delimiter right?";
    default:
      return error.message;
  }
}

function malformedCsv(message: string, path: string, cause?: unknown): KumiaiError {
  return new KumiaiError("DATA_MALFORMED", message, { path }, cause);
}

function namesOf(fields: readonly string[], place: string): readonly string[] {
  fields.forEach((name, i) => {
    const problem =
      name === "" ? "has no name" : fields.indexOf(name) < i ? `is called ${name} like another one` : undefined;
    if (problem === undefined) return;
    throw malformedCsv(
      `${place}: expected a header with a name of its own for every column; column ${i + 1} ${problem}`,
      place,
    );
  });
  return fields;
}
