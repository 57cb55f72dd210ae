/** Means over seeds, with their spread. */

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation (divided by n − 1); null with fewer than two values. */
export function sampleStd(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const center = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** 95 % interval of the mean, Student t with n − 1 degrees of freedom; null with fewer than two values. */
export function interval95(values: readonly number[]): readonly [number, number] | null {
  const std = sampleStd(values);
  if (std === null) return null;
  const center = mean(values);
  const reach = (studentQuantile975(values.length - 1) * std) / Math.sqrt(values.length);
  return [center - reach, center + reach];
}

/** 97.5 % quantile of Student's t for 1 to 30 degrees of freedom. */
const T_TABLE: readonly number[] = [
  12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.306, 2.26216, 2.22814, 2.20099, 2.17881, 2.16037,
  2.14479, 2.13145, 2.11991, 2.10982, 2.10092, 2.09302, 2.08596, 2.07961, 2.07387, 2.06866, 2.0639, 2.05954, 2.05553,
  2.05183, 2.04841, 2.04523, 2.04227,
];
const NORMAL_QUANTILE_975 = 1.959963985;

/**
 * 97.5 % quantile of Student's t: a table up to 30 degrees of freedom, then the Cornish-Fisher expansion
 * (Abramowitz and Stegun 26.7.5), good to 1e-5 there.
 */
export function studentQuantile975(degreesOfFreedom: number): number {
  const known = T_TABLE[degreesOfFreedom - 1];
  if (known !== undefined) return known;
  const z = NORMAL_QUANTILE_975;
  const n = degreesOfFreedom;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / n + second / n ** 2 + third / n ** 3;
}
