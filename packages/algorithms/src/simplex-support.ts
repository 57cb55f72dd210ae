/**
 * Finishes  min F(w) = bᵀw + ρ·√(wᵀGw)  over the simplex from any start, with an active-set method: the minimum over the
 * affine hull of a support S is in closed form, and S gains and loses one entry at a time.
 *
 * Notation — code name, symbol, shape:
 *   gram      G   [N, N]  row-major, G = DᵀD; D's columns are the updates Δ_j
 *   linear    b   [N]     in the range of G: b = Dᵀĝ for a unit vector ĝ
 *   radius    ρ   scalar  above 0
 *   level     μ   scalar  the multiplier of Σw = 1; F is homogeneous of degree 1, so at a minimum μ = F
 *
 * On S the conditions b + ρ·Gw/√(wᵀGw) = μ1 read G_SS v = (μ1 − b)/ρ for v = w/√(wᵀGw), hence vᵀGv = 1. With
 * y₁ = L⁻¹1 and y_b = L⁻¹b (G_SS = LLᵀ) that is  ‖y₁‖²μ² − 2⟨y₁, y_b⟩μ + ‖y_b‖² − ρ² = 0, of which the larger root has Σv > 0.
 * No real root: F falls without bound along L⁻ᵀ(y₁·⟨y₁, y_b⟩/‖y₁‖² − y_b), and the walk ends at a face. So Newton's steps are
 * exact, need no line search, and stay well defined next to the kink wᵀGw = 0.
 *
 * Columns that depend on those of S, Δ_j = Σ a_i·Δ_i: along n = e_j − a nothing but Σw changes, and F(w + tn) over Σ(w + tn)
 * falls in the direction that raises Σw if F > 0 and lowers it if F < 0, until an entry of S is used up. If n ≥ 0, the walk
 * arrives at the kink, F = 0. Whether F is negative anywhere is then a nonnegative least squares problem, solved by the
 * same steps with μ = 0 (Lawson and Hanson 1974): min ½ρ·vᵀGv + bᵀv over v ≥ 0 has Dv ≠ 0 where −ĝ is within reach.
 */
import { combineRowsInto, dot, quadraticForm } from "./dense-loops.js";
import { createGrowingCholesky, type GrowingCholesky } from "./growing-cholesky.js";

export interface SimplexProblem {
  readonly gram: Float64Array;
  readonly linear: Float64Array;
  readonly radius: number;
}

/** A point of the simplex, or of the cone v ≥ 0, and the factor of its support. */
interface Walk extends SimplexProblem {
  readonly kind: "simplex" | "cone";
  /** ‖Δ_j‖ */
  readonly norms: Float64Array;
  readonly cholesky: GrowingCholesky;
  readonly weights: Float64Array;
  /** [K], by position in the support: the minimizer v over its hull (or the direction in which F falls without bound). */
  readonly target: Float64Array;
  /** [N] Gv */
  readonly image: Float64Array;
  /** [N] 1 in the support, 0 elsewhere */
  readonly isMember: Uint8Array;
}

type Position = number;

/** Roundings of a gradient entry, in units of ‖Δ_j‖ + Σ v_i·‖Δ_i‖. */
const GRADIENT_NOISE = 16 * Number.EPSILON;
/** ‖Dw‖² at the kink, in units of (Σ w_i·‖Δ_i‖)². */
const KINK_NOISE = 16 * Number.EPSILON;
/** Targets in a row that do not lower F: rounding is all that is left. */
const IDLE_LIMIT = 20;

/** Weights at least as good as `start`, up to rounding; the minimum up to rounding, unless the steps run out. */
export function minimizeFromSupport(problem: SimplexProblem, start: Float64Array): Float64Array {
  const walk = openWalk(problem, "simplex", start);
  const startsAtKink = isAtKink(problem, start);
  const value = startsAtKink ? 1 : objectiveAt(problem, start);
  const arrives = enterSupport(walk, value) === "kink" || followSupports(walk) === "kink";
  if (problem.radius >= 1 || !(startsAtKink || arrives)) return walk.weights;

  const cone = openWalk(problem, "cone", new Float64Array(start.length));
  followSupports(cone);
  const total = cone.weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) return walk.weights;
  const share = cone.weights.map((weight) => weight / total);
  if (!(objectiveAt(problem, share) < 0)) return walk.weights;
  const below = openWalk(problem, "simplex", share);
  if (enterSupport(below, -1) === "entered") followSupports(below);
  return objectiveAt(problem, below.weights) < objectiveAt(problem, walk.weights) ? below.weights : walk.weights;
}

