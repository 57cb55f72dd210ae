/**
 * How unevenly a site sees the item classes (label skew): shares p ~ Dirichlet(a, …, a).
 *
 * Notation — code name, symbol:
 *   concentration  a      above 0; small: few classes have it all; large: all alike
 *   shares         p [K]  each 0 or more, sum 1
 *
 * p_k = g_k / Σ_j g_j with independent g_k ~ Gamma(a, 1). Everything stays in logarithms until the end: at a = 0.01 most g_k are
 * far below the smallest double, and p would be 0/0.
 *
 * Papers: Marsaglia & Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS 26(3), 2000, for a ≥ 1, and its boost
 * Gamma(a) = Gamma(a + 1)·U^(1/a) for a < 1; Hsu, Qi & Brown, arXiv:1909.06335, for skew by Dirichlet shares.
 * Differs from the latter in: a site's count of examples is not drawn.
 */
import { KumiaiError, type Rng } from "@kumiai/params";

/** ln g with g ~ Gamma(shape, 1). Mean of g: shape; variance: shape. */
export function drawLogGamma(shape: number, rng: Rng): number {
  if (shape < 1) return drawLogGamma(shape + 1, rng) + Math.log(1 - rng.uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = rng.normal();
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root ** 3;
    if (Math.log(1 - rng.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d) + Math.log(v);
  }
}

/** Shares of `classCount` classes. Throws INVALID_CONFIG unless `concentration` is a finite number above 0. */
export function drawClassShares(classCount: number, concentration: number, rng: Rng): readonly number[] {
  if (!(concentration > 0 && concentration < Number.POSITIVE_INFINITY)) {
    throw new KumiaiError("INVALID_CONFIG", `concentration: expected a number above 0, received ${concentration}`);
  }
  const logs = Array.from({ length: classCount }, () => drawLogGamma(concentration, rng));
  const highest = Math.max(...logs);
  // Below a of about 1e-307 even logarithms overflow; in the limit one class, any, has it all.
  if (!Number.isFinite(highest)) {
    const only = rng.int(classCount);
    return logs.map((_, k) => (k === only ? 1 : 0));
  }
  const parts = logs.map((log) => Math.exp(log - highest));
  const sum = parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / sum);
}

/** Draws a class by `shares`; takes one number from `rng`, as a draw from alike classes does. */
export function drawClass(shares: readonly number[], rng: Rng): number {
  const u = rng.uniform();
  let below = 0;
  let last = 0;
  for (let k = 0; k < shares.length; k++) {
    if (!(shares[k] > 0)) continue;
    below += shares[k];
    last = k;
    if (u < below) return k;
  }
  return last;
}
