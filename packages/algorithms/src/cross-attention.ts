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

/**
 * a [K, K] of one tensor with `size` entries, row-major, from the Gram [K, K] of its deltas. In shared memory: threads that take the
 * weighted sums read it there, and for a thousand decoders it is 8 MB.
 */
export function attentionOf(gram: Float64Array, size: number, options: AttentionOptions): Float64Array {
  const count = Math.sqrt(gram.length);
  const attention = new Float64Array(new SharedArrayBuffer(8 * gram.length));
  for (let k = 0; k < count; k++) attention.set(softmax(scoresOf(gram, count, k, size, options)), k * count);
  return attention;
}

function scoresOf(
  gram: Float64Array,
  count: number,
  k: number,
  size: number,
  { attention, temperature }: AttentionOptions,
): Float64Array {
  const row = gram.subarray(k * count, (k + 1) * count);
  if (attention === "dot") return row.map((value) => value / Math.sqrt(size));
  const own = Math.sqrt(row[k] ?? 0);
  return row.map((value, j) => {
    const other = Math.sqrt(gram[j * count + j] ?? 0);
    return own > 0 && other > 0 ? value / own / other / temperature : 0;
  });
}

/** exp(score) / Σ exp(score), with the largest score taken off first: no overflow. */
export function softmax(scores: Float64Array): Float64Array {
  const highest = scores.reduce((max, score) => Math.max(max, score), Number.NEGATIVE_INFINITY);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
