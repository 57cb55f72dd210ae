/**
 * Federated multi-task learning by joint regularization, after MOCHA (Smith et al., NeurIPS 2017, arXiv 1705.10467): every site has an encoder
 * of its own, and the server pulls them towards each other along relationships that it learns from them.
 *
 * Notation — code name, symbol, shape:
 *   encoders        w_i       [N, P]  after local training, of the clients present; W = [w_1 … w_N], w̄ their plain mean, C = W − w̄·1ᵀ
 *   centeredGram    B = CᵀC   [N, N]  eigenvalues b_k ≥ 0, eigenvectors q_k; from distances alone, see `encoder-mixing.ts`
 *   relationships   Σ         [N, N]  `learned`: B^½ / tr B^½, the minimizer over covariances of trace 1 of tr(C·Σ⁻¹·Cᵀ) (the paper's Ω-step, after Zhang
 *                                     and Yeung 2010), eigenvalues σ_k = √b_k / Σ√b;  `uniform`: σ_k = 1/(N − 1) for every k, relationships all alike
 *   strength        λ                 of the regularizer, in units of the mean eigenvalue σ̄ = 1/(N − 1)
 *   mixing          M         [N, N]  Σ_k q_k·σ_k/(σ_k + λ·σ̄)·q_kᵀ over k with b_k > 0
 *
 *   V ← argmin ½·‖V − W‖² + λσ̄/2·tr((V − w̄1ᵀ)·Σ⁻¹·(V − w̄1ᵀ)ᵀ)  =  w̄·1ᵀ + C·M,  that is  w_i ← Σ_j (1/N + M_ij)·w_j
 *   (rows sum to 1, since M·1 = 0). Decoders, heads and buffers stay the client's own.
 *
 * λ = 0 leaves everybody alone; λ → ∞ gives all the plain mean. In between, ways in which sites differ much and together (groups of sites) are kept, and ways
 * in which single sites differ a little are smoothed away. `uniform` is the mean-regularized multi-task learning of Evgeniou and Pontil 2004.
 * Nothing depends on the scale of params, nor on where the origin is. Traffic: encoder once up and once down.
 *
 * Differs from the paper in: that solves convex models in the dual, one round being a step of all sites; here W comes from local training of any
 * network, and the regularizer acts as a proximal step on the server. W is taken around its mean, so that nothing is pulled to zero, and there is
 * no second term λ₂‖W‖². Over the clients present; stragglers are absent, with no part of an update. Cost 9·N³ for the eigenvectors.
 */
import { assertSameEncoders } from "../cohort.js";
import { defineStrategy } from "../define-strategy.js";
import { centeredGram, describeMixing, mixEncoders } from "../encoder-mixing.js";
import { choiceOption, numberOption, type OptionsOf } from "../options.js";
import { NOTHING_MEASURED, PLAIN_ASSIGNMENT, type Strategy } from "../strategy.js";
import { symmetricEigen } from "../symmetric-eigen.js";
import { defineForRegistry } from "./definition.js";

const OPTIONS = {
  strength: numberOption(1, { atLeast: 0 }, "λ: 0 leaves sites alone, a large one gives all the mean"),
  relationships: choiceOption("learned", ["learned", "uniform"], "Σ: learned from the encoders, or all sites alike"),
};

export type FedMtlOptions = OptionsOf<typeof OPTIONS>;

/** Eigenvalues below this part of the largest are rounding: B has at least one that is 0. */
const NEGLIGIBLE = 1e-12;

export function createFedMtl(options: FedMtlOptions): Strategy<null> {
  return defineStrategy({
    name: "fedmtl",
    training: "sites",
    init(clients) {
      assertSameEncoders(clients);
      return null;
    },
    assignment: () => PLAIN_ASSIGNMENT,
    measure(_state, { roster }) {
      assertSameEncoders(roster);
      return { ...NOTHING_MEASURED, encoderDistances: "exact" };
    },
    decide(_state, { present }, measured) {
      const weights = regularizedWeights(measured.encoderDistances(), present.length, options);
      return {
        state: null,
        mixes: mixEncoders(present, weights),
        traffic: { encoder: true, decoders: false },
        diagnostics: { encoderMixing: describeMixing(present, weights) },
      };
    },
  });
}

/** 1/N + M_ij, [N, N]. */
export function regularizedWeights(
  squaredDistances: Float64Array,
  count: number,
  { strength, relationships }: FedMtlOptions,
): Float64Array {
  const { values, vectors } = symmetricEigen(centeredGram(squaredDistances, count), count);
  const largest = values[count - 1] ?? 0;
  const kept = Array.from(values.keys()).filter((k) => (values[k] ?? 0) > NEGLIGIBLE * largest);
  const rootSum = kept.reduce((sum, k) => sum + Math.sqrt(values[k] ?? 0), 0);
  const weights = new Float64Array(count * count).fill(1 / count);
  for (const k of kept) {
    const share = relationships === "uniform" ? 1 / (count - 1) : Math.sqrt(values[k] ?? 0) / rootSum;
    const factor = share / (share + strength / (count - 1));
    const vector = centered(Float64Array.from({ length: count }, (_, i) => vectors[i * count + k] ?? 0));
    for (let i = 0; i < count; i++) {
      const left = factor * (vector[i] ?? 0);
      for (let j = 0; j < count; j++) weights[i * count + j] = (weights[i * count + j] ?? 0) + left * (vector[j] ?? 0);
    }
  }
  return weights;
}

/** Of a small eigenvalue, rounding puts a part of 1, whose eigenvalue is 0, into the eigenvector, and rows would not sum to 1. */
function centered(vector: Float64Array): Float64Array {
  const mean = vector.reduce((sum, x) => sum + x, 0) / vector.length;
  return vector.map((x) => x - mean);
}

export const fedMtlDefinition = defineForRegistry({
  name: "fedmtl",
  summary: "every site its own encoder, pulled towards the others along relationships that are learned",
  source: "MOCHA, Smith et al., NeurIPS 2017, arXiv 1705.10467",
  options: OPTIONS,
  create: createFedMtl,
});