/** F(w) */
export function objectiveAt({ gram, linear, radius }: SimplexProblem, weights: Float64Array): number {
  return dot(linear, 0, weights, 0, weights.length) + radius * Math.sqrt(Math.max(0, quadraticForm(gram, weights)));
}

/** Whether ‖Dw‖ may be nothing but rounding. */
function isAtKink({ gram }: SimplexProblem, weights: Float64Array): boolean {
  const count = weights.length;
  let reach = 0;
  for (let i = 0; i < count; i++) reach += (weights[i] ?? 0) * Math.sqrt(gram[i * count + i] ?? 0);
  return !(quadraticForm(gram, weights) > KINK_NOISE * reach * reach);
}

function openWalk(problem: SimplexProblem, kind: Walk["kind"], start: Float64Array): Walk {
  const { gram, linear } = problem;
  const count = linear.length;
  return {
    ...problem,
    kind,
    norms: linear.map((_, j) => Math.sqrt(gram[j * count + j] ?? 0)),
    cholesky: createGrowingCholesky(gram, linear),
    weights: start.slice(),
    target: new Float64Array(count),
    image: new Float64Array(count),
    isMember: new Uint8Array(count),
  };
}

/** Factors the support of the start, heaviest entries first; entries that depend on those before are walked away. */
function enterSupport(walk: Walk, value: number): "entered" | "kink" {
  const { weights, norms } = walk;
  const share = (j: number): number => (weights[j] ?? 0) * (norms[j] ?? 0);
  const support = [...weights.keys()].filter((j) => (weights[j] ?? 0) > 0).sort((i, j) => share(j) - share(i) || i - j);
  for (const j of support) if (admit(walk, j, value) === "kink") return "kink";
  return "entered";
}

/** Brings j into the factor, or its weight to 0. `value`: F, for its sign. */
function admit(walk: Walk, j: number, value: number): "entered" | "kink" {
  const { cholesky } = walk;
  for (;;) {
    const coefficients = cholesky.append(j);
    if (coefficients === undefined) return "entered";
    const used = walkAlongDependence(walk, j, coefficients, value);
    if (used === "kink") return "kink";
    if (used === "self") return "entered";
    cholesky.removeAt(used);
  }
}

/** Moves along ±(e_j − a) until an entry is used up: that of a member, j ("self"), or none ("kink": the weights are there). */
function walkAlongDependence(
  walk: Walk,
  j: number,
  coefficients: Float64Array,
  value: number,
): Position | "self" | "kink" {
  const { cholesky, weights } = walk;
  const { members } = cholesky;
  const own = weights[j] ?? 0;
  const gain = 1 - coefficients.reduce((sum, coefficient) => sum + coefficient, 0);
  const rising = own === 0 || value * gain > 0;
  const sign = rising ? 1 : -1;
  let used: Position | "self" | "kink" = rising ? "kink" : "self";
  let length = rising ? Number.POSITIVE_INFINITY : own;
  for (let i = 0; i < members.length; i++) {
    const fall = sign * (coefficients[i] ?? 0);
    const weight = weights[members[i] ?? 0] ?? 0;
    if (fall > 0 && weight < length * fall) {
      used = i;
      length = weight / fall;
    }
  }
  if (used === "kink") {
    weights.fill(0);
    length = 1;
  }
  weights[j] = used === "self" ? 0 : Math.max(0, (weights[j] ?? 0) + sign * length);
  for (let i = 0; i < members.length; i++) {
    const at = members[i] ?? 0;
    const moved = (weights[at] ?? 0) - sign * length * (coefficients[i] ?? 0);
    weights[at] = i === used ? 0 : Math.max(0, moved);
  }
  scaleToUnitSum(walk);
  return used;
}

function scaleToUnitSum({ kind, weights }: Walk): void {
  if (kind === "cone") return;
  const total = weights.reduce((sum, value) => sum + value, 0);
  for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] ?? 0) / total;
}

