/**
 * Relative gains Δ% and their spread.
 *
 *   task      Δ_t = s_t · 100 · (value − baseline) / |baseline|,  s_t = 1 if higher is better, else −1
 *   client    mean over its tasks;  seed: mean over its clients;  strategy: mean over seeds, paired with the baseline
 *
 * Cost: O(values). Source: Δm of multi-task learning, as the FedHCA² paper reports it.
 */

/** Mean of `values`; NaN when empty. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation (n − 1); null with fewer than two values. */
export function sampleStd(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/** 95 % interval of the mean by Student's t with n − 1 degrees of freedom; null with fewer than two values. */
export function interval95(values: readonly number[]): readonly [number, number] | null {
  const std = sampleStd(values);
  if (std === null) return null;
  const half = (studentT975(values.length - 1) * std) / Math.sqrt(values.length);
  const center = mean(values);
  return [center - half, center + half];
}

/**
 * The 97.5 % quantile of Student's t, by bisection on its distribution function; to 1e-10.
 * `degrees` ≥ 1.
 */
export function studentT975(degrees: number): number {
  let low = 0;
  let high = 20;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (centralMass(middle, degrees) < 0.95) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(|T| ≤ t) by the finite sums for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4). */
function centralMass(t: number, degrees: number): number {
  const theta = Math.atan(t / Math.sqrt(degrees));
  const cos = Math.cos(theta);
  const sin = Math.sin(theta);
  const isOdd = degrees % 2 === 1;
  if (degrees === 1) return (2 * theta) / Math.PI;
  let term = isOdd ? cos : 1;
  let sum = term;
  for (let k = isOdd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= (((k - 1) / k) * cos * cos) as number;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (theta + sin * sum) : sin * sum;
}
