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
import { minimizeOverSimplex } from "./simplex-solver.js";

export interface ConflictAverse {
  /** w*, in the order of the Gram's rows; at least 0, sum 1. */
  readonly weights: Float64Array;
  /** Ũ as a combination of the deltas. */
  readonly factors: Float64Array;
}

/** ‖g₀‖² below this part of the mean squared norm is rounding noise of the Gram. */
const VANISHING_MEAN = 1e-14;
/** ‖Σ w*_j Δ_j‖² likewise; larger, because the direction that remains is scaled up, and with it the rounding of the deltas. */
const VANISHING_MIX = 1e-10;

export function solveConflictAverse(gram: Float64Array, radius: number): ConflictAverse {
  const count = Math.sqrt(gram.length);
  const uniform = new Float64Array(count).fill(1 / count);
  const scaled = scaleToUnitMean(gram, count);
  const meanNorm2 = scaled.reduce((sum, value) => sum + value, 0) / (count * count);
  if (!(meanNorm2 > VANISHING_MEAN)) return { weights: uniform, factors: new Float64Array(count) };

  const meanNorm = Math.sqrt(meanNorm2);
  const linear = rowMeans(scaled, count).map((value) => value / meanNorm);
  // The linear term is ⟨g₀/‖g₀‖, gw⟩ ≥ −‖gw‖, so for c ≥ 1 the objective is nowhere below 0.
  const weights = minimizeOverSimplex(scaled, linear, radius, radius >= 1 ? 0 : undefined);
  const weightedNorm2 = quadraticForm(scaled, weights);
  const lambda = weightedNorm2 > VANISHING_MIX ? (radius * meanNorm) / Math.sqrt(weightedNorm2) : 0;
  return { weights, factors: weights.map((weight) => (1 / count + lambda * weight) / (1 + radius * radius)) };
}

/** G / mean(diag G); all zeros stay zeros. The division makes the solve independent of the scale of the updates. */
function scaleToUnitMean(gram: Float64Array, count: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < count; i++) trace += gram[i * count + i] ?? 0;
  return trace > 0 ? gram.map((value) => (value * count) / trace) : new Float64Array(gram.length);
}

function rowMeans(matrix: Float64Array, count: number): Float64Array {
  return new Float64Array(count).map((_, i) => {
    const row = matrix.subarray(i * count, (i + 1) * count);
    return row.reduce((sum, value) => sum + value, 0) / count;
  });
}

function quadraticForm(matrix: Float64Array, x: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    let row = 0;
    for (let j = 0; j < x.length; j++) row += (matrix[i * x.length + j] ?? 0) * (x[j] ?? 0);
    sum += (x[i] ?? 0) * row;
  }
  return Math.max(0, sum);
}
