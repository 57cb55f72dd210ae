/** `result.json` as text: the same result gives the same bytes. */
import type { ComparisonResult } from "./result.js";

/** Significant digits kept: far beyond what a metric means, and short enough to read. */
const DIGITS = 9;

/**
 * Two-space indentation; keys in the order in which the result was built; numbers to 9 significant digits; numbers that JSON cannot
 * hold become null. Ends with a newline.
 */
export function serializeResult(result: ComparisonResult): string {
  return `${JSON.stringify(result, (_, value: unknown) => (typeof value === "number" ? roundedNumber(value) : value), 2)}\n`;
}

/** The result without its measured times, for comparing two runs. */
export function withoutTimes(text: string): string {
  return `${JSON.stringify(
    JSON.parse(text, (key, value: unknown) => (key === "seconds" ? undefined : value)),
    null,
    2,
  )}\n`;
}

/** As it stands in the file; null for what does not exist. */
export function roundedNumber(value: number | null): number | null {
  if (value === null || !Number.isFinite(value)) return null;
  return Number.isInteger(value) ? value : Number(value.toPrecision(DIGITS));
}
