/**
 * Minimizes  F(w) = bᵀw + ρ·√(wᵀGw)  over the simplex {w ≥ 0, Σw = 1}: convex for positive semidefinite G and ρ ≥ 0.
 *
 * Notation — code name, symbol, shape:
 *   gram      G  [N, N]  row-major, positive semidefinite, mean diagonal about 1
 *   linear    b  [N]
 *   radius    ρ  scalar
 *   image        [N]     Gw, kept up to date
 *   gradient     [N]     ∇F = b + ρ·Gw/√(wᵀGw)
 *
 * Method: exact line searches along pairs (weight moves from one entry to another), the pair chosen for the largest
 * second-order decrease as in the solvers of support vector machines (Fan, Chen and Lin 2005). Each step is O(N) and in
 * closed form, and never raises F; the start is uniform, so F(w*) ≤ F(uniform). It ends when the duality gap
 * max{∇F_j : w_j > 0} − min ∇F, a bound on F(w) − min F, is at rounding level. Ties go to the lowest index.
 *
 * F has one kink, where wᵀGw = 0 and F = 0, and pairs may stall on the way into or past it. So where the gap stays open,
 * the same steps are tried with √(q) smoothed to √(q + ε²), ε falling from 0.1, each stage from the end of the one before,
 * and for the smallest wᵀGw alone; the lowest F of all that was found wins. It needs a convex hull that contains 0, or nearly,
 * so hardly occurs with more params than clients. Limits on the number of steps bound the time.
 *
 * The first attempt uses ε = 1e-12, far below any norm that counts, so that the gradient exists at 0.
 */
const SMOOTHING2 = 1e-24;
const RELATIVE_GAP = 1e-14;
const NEAR_BOUND = 1e-7;
/** wᵀGw of a point that has arrived at the kink. */
const AT_KINK = 1e-16;
/** ε² of the stages. */
const STAGES2 = [1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-16, SMOOTHING2];

/** `lowerBound`: what F is known to be at least; a point that reaches it is not improved further. */
export function minimizeOverSimplex(
  gram: Float64Array,
  linear: Float64Array,
  radius: number,
  lowerBound = Number.NEGATIVE_INFINITY,
): Float64Array {
  const problem = openProblem(gram, linear, radius, "norm");
  if (descend(problem, SMOOTHING2)) return normalized(problem.weights);

  let best = normalized(problem.weights);
  let bestValue = objective(best, gram, linear, radius);
  const consider = (weights: Float64Array): void => {
    const value = objective(weights, gram, linear, radius);
    if (value < bestValue) [best, bestValue] = [weights, value];
  };
  const gradual = openProblem(gram, linear, radius, "norm");
  const smallest = openProblem(gram, new Float64Array(linear.length), 1, "square");
  const attempts = [() => attempt(smallest, SMOOTHING2), ...STAGES2.map((stage2) => () => attempt(gradual, stage2))];
  for (const next of attempts) {
    if (bestValue <= lowerBound + NEAR_BOUND) break;
    consider(next());
  }
  return best;
}

function attempt(problem: Problem, smoothing2: number): Float64Array {
  descend(problem, smoothing2);
  return normalized(problem.weights);
}

/** Steps until the gap is closed (true), or nothing is gained any more or the steps are used up (false). `smoothing2` is ε². */
function descend(problem: Problem, smoothing2: number): boolean {
  const { gram, linear, radius, weights } = problem;
  const count = weights.length;
  const gapLimit = RELATIVE_GAP * (maxAbs(linear) + radius * Math.sqrt(maxDiagonal(gram, count)));
  const stepLimit = 10 * count + 10_000;
  for (let step = 0; step < stepLimit; step++) {
    if (step % (count + 50) === 0) refreshImage(problem);
    const outcome = stepAlongBestPair(problem, gapLimit, smoothing2);
    if (outcome !== "moved") return outcome === "closed";
  }
  return false;
}

function objective(weights: Float64Array, gram: Float64Array, linear: Float64Array, radius: number): number {
  const problem = { ...openProblem(gram, linear, radius, "norm"), weights };
  refreshImage(problem);
  const norm2 = Math.max(0, innerProduct(weights, problem.image));
  return innerProduct(linear, weights) + radius * Math.sqrt(norm2);
}

interface Problem {
  readonly gram: Float64Array;
  readonly linear: Float64Array;
  readonly radius: number;
  /** What follows ρ: √(wᵀGw), or ½·wᵀGw. */
  readonly term: "norm" | "square";
  readonly weights: Float64Array;
  readonly image: Float64Array;
  readonly gradient: Float64Array;
}

