/**
 * Cross attention between the updates of all decoders (Hyper Cross Attention Aggregation in FedHCA², arXiv 2311.13250).
 *
 * Notation — code name, symbol, shape:
 *   deltas       Δ_k  [K, Q]    one row per decoder, all its tensors end to end
 *   part.size    d_p  scalar    entries of one tensor p (weight and bias apart)
 *   attention    a    [K, K]    per tensor: softmax over j of ⟨Δ_k, Δ_j⟩ / √d_p, or of cos(Δ_k, Δ_j) / temperature
 *   attended     M_k  [K, Q]    M_k,p = Σ_j a_kj Δ_j,p
 *
 * Cost: K²Q for the inner products, K²Q for the sums. Every M_k,p is a convex combination, so no longer than the longest
 * Δ_j,p. Raw dot products of small deltas make the softmax uniform: `dot` is then a plain mean, `cosine` is not.
 *
 * Follows the paper without change for `dot`; `cosine` is ours.
 */
export interface AttentionOptions {
  readonly attention: "dot" | "cosine";
  /** Only for `cosine`: the smaller, the more a decoder listens to those most like it. More than 0. */
  readonly temperature: number;
}

const SMALL_COUNT = 512;

/**
 * a [K, K] of one tensor with `size` entries, row-major, from the Gram [K, K] of its deltas. Made in place: for a thousand decoders it
 * is 8 MB, and then in shared memory, so that threads that take the weighted sums need no copy of it. Smaller ones are copied: what
 * threads share stays until all of them have collected their garbage.
 */
export function attentionOf(gram: Float64Array, size: number, options: AttentionOptions): Float64Array {
  const count = Math.sqrt(gram.length);
  const isLarge = count > SMALL_COUNT;
  const attention = isLarge ? new Float64Array(new SharedArrayBuffer(8 * gram.length)) : new Float64Array(gram.length);
  for (let k = 0; k < count; k++) {
    const row = attention.subarray(k * count, (k + 1) * count);
    writeScores(row, gram, k, size, options);
    softmaxInPlace(row);
  }
  return attention;
}

function writeScores(
  row: Float64Array,
  gram: Float64Array,
  k: number,
  size: number,
  { attention, temperature }: AttentionOptions,
): void {
  const count = row.length;
  const normOf = (j: number): number => Math.sqrt(gram[j * count + j] ?? 0);
  const [own, root] = [normOf(k), Math.sqrt(size)];
  for (let j = 0; j < count; j++) {
    const product = gram[k * count + j] ?? 0;
    if (attention === "dot") {
      row[j] = product / root;
      continue;
    }
    const other = normOf(j);
    row[j] = own > 0 && other > 0 ? product / own / other / temperature : 0;
  }
}

/** score ← exp(score) / Σ exp(score), with the largest score taken off first: no overflow. */
export function softmaxInPlace(scores: Float64Array): void {
  let highest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < scores.length; j++) highest = Math.max(highest, scores[j] ?? 0);
  let sum = 0;
  for (let j = 0; j < scores.length; j++) {
    const power = Math.exp((scores[j] ?? 0) - highest);
    scores[j] = power;
    sum += power;
  }
  for (let j = 0; j < scores.length; j++) scores[j] = (scores[j] ?? 0) / sum;
}
