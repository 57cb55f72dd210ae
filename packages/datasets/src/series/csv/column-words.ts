import { DEFAULT_MISSING } from "./cells.js";
import { byValue } from "./load-csv.js";
import { type CsvFormat, readCsv } from "./records.js";

/**
 * The words in one column of several CSV files together, sorted as classes are; fields that stand for "missing" are none, and a file
 * without the column has none. Reads the files to their end. Throws FILE_NOT_FOUND, FILE_UNREADABLE, DATA_MALFORMED.
 */
export async function columnWords(
  paths: readonly string[],
  column: string,
  format: CsvFormat,
): Promise<readonly string[]> {
  const missing = new Set(format.missing ?? DEFAULT_MISSING);
  const words = new Set<string>();
  for (const path of paths) {
    let at = -1;
    await readCsv(path, format, {
      columns(names) {
        at = names.indexOf(column);
      },
      record(fields) {
        const text = fields[at];
        if (text !== undefined && !missing.has(text)) words.add(text);
      },
    });
  }
  return [...words].sort(byValue);
}