function openProblem(gram: Float64Array, linear: Float64Array, radius: number, term: Problem["term"]): Problem {
  const count = linear.length;
  const weights = new Float64Array(count).fill(1 / count);
  return {
    gram,
    linear,
    radius,
    term,
    weights,
    image: new Float64Array(count),
    gradient: new Float64Array(count),
  };
}

/** One exact line search. `stalled`: the gap is open, but rounding leaves nothing to gain. */
function stepAlongBestPair(problem: Problem, gapLimit: number, smoothing2: number): "moved" | "closed" | "stalled" {
  const { gram, weights, image, gradient, linear, radius } = problem;
  const count = weights.length;
  const norm2 = updateGradient(problem, smoothing2);
  if (problem.term === "norm" && norm2 < AT_KINK) return "stalled";
  const to = indexOfMin(gradient);
  const from = bestSource(problem, to, gapLimit);
  if (from < 0) return "closed";

  const at = (i: number, j: number): number => gram[i * count + j] ?? 0;
  const line = {
    slope: (linear[to] ?? 0) - (linear[from] ?? 0),
    radius,
    curvature: Math.max(0, at(to, to) + at(from, from) - 2 * at(to, from)),
    cross: (image[to] ?? 0) - (image[from] ?? 0),
    norm2,
    limit: weights[from] ?? 0,
  };
  const moved = problem.term === "norm" ? lineMinimum(line) : squareLineMinimum(line);
  if (!(moved > 0)) return "stalled";
  weights[to] = (weights[to] ?? 0) + moved;
  weights[from] = (weights[from] ?? 0) - moved;
  for (let i = 0; i < count; i++) image[i] = (image[i] ?? 0) + moved * (at(to, i) - at(from, i));
  return "moved";
}

/** Fills the gradient; returns wᵀGw + ε². */
function updateGradient({ linear, radius, term, weights, image, gradient }: Problem, smoothing2: number): number {
  const norm2 = Math.max(0, innerProduct(weights, image)) + smoothing2;
  const factor = term === "norm" ? radius / Math.sqrt(norm2) : radius;
  for (let i = 0; i < weights.length; i++) gradient[i] = (linear[i] ?? 0) + factor * (image[i] ?? 0);
  return norm2;
}

/** The entry to take weight from: largest (∇F_j − ∇F_to)² / curvature among w_j > 0; −1 when the gap is closed. */
function bestSource({ gram, weights, gradient }: Problem, to: number, gapLimit: number): number {
  const count = weights.length;
  const low = gradient[to] ?? 0;
  const own = gram[to * count + to] ?? 0;
  let best = -1;
  let bestGain = 0;
  for (let j = 0; j < count; j++) {
    const excess = (gradient[j] ?? 0) - low;
    if (!((weights[j] ?? 0) > 0) || excess <= gapLimit) continue;
    const curvature = own + (gram[j * count + j] ?? 0) - 2 * (gram[to * count + j] ?? 0);
    const gain = (excess * excess) / Math.max(curvature, 1e-12);
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
    const derivative = slope + (radius * cross) / Math.sqrt(norm2);
    return derivative < 0 ? limit : 0;
  }
  const ratio = -slope / radius;
  const room = curvature - ratio * ratio;
  if (room <= 0) return ratio > 0 ? limit : 0;
  const off = Math.max(0, norm2 - (cross * cross) / curvature);
  const root = (ratio * Math.sqrt((curvature * off) / room) - cross) / curvature;
  return Math.min(limit, Math.max(0, root));
}

/** argmin over t in [0, limit] of β·t + ρ·(A·t² + 2B·t)/2. */
function squareLineMinimum({ slope, radius, curvature, cross, limit }: Line): number {
  const derivative = slope + radius * cross;
  if (derivative >= 0) return 0;
  return curvature > 0 ? Math.min(limit, -derivative / (radius * curvature)) : limit;
}

/** Gw from scratch: undoes the rounding that steps leave behind. */
function refreshImage({ gram, weights, image }: Problem): void {
  const count = weights.length;
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let j = 0; j < count; j++) sum += (gram[i * count + j] ?? 0) * (weights[j] ?? 0);
    image[i] = sum;
  }
}

function innerProduct(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] ?? 0) * (y[i] ?? 0);
  return sum;
}

function normalized(weights: Float64Array): Float64Array {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function indexOfMin(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) < (values[best] ?? 0)) best = i;
  return best;
}

function maxAbs(values: Float64Array): number {
  return values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

function maxDiagonal(matrix: Float64Array, count: number): number {
  let max = 0;
  for (let i = 0; i < count; i++) max = Math.max(max, matrix[i * count + i] ?? 0);
  return max;
}
