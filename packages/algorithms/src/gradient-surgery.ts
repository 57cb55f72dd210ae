/**
 * Gradient surgery inside a client of several tasks: how much each task's gradient counts in the params that the tasks share,
 * chosen at every step from the gradients' inner products alone.
 *
 * Notation — code name, symbol, shape:
 *   gram     G    [T, T]  G_st = ⟨g_s, g_t⟩ over the shared params, row-major; g_t of task t's weighted loss
 *   weights  w    [T]     the shared params follow Σ_t w_t·g_t; plain training has w = 1
 *   radius   c    number  of CAGrad; 0 gives w = 1
 *
 * PCGrad (Yu et al. 2020, arXiv 2001.06782, algorithm 1): each g_i is freed of what conflicts with the others, one after the other,
 *   g_i^PC ← g_i;  for each j ≠ i: if ⟨g_i^PC, g_j⟩ < 0 then g_i^PC ← g_i^PC − ⟨g_i^PC, g_j⟩/‖g_j‖²·g_j;  step along Σ_i g_i^PC.
 * With g_i^PC = Σ_k A_ik·g_k every product above is a sum over G, and w_k = Σ_i A_ik.
 *
 * CAGrad (Liu et al. 2021, arXiv 2110.14048, algorithm 1): the direction with the best worst task within c·‖g₀‖ of the mean g₀,
 *   d = (g₀ + c·‖g₀‖/‖g_w‖·g_w)/(1 + c²) with w* from the simplex (conflict-averse.ts);  step along T·d, which matches the sum of losses.
 *
 * Differs from the papers in: PCGrad goes over j = i+1, …, T, 1, …, i−1, the same at every step, where the paper shuffles (for two
 * tasks there is one order); both leave decoders and heads, which no other task trains, to the plain sum. T·d and the rescaling
 * by 1 + c² are those of CAGrad's authors' program, and its simplex problem is solved exactly.
 */
import { solveConflictAverse } from "./conflict-averse.js";

/** Which surgery a client is to do. */
export type GradientSurgery =
  | { readonly kind: "pcgrad" }
  | { readonly kind: "cagrad"; readonly conflictRadius: number };

/** c of the paper's experiments on scenes. */
export const CAGRAD_RADIUS = 0.4;

/** The rule that a surgery names; made anew where it is needed, because a name can be sent and a function cannot. */
export function surgeryWeights(surgery: GradientSurgery): (gram: Float64Array, taskCount: number) => Float64Array {
  switch (surgery.kind) {
    case "pcgrad":
      return projectConflicts;
    case "cagrad":
      return (gram, taskCount) =>
        solveConflictAverse(gram, surgery.conflictRadius).factors.map((factor) => taskCount * factor);
  }
}

function projectConflicts(gram: Float64Array, taskCount: number): Float64Array {
  const weights = new Float64Array(taskCount);
  for (let i = 0; i < taskCount; i++) {
    const own = new Float64Array(taskCount);
    own[i] = 1;
    for (let step = 1; step < taskCount; step++) {
      const j = (i + step) % taskCount;
      const product = own.reduce((sum, factor, k) => sum + factor * (gram[k * taskCount + j] as number), 0);
      // A negative product with a zero gradient is rounding.
      const norm2 = gram[j * taskCount + j] as number;
      if (product < 0 && norm2 > 0) own[j] = (own[j] as number) - product / norm2;
    }
    own.forEach((factor, k) => {
      weights[k] = (weights[k] as number) + factor;
    });
  }
  return weights;
}
