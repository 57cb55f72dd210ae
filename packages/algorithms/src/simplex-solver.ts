/**
 * Minimizes  F(w) = bᵀw + ρ·√(wᵀGw)  over the simplex {w ≥ 0, Σw = 1}: convex for positive semidefinite G and ρ ≥ 0.
 *
 * Notation — code name, symbol, shape:
 *   gram      G  [N, N]  row-major, G = DᵀD up to rounding; D's columns are the updates Δ_j
 *   linear    b  [N]     b = Dᵀĝ for a unit vector ĝ
 *   radius    ρ  scalar
 *   norms        [N]     ‖Δ_j‖ = √G_jj
 *   image        [N]     Gw, kept up to date
 *   gradient     [N]     ∇F = b + ρ·Gw/√(wᵀGw)
 *
 * Two methods, one after the other:
 * 1. Exact line searches along pairs (weight moves from one entry to another), the pair chosen for the largest second-order
 *    decrease as in the solvers of support vector machines (Fan, Chen and Lin 2005). Each step is O(N), in closed form and never
 *    raises F; the start is uniform, so F(w*) ≤ F(uniform). Two thousand clients with a common direction are done here. It is
 *    done when no entry with weight has a gradient above the least one by more than rounding: a bound on F(w) − min F. Ties
 *    go to the lowest index.
 * 2. Where that takes too many steps (many clients of little in common, Grams near singular, the kink where wᵀGw = 0), the
 *    active-set method of simplex-support.ts goes on from there. The lower F of both is the answer.
 */
import { addScaled, dot } from "./dense-loops.js";
import { minimizeFromSupport, objectiveAt, type SimplexProblem } from "./simplex-support.js";

/** Roundings of a gradient entry that count as none, in units of ‖Δ_j‖·(1 + ρ·Σ w_i‖Δ_i‖/√(wᵀGw)). */
const GRADIENT_NOISE = 4 * Number.EPSILON;
/** wᵀGw, as a part of (Σ w_i‖Δ_i‖)², of a point that has arrived at the kink, up to rounding. */
const AT_KINK = 1e-15;

export function minimizeOverSimplex(problem: SimplexProblem): Float64Array {
  const pairs = openPairs(problem);
  if (stepUntilClosed(pairs) || problem.radius === 0) return normalized(pairs.weights);
  const first = normalized(pairs.weights);
  const firstValue = objectiveAt(problem, first);
  const second = minimizeFromSupport(problem, first);
  const secondValue = objectiveAt(problem, second);
  // Of two that are level, the one that ended with its gap closed.
  const level = GRADIENT_NOISE * (1 + problem.radius) * dot(first, 0, pairs.norms, 0, first.length);
  const [best, bestValue] = secondValue <= firstValue + level ? [second, secondValue] : [first, firstValue];
  const vertex = bestVertex(pairs);
  return vertex.value < bestValue ? best.map((_, j) => (j === vertex.index ? 1 : 0)) : best;
}

/** The single client with the lowest F = b_j + ρ‖Δ_j‖: exact where an update is zero, next to which rounding of others would count. */
function bestVertex({ linear, radius, norms }: Pairs): { readonly index: number; readonly value: number } {
  const values = linear.map((entry, j) => entry + radius * (norms[j] ?? 0));
  const value = values.reduce((low, entry) => Math.min(low, entry), Number.POSITIVE_INFINITY);
  return { index: values.indexOf(value), value };
}

interface Pairs extends SimplexProblem {
  readonly norms: Float64Array;
  readonly weights: Float64Array;
  readonly image: Float64Array;
  readonly gradient: Float64Array;
}

function openPairs(problem: SimplexProblem): Pairs {
  const { gram, linear } = problem;
  const count = linear.length;
  return {
    ...problem,
    norms: linear.map((_, j) => Math.sqrt(gram[j * count + j] ?? 0)),
    weights: new Float64Array(count).fill(1 / count),
    image: new Float64Array(count),
    gradient: new Float64Array(count),
  };
}

/** Whether the gap is closed; if not, nothing is gained any more or the steps are used up. */
function stepUntilClosed(pairs: Pairs): boolean {
  const count = pairs.weights.length;
  const stepLimit = 2 * count + 1000;
  const sinceFresh = count + 50;
  let noise = refresh(pairs);
  let age = 0;
  for (let step = 0; step < stepLimit; step++, age++) {
    if (age === sinceFresh) [noise, age] = [refresh(pairs), 0];
    const outcome = stepAlongBestPair(pairs, noise);
    if (outcome === "moved") continue;
    if (outcome === "stalled" || age === 0) return outcome === "closed";
    [noise, age] = [refresh(pairs), -1];
  }
  return false;
}

