/** Numbers as a reader wants them: a real minus sign, a fixed number of decimals, "n/a" where nothing was measured. */

export const MISSING = "n/a";
const NBSP = "\u00a0";

/** `digits` decimals, U+2212 as minus, never "−0.0"; "n/a" for null and for what is not finite. */
export function formatNumber(value: number | null | undefined, digits: number): string {
  if (!isNumber(value)) return MISSING;
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
}

/** As `formatNumber`, with "+" before what is positive after rounding. */
export function formatSigned(value: number | null | undefined, digits: number): string {
  const text = formatNumber(value, digits);
  return isNumber(value) && value > 0 && Number(text) !== 0 ? `+${text}` : text;
}

/** "+1.2 %", signed. */
export function formatGain(value: number | null | undefined, digits = 1): string {
  return isNumber(value) ? `${formatSigned(value, digits)}${NBSP}%` : MISSING;
}

/** "−0.3 … +2.7 %". */
export function formatInterval(interval: readonly [number, number] | null, digits = 1): string {
  if (interval === null) return MISSING;
  return `${formatSigned(interval[0], digits)}${NBSP}…${NBSP}${formatSigned(interval[1], digits)}${NBSP}%`;
}

/** A metric in its unit: percent with one decimal, degrees with two, anything else with three. */
export function formatMetric(value: number | null | undefined, unit: string): string {
  return formatNumber(value, metricDigits(unit));
}

export function metricDigits(unit: string): number {
  if (unit === "%") return 1;
  return unit === "°" ? 2 : 3;
}

/** Three significant digits below 100, whole above: "0.0852", "2.47", "1443". */
export function formatAmount(value: number | null | undefined): string {
  if (!isNumber(value)) return MISSING;
  if (value === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  return formatNumber(value, Math.max(0, Math.min(6, 2 - magnitude)));
}

/** A mean count: whole numbers as such, others with one decimal. */
export function formatCount(count: number): string {
  return formatNumber(count, Number.isInteger(count) ? 0 : 1);
}

/** Decimal units, as network people count: 1 MB is 10⁶ bytes. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return MISSING;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let index = 0;
  while (Math.abs(value) >= 999.5 && index < units.length - 1) {
    value /= 1000;
    index++;
  }
  const digits = index === 0 || Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2;
  return `${formatNumber(value, digits)}${NBSP}${units[index]}`;
}

/** "3 h 5 min", "4 min 10 s", "12 s", "0.8 s". */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return MISSING;
  if (seconds < 10) return `${formatNumber(seconds, 1)}${NBSP}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${NBSP}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}${NBSP}min ${whole % 60}${NBSP}s`;
  return `${Math.floor(minutes / 60)}${NBSP}h ${minutes % 60}${NBSP}min`;
}

/** "1 seed", "5 seeds". */
export function plural(count: number, singular: string, many = `${singular}s`): string {
  return `${count}${NBSP}${count === 1 ? singular : many}`;
}

/** "a", "a and b", "a, b and c". */
export function listInWords(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

export function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
