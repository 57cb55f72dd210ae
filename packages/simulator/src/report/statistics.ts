/** Mean and spread of values of which some may be missing. */
import { interval95, mean, sampleStd } from "@kumiai/algorithms";
import { isNumber } from "./format.js";

export interface Spread {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation; null with fewer than two values. */
  readonly std: number | null;
  /** 95 % interval of the mean, Student t; null with fewer than two values. */
  readonly interval95: readonly [number, number] | null;
}

/** Spread of the finite values; null where there is none. */
export function spreadOf(values: readonly (number | null | undefined)[]): Spread | null {
  const finite = values.filter(isNumber);
  if (finite.length === 0) return null;
  return { count: finite.length, mean: mean(finite), std: sampleStd(finite), interval95: interval95(finite) };
}

/** Of values that are all the same, up to the rounding of sums: chance cannot be told from such an interval. */
export function hasNoWidth([low, high]: readonly [number, number]): boolean {
  return high - low <= 1e-9 * Math.max(1, Math.abs(low), Math.abs(high));
}

export function meanOf(values: readonly (number | null | undefined)[]): number | null {
  const finite = values.filter(isNumber);
  return finite.length === 0 ? null : mean(finite);
}
