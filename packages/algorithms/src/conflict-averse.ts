/**
 * Conflict-averse direction for the shared encoder (CAGrad, Liu et al. 2021; step 2 and 3 of Hyper Conflict-Averse
 * Aggregation in FedHCA², arXiv 2311.13250).
 *
 * Notation — code name, symbol, shape:
 *   gram     G    [N, N]  G_ij = ⟨Δ_i, Δ_j⟩, row-major, in f64
 *   radius   c    scalar  c ≥ 0; c = 0 gives the plain mean
 *   weights  w*   [N]     argmin over the simplex of (1/N)·1ᵀGw + c·‖g₀‖·√(wᵀGw), with ‖g₀‖² = mean(G)
 *   factors       [N]     Ũ = Σ_j factors_j·Δ_j = (g₀ + λ·Σ_j w*_j Δ_j) / (1 + c²), λ = c·‖g₀‖ / ‖Σ_j w*_j Δ_j‖
 *
 * Everything depends on G alone, never on the params. Degenerate cases, where the formulas divide zero by zero: if g₀
 * vanishes against the mean norm, weights are uniform and Ũ = 0; if Σ w*_j Δ_j vanishes, its term is left out.
 *
 * Differs from the paper's implementation in: the minimum is exact and does not depend on the scale of the updates.
 */
import { quadraticForm } from "./dense-loops.js";
import { minimizeOverSimplex } from "./simplex-solver.js";

export interface ConflictAverse {
  /** w*, in the order of the Gram's rows; at least 0, sum 1. */
  readonly weights: Float64Array;
  /** Ũ as a combination of the deltas. */
  readonly factors: Float64Array;
}

/** ‖g₀‖² below this part of the mean squared norm is rounding noise of the Gram. */
const VANISHING_MEAN = 1e-14;
/**
 * ‖Σ w*_j Δ_j‖² likewise, against (Σ w*_j ‖Δ_j‖)²; larger, because the direction that remains is scaled up, and with it the rounding of
 * the deltas.
 */
const VANISHING_MIX = 1e-10;

/** `gram`: entries up to 1e300; where a diagonal entry is 1e300 times smaller than the largest, its update counts as zero. */
export function solveConflictAverse(gram: Float64Array, radius: number): ConflictAverse {
  const count = Math.sqrt(gram.length);
  const uniform = new Float64Array(count).fill(1 / count);
  const scaled = scaleToUnitMean(gram, count);
  const sums = rowSums(scaled, count);
  const meanNorm2 = sums.reduce((sum, value) => sum + value, 0) / (count * count);
  if (!(meanNorm2 > VANISHING_MEAN)) return { weights: uniform, factors: new Float64Array(count) };

  const meanNorm = Math.sqrt(meanNorm2);
  const linear = sums.map((value) => value / (count * meanNorm));
  const weights = minimizeOverSimplex({ gram: scaled, linear, radius });
  const norm2 = quadraticForm(scaled, weights);
  const lambda = norm2 > VANISHING_MIX * reachOf(scaled, weights) ** 2 ? (radius * meanNorm) / Math.sqrt(norm2) : 0;
  return { weights, factors: weights.map((weight) => (1 / count + lambda * weight) / (1 + radius * radius)) };
}

/**
 * The Gram of the same updates with one length for all, the mean of their norms, and what each was multiplied by; a zero update stays zero.
 * Ours: weights of `solveConflictAverse` are largest for the shortest updates, whatever their directions.
 */
export function equalizeLengths(gram: Float64Array): {
  readonly gram: Float64Array;
  readonly scales: Float64Array;
} {
  const count = Math.sqrt(gram.length);
  const norms = Float64Array.from({ length: count }, (_, i) => Math.sqrt(gram[i * count + i] ?? 0));
  const mean = norms.reduce((sum, norm) => sum + norm / count, 0);
  const scales = norms.map((norm) => (norm > 0 ? mean / norm : 1));
  const equalized = gram.map(
    (value, at) => value * (scales[Math.floor(at / count)] as number) * (scales[at % count] as number),
  );
  return { gram: equalized, scales };
}

/**
 * G / mean(diag G); all zeros stay zeros. The division makes the solve independent of the scale of the updates; by a power of two
 * first, which is exact, so that no sum overflows.
 */
function scaleToUnitMean(gram: Float64Array, count: number): Float64Array {
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, gram[i * count + i] ?? 0);
  if (!(largest > 0)) return new Float64Array(gram.length);
  const exponent = Math.floor(Math.log2(largest));
  // In two steps: 2^±1074 alone is beyond the range.
  const [near, far] = [2 ** -Math.trunc(exponent / 2), 2 ** (Math.trunc(exponent / 2) - exponent)];
  let trace = 0;
  for (let i = 0; i < count; i++) trace += (gram[i * count + i] ?? 0) * near * far;
  const mean = trace / count;
  const scaled = new Float64Array(gram.length);
  for (let at = 0; at < scaled.length; at++) scaled[at] = ((gram[at] as number) * near * far) / mean;
  return scaled;
}

function rowSums(matrix: Float64Array, count: number): Float64Array {
  const sums = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let j = 0; j < count; j++) sum += matrix[i * count + j] as number;
    sums[i] = sum;
  }
  return sums;
}

/** Σ w_j ‖Δ_j‖: what ‖Σ w_j Δ_j‖ would be if nothing cancelled. */
function reachOf(gram: Float64Array, weights: Float64Array): number {
  return weights.reduce((sum, weight, i) => sum + weight * Math.sqrt(gram[i * weights.length + i] ?? 0), 0);
}
