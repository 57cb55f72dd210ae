/**
 * Encoders as weighted means of everybody's encoders, and the numbers that such weights come from.
 *
 * Notation — code name, symbol, shape:
 *   encoders           θ_i  [N, P]  params after training, of the clients present, in the cohort's order
 *   weights            W    [N, N]  row-major; row i says what client i's next encoder is made of
 *   squaredDistances   D    [N, N]  D_ij = ‖θ_i − θ_j‖²
 *   centeredGram       B    [N, N]  ⟨θ_i − θ̄, θ_j − θ̄⟩ with θ̄ the plain mean: B = −½·J·D·J, J = I − 1·1ᵀ/N (Torgerson 1952)
 */
import type { PresentClient } from "./cohort.js";
import type { GroupMix, RoundDiagnostics } from "./strategy.js";

/** θ_i ← Σ_j W_ij·θ_j. */
export function mixEncoders(present: readonly PresentClient[], weights: Float64Array): readonly GroupMix[] {
  if (present.length === 0) return [];
  const rows = present.map(({ spec, encoderSlots }) => ({ client: spec.id, slots: encoderSlots }));
  const operands = rows.map((_, row) => ({ after: row }));
  return [{ rows, blocks: [{ operands, factors: weights, results: rows.map((_, row) => [{ row }]) }] }];
}

export function describeMixing(
  present: readonly PresentClient[],
  values: Float64Array,
): NonNullable<RoundDiagnostics["encoderMixing"]> {
  return { clients: present.map(({ spec }) => spec.id), values };
}

/** Cost N². */
export function centeredGram(squaredDistances: Float64Array, count: number): Float64Array {
  const means = new Float64Array(count);
  let total = 0;
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let j = 0; j < count; j++) sum += squaredDistances[i * count + j] ?? 0;
    means[i] = sum / count;
    total += sum / count / count;
  }
  return squaredDistances.map((value, k) => {
    const [i, j] = [Math.floor(k / count), k % count];
    return -0.5 * (value - (means[i] ?? 0) - (means[j] ?? 0) + total);
  });
}

/** Cosines of a Gram matrix, in [−1, 1]; of what is zero: 0 with all others, 1 with itself. */
export function cosinesOf(gram: Float64Array, count: number): Float64Array {
  const norms = Float64Array.from({ length: count }, (_, i) => Math.sqrt(Math.max(0, gram[i * count + i] ?? 0)));
  return gram.map((value, k) => {
    const [i, j] = [Math.floor(k / count), k % count];
    const [a, b] = [norms[i] ?? 0, norms[j] ?? 0];
    if (i === j) return 1;
    return a > 0 && b > 0 ? Math.max(-1, Math.min(1, value / a / b)) : 0;
  });
}
