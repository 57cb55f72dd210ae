/** What a field of a CSV file means. Functions return undefined for text that is not what is asked for, NaN for missing. */

export const DEFAULT_MISSING: readonly string[] = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"];

/** What the fraction of a number begins with. */
export type Decimal = "." | ",";

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A finite number; with a decimal comma, there is no point in it. */
export function parseNumber(text: string, decimal: Decimal): number | undefined {
  if (decimal === "," && text.includes(".")) return undefined;
  const plain = decimal === "," ? text.replace(",", ".") : text;
  if (!NUMBER.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? value : undefined;
}

const DATE_TIME =
  /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?)?(Z|[+-]\d{2}:?\d{2})?$/;

/**
 * A number as it is, or a date (`2024-05-01 13:00:00`, `2024/5/1 13:00`, ISO 8601) in seconds since 1970. Times without a zone
 * are taken as UTC, so that every machine reads the same.
 */
export function parseTime(text: string, decimal: Decimal): number | undefined {
  const number = parseNumber(text, decimal);
  if (number !== undefined) return number;
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  if (!isDay(year, month, day) || hour > 24 || minute > 59 || second > 60) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute) / 1000 + second - zoneSeconds(match[7]);
}

/** Whether the calendar has it: `Date` would take February 31st as a day of March. */
function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function zoneSeconds(zone: string | undefined): number {
  if (zone === undefined || zone === "Z") return 0;
  const digits = zone.replace(":", "");
  const seconds = Number(digits.slice(1, 3)) * 3600 + Number(digits.slice(3, 5)) * 60;
  return zone.startsWith("-") ? -seconds : seconds;
}

const YES = ["1", "1.0", "true", "yes", "y"];
const NO = ["0", "0.0", "false", "no", "n"];

/** 1 or 0; with `positive`, that text is 1 and all others are 0. */
export function parseBinary(text: string, positive?: string): 0 | 1 | undefined {
  if (positive !== undefined) return text === positive ? 1 : 0;
  const word = text.toLowerCase();
  if (YES.includes(word)) return 1;
  return NO.includes(word) ? 0 : undefined;
}
