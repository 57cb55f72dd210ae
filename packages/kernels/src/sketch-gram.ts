/**
 * From the Gram of sketches to a better estimate of the Gram of the vectors.
 *
 * Notation — code name, symbol, shape:
 *   gram        Ĝ      [N, N]  Ĝ_ij = ⟨Sx_i, Sx_j⟩, row-major, f64
 *   size        m      scalar  numbers in a sketch
 *   common      r      scalar  (Σ_{i≠j} Ĝ_ij) / Σ_{i≠j} √(Ĝ_ii Ĝ_jj): the mean cosine, weighted by norms
 *   share       γ      scalar  in [0, 1]: noise over what is seen, Σ (1 − ĉ_ij²)²/m over Σ (ĉ_ij − r)², sums over i ≠ j
 *
 * Each cosine ĉ_ij is wrong by about 1/√m. One alone does little harm, but a minimum over the weights of N clients looks for errors
 * that agree: where updates have nothing in common, the conflict-averse direction is off by about 0.6·√(N/m), 19 % for N = 400 and
 * m = 4096. So entries move the share γ of the way to a Gram that has the same norms and one common cosine r:
 *   G̃_ij = (1 − γ)·Ĝ_ij + γ·r·√(Ĝ_ii Ĝ_jj)
 * Where cosines differ by more than the noise, γ is nearly 0; where noise is all that is seen, γ is 1, and the 19 % become 9.5 %,
 * what is left being real cosines below the noise. `npm run bench -- sketch` measures both.
 *
 * Target: Ledoit and Wolf 2004 ("Honey, I shrunk the sample covariance matrix"), with r weighted so that Σ G̃ = Σ Ĝ: the norm of
 * the mean vector is not touched, however small it is (unless r stands at its bound, −1/(N − 1)). γ: Schäfer and Strimmer 2005, with the variance that theory gives.
 * G̃ is positive semidefinite where Ĝ is: both ends are.
 *
 * Cost: O(N²).
 */
import type { SketchPlan } from "./sketch.js";

/** Fresh G̃. RangeError where `gram` is not square. An exact plan's Gram has no noise and comes back as it is. */
export function shrinkSketchGram(gram: Float64Array, plan: SketchPlan): Float64Array {
  const count = Math.round(Math.sqrt(gram.length));
  if (count * count !== gram.length) {
    throw new RangeError(`shrinkSketchGram: expected a square matrix, received ${gram.length} numbers`);
  }
  const out = gram.slice();
  if (plan.isExact || count < 2) return out;
  const norms = Float64Array.from({ length: count }, (_, i) => Math.sqrt(gram[i * (count + 1)]));
  const common = commonCosine(gram, norms);
  const share = noiseShare(gram, norms, common, plan.size);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      if (i !== j) out[i * count + j] += share * (common * (norms[i] * norms[j]) - gram[i * count + j]);
    }
  }
  return out;
}

/** At least −1/(N − 1), below which no N vectors have one common cosine. */
function commonCosine(gram: Float64Array, norms: Float64Array): number {
  const count = norms.length;
  let [products, lengths] = [0, 0];
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      products += gram[i * count + j];
      lengths += norms[i] * norms[j];
    }
  }
  return lengths > 0 ? Math.max(products / lengths, -1 / (count - 1)) : 0;
}

function noiseShare(gram: Float64Array, norms: Float64Array, common: number, size: number): number {
  const count = norms.length;
  let [noise, seen] = [0, 0];
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const length = norms[i] * norms[j];
      if (!(length > 0)) continue;
      const cosine = gram[i * count + j] / length;
      noise += (1 - cosine * cosine) ** 2 / size;
      seen += (cosine - common) ** 2;
    }
  }
  // Nothing seen: every cosine is `common` already, and any share gives the same Gram.
  return seen > noise ? noise / seen : 1;
}