/** From face to face until no entry outside the support would lower F; back to the best target where rounding led astray. */
function followSupports(walk: Walk): "done" | "kink" {
  const { cholesky, weights } = walk;
  const stepLimit = 3 * weights.length + 100;
  const best = weights.slice();
  let lowest = Number.POSITIVE_INFINITY;
  let idle = 0;
  let outcome: "done" | "kink" = "done";
  for (let step = 0; step < stepLimit && idle < IDLE_LIMIT; step++) {
    const level = aimAtTarget(walk);
    const leaving = stepTowardsTarget(walk, level);
    if (leaving >= 0) {
      cholesky.removeAt(leaving);
      continue;
    }
    if (level === undefined) break;
    const merit = walk.kind === "simplex" ? level : coneValue(cholesky);
    idle = merit < lowest ? 0 : idle + 1;
    if (merit < lowest) {
      lowest = merit;
      best.set(weights);
    }
    const entering = mostViolating(walk, level);
    if (entering < 0) return outcome;
    outcome = enter(walk, entering, level);
    if (outcome === "kink") break;
  }
  if (walk.kind === "simplex" && objectiveAt(walk, best) < objectiveAt(walk, weights)) weights.set(best);
  return outcome;
}

/** 2ρ·(½ρ·vᵀGv + bᵀv) at its minimum over the span of the support. */
function coneValue({ halfLinear, members }: GrowingCholesky): number {
  return -dot(halfLinear, 0, halfLinear, 0, members.length);
}

/** A cone's entries cannot depend on those before, but for rounding: then they stay out. */
function enter(walk: Walk, j: number, level: number): "done" | "kink" {
  if (walk.kind === "simplex") return admit(walk, j, level) === "kink" ? "kink" : "done";
  walk.cholesky.append(j);
  return "done";
}

/** Fills `target` and returns μ; undefined if F falls without bound along `target`. */
function aimAtTarget({ kind, radius, cholesky, target }: Walk): number | undefined {
  const { halfOnes, halfLinear, members } = cholesky;
  const size = members.length;
  const ones = dot(halfOnes, 0, halfOnes, 0, size);
  const mixed = dot(halfOnes, 0, halfLinear, 0, size);
  const own = dot(halfLinear, 0, halfLinear, 0, size);
  const room = mixed * mixed - ones * (own - radius * radius);
  const bounded = kind === "cone" || room > 0;
  const level = kind === "cone" ? 0 : bounded ? (mixed + Math.sqrt(room)) / ones : mixed / ones;
  for (let i = 0; i < size; i++) target[i] = (level * (halfOnes[i] ?? 0) - (halfLinear[i] ?? 0)) / radius;
  cholesky.solveUpperInto(target);
  return bounded ? level : undefined;
}

/** Goes to the target, or as far as the face allows: then returns the position of the entry that is used up, otherwise −1. */
function stepTowardsTarget(walk: Walk, level: number | undefined): Position {
  const { kind, cholesky, weights, target } = walk;
  const { members } = cholesky;
  const size = members.length;
  let total = 0;
  for (let i = 0; i < size; i++) total += target[i] ?? 0;
  const scale = level === undefined || kind === "cone" ? 1 : 1 / total;
  const towards = level === undefined ? 0 : 1;
  let leaving = -1;
  let length = level === undefined ? Number.POSITIVE_INFINITY : 1;
  for (let i = 0; i < size; i++) {
    const weight = weights[members[i] ?? 0] ?? 0;
    const fall = towards * weight - scale * (target[i] ?? 0);
    if (fall > 0 && weight < length * fall) {
      leaving = i;
      length = weight / fall;
    }
  }
  if (length === Number.POSITIVE_INFINITY) return -1;
  const keep = 1 - towards * length;
  for (let i = 0; i < size; i++) {
    const at = members[i] ?? 0;
    const moved = keep * (weights[at] ?? 0) + length * scale * (target[i] ?? 0);
    weights[at] = i === leaving ? 0 : Math.max(0, moved);
  }
  scaleToUnitSum(walk);
  return leaving;
}

/** The entry outside the support whose gradient b + ρ·Gv is furthest below μ, in units of its rounding; −1 if none is below it. */
function mostViolating(walk: Walk, level: number): number {
  const { gram, linear, radius, cholesky, target, image, norms, isMember } = walk;
  const { members } = cholesky;
  combineRowsInto(image, gram, members, target);
  isMember.fill(0);
  let reach = 1;
  for (let i = 0; i < members.length; i++) {
    const at = members[i] as number;
    isMember[at] = 1;
    reach += (target[i] as number) * (norms[at] as number);
  }
  let entering = -1;
  let worst = 1;
  for (let j = 0; j < linear.length; j++) {
    if (isMember[j] === 1) continue;
    const noise = GRADIENT_NOISE * ((1 + radius * reach) * (norms[j] as number) + Math.abs(level));
    const violation = (level - (linear[j] as number) - radius * (image[j] as number)) / noise;
    if (violation > worst) {
      entering = j;
      worst = violation;
    }
  }
  return entering;
}
