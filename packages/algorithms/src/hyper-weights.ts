/**
 * Learnable hyper-weights of FedHCA² (arXiv 2311.13250) and their optimizer.
 *
 * Notation — code name, symbol, shape:
 *   value     α_i or β_{ℓ,k}  scalar  how much of the others' work goes into the params; clamped to [0, 1] when used
 *   velocity  v               scalar  momentum; 0 before the first step
 *   gradient  g               scalar  of the loss by the hyper-weight, see `maskedGradient`
 *
 * One step: g ← g + weightDecay·value;  v ← momentum·v + g;  value ← value − learningRate·v.
 *
 * Follows the paper without change (SGD in the coupled form); projection back into [0, 1] is ours and off by default.
 */
export interface HyperWeight {
  readonly value: number;
  readonly velocity: number;
}

export interface HyperOptimizerOptions {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

export function initialHyperWeight(value: number): HyperWeight {
  return { value, velocity: 0 };
}

/** The hyper-weight as it is used: clamped to [0, 1]. */
export function clamped({ value }: HyperWeight): number {
  return Math.min(1, Math.max(0, value));
}

/**
 * Derivative of the loss by the hyper-weight: with params = … + clamp(value)·direction, it is ⟨direction, ∂loss/∂params⟩,
 * and the negated new delta −Δ stands in for ∂loss/∂params. The clamp passes it in [0, 1] and stops it outside.
 * `alignment` is ⟨direction, Δ⟩.
 */
export function maskedGradient({ value }: HyperWeight, alignment: number): number {
  return value >= 0 && value <= 1 ? -alignment : 0;
}

export function stepHyperWeight(
  weight: HyperWeight,
  gradient: number,
  { learningRate, momentum, weightDecay }: HyperOptimizerOptions,
  project: boolean,
): HyperWeight {
  const decayed = gradient + weightDecay * weight.value;
  const velocity = momentum * weight.velocity + decayed;
  const value = weight.value - learningRate * velocity;
  return { value: project ? Math.min(1, Math.max(0, value)) : value, velocity };
}