/** Gw from scratch, which undoes the rounding that steps leave behind. Returns the noise of a gradient entry in units of ‖Δ_j‖. */
function refresh({ gram, weights, image, norms, radius }: Pairs): number {
  const count = weights.length;
  image.fill(0);
  for (let j = 0; j < count; j++) {
    const weight = weights[j] ?? 0;
    if (weight > 0) addScaled(image, weight, gram, j * count, count);
  }
  const norm = Math.sqrt(Math.max(0, dot(weights, 0, image, 0, count)));
  const reach = dot(weights, 0, norms, 0, count);
  return norm > 0 ? GRADIENT_NOISE * (1 + (radius * reach) / norm) : 0;
}

/** One exact line search. `stalled`: the gap is open, but rounding leaves nothing to gain. */
function stepAlongBestPair(pairs: Pairs, noise: number): "moved" | "closed" | "stalled" {
  const { gram, weights, image, linear, radius, norms } = pairs;
  const count = weights.length;
  const norm2 = Math.max(0, dot(weights, 0, image, 0, count));
  if (radius > 0 && !(norm2 > AT_KINK * dot(weights, 0, norms, 0, count) ** 2)) return "stalled";
  const to = updateGradient(pairs, norm2);
  const from = bestSource(pairs, to, noise);
  if (from < 0) return "closed";

  const moved = lineMinimum({
    slope: (linear[to] ?? 0) - (linear[from] ?? 0),
    radius,
    curvature: curvatureOf(gram, count, to, from),
    cross: (image[to] ?? 0) - (image[from] ?? 0),
    norm2,
    limit: weights[from] ?? 0,
  });
  if (!(moved > 0)) return "stalled";
  weights[to] = (weights[to] ?? 0) + moved;
  weights[from] = (weights[from] ?? 0) - moved;
  const [toRow, fromRow] = [to * count, from * count];
  for (let i = 0; i < count; i++) {
    image[i] = (image[i] as number) + moved * ((gram[toRow + i] as number) - (gram[fromRow + i] as number));
  }
  return "moved";
}

/** ‖Δ_i − Δ_j‖² */
function curvatureOf(gram: Float64Array, count: number, i: number, j: number): number {
  const own = (gram[i * count + i] ?? 0) + (gram[j * count + j] ?? 0);
  return Math.max(0, own - 2 * (gram[i * count + j] ?? 0));
}

/** Fills the gradient; returns where it is least. */
function updateGradient({ linear, radius, image, gradient }: Pairs, norm2: number): number {
  const factor = radius === 0 ? 0 : radius / Math.sqrt(norm2);
  let least = 0;
  let low = Number.POSITIVE_INFINITY;
  for (let i = 0; i < gradient.length; i++) {
    const value = (linear[i] as number) + factor * (image[i] as number);
    gradient[i] = value;
    if (value < low) {
      least = i;
      low = value;
    }
  }
  return least;
}

/** The entry to take weight from: largest (∇F_j − ∇F_to)² / curvature among w_j > 0; −1 when the gap is closed. */
function bestSource({ gram, weights, gradient, norms }: Pairs, to: number, noise: number): number {
  const count = weights.length;
  const low = gradient[to] ?? 0;
  const row = to * count;
  const own = gram[row + to] ?? 0;
  const ownNorm = norms[to] ?? 0;
  let best = -1;
  let bestGain = 0;
  for (let j = 0; j < count; j++) {
    const excess = (gradient[j] as number) - low;
    const norm = norms[j] as number;
    if (!((weights[j] as number) > 0) || excess <= noise * (norm + ownNorm)) continue;
    const curvature = own + norm * norm - 2 * (gram[row + j] as number);
    const gain = (excess * excess) / Math.max(curvature, 1e-12 * (own + norm * norm));
    if (gain > bestGain) {
      best = j;
      bestGain = gain;
    }
  }
  return best;
}

interface Line {
  readonly slope: number;
  readonly radius: number;
  readonly curvature: number;
  readonly cross: number;
  readonly norm2: number;
  readonly limit: number;
}

/**
 * argmin over t in [0, limit] of β·t + ρ·√(A·t² + 2B·t + C), in closed form: with k = −β/ρ and D = C − B²/A, the root of
 * the derivative is t = (k·√(A·D / (A − k²)) − B) / A; where |k| ≥ √A the function is monotone.
 * β slope, ρ radius, A curvature, B cross, C norm2.
 */
function lineMinimum({ slope, radius, curvature, cross, norm2, limit }: Line): number {
  if (radius === 0 || curvature <= 0) {
    const derivative = radius === 0 ? slope : slope + (radius * cross) / Math.sqrt(norm2);
    return derivative < 0 ? limit : 0;
  }
  const ratio = -slope / radius;
  const room = curvature - ratio * ratio;
  if (room <= 0) return ratio > 0 ? limit : 0;
  const off = Math.max(0, norm2 - (cross * cross) / curvature);
  const root = (ratio * Math.sqrt((curvature * off) / room) - cross) / curvature;
  return Math.min(limit, Math.max(0, root));
}

function normalized(weights: Float64Array): Float64Array {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
