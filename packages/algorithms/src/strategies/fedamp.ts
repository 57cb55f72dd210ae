/**
 * FedAMP, attentive message passing (Huang et al., AAAI 2021, arXiv 2007.03797): every client has a cloud encoder of its own, made
 * of everybody's, the more of one the nearer it is; local training starts there and is held there.
 *
 * Notation — code name, symbol, shape:
 *   encoders           w_i   [N, P]  after local training, of the clients present
 *   squaredDistances   D_ij  [N, N]  ‖w_i − w_j‖²
 *   sigma              σ             A(x) = 1 − exp(−x/σ), A′(x) = exp(−x/σ)/σ
 *   pull                             (N − 1)·α_k/σ with the paper's step size α_k, in [0, 1]
 *   weights            ξ_ij  [N, N]  α_k·A′(D_ij) = pull/(N − 1)·exp(−D_ij/σ) for j ≠ i;  ξ_ii = 1 − Σ_{j≠i} ξ_ij ≥ 1 − pull
 *   proximalWeight     λ/α_k         local loss + λ/(2α_k)·‖w − u_i‖²
 *
 *   u_i ← Σ_j ξ_ij·w_j   (equation 5 of the paper);  decoders, heads and buffers stay the client's own.
 *
 * ξ is symmetric, so the mean of all encoders stays where it is. `sigma` counts in mean squared distances of the round (the default), and then
 * nothing depends on the scale of params; with `sigmaUnit: absolute` it is the paper's. Traffic: encoder once up and once down.
 *
 * Differs from the paper in: scale-free σ and step as said; local training starts from u_i, not from w_i, and its proximal term, which the
 * assignment asks for, holds the decoders near their start as well; minibatch steps for as long as every other strategy instead of
 * an exact minimum; over the clients present.
 */
import { assertSameEncoders } from "../cohort.js";
import { defineStrategy } from "../define-strategy.js";
import { describeMixing, mixEncoders } from "../encoder-mixing.js";
import { choiceOption, numberOption, type OptionsOf } from "../options.js";
import { NOTHING_MEASURED, PLAIN_ASSIGNMENT, type Strategy } from "../strategy.js";
import { defineForRegistry } from "./definition.js";

const OPTIONS = {
  sigma: numberOption(1, { moreThan: 0 }, "σ of A(x) = 1 − exp(−x/σ)"),
  sigmaUnit: choiceOption(
    "mean-distance",
    ["mean-distance", "absolute"],
    "what sigma counts: mean squared distances between encoders, or nothing, as in the paper",
  ),
  pull: numberOption(0.5, { atLeast: 0, atMost: 1 }, "at most so much of an encoder comes from the others"),
  proximalWeight: numberOption(0.01, { atLeast: 0 }, "λ/α: how strongly training is held near the cloud encoder"),
};

export type FedAmpOptions = OptionsOf<typeof OPTIONS>;

export function createFedAmp(options: FedAmpOptions): Strategy<null> {
  const assignment = { ...PLAIN_ASSIGNMENT, proximalWeight: options.proximalWeight };
  return defineStrategy({
    name: "fedamp",
    training: "sites",
    init(clients) {
      assertSameEncoders(clients);
      return null;
    },
    assignment: () => assignment,
    measure(_state, { roster }) {
      assertSameEncoders(roster);
      return { ...NOTHING_MEASURED, encoderDistances: "exact" };
    },
    decide(_state, { present }, measured) {
      const weights = attentiveWeights(measured.encoderDistances(), present.length, options);
      return {
        state: null,
        mixes: mixEncoders(present, weights),
        traffic: { encoder: true, decoders: false },
        diagnostics: { encoderMixing: describeMixing(present, weights) },
      };
    },
  });
}

/** ξ, [N, N]. */
export function attentiveWeights(
  squaredDistances: Float64Array,
  count: number,
  { sigma, sigmaUnit, pull }: Omit<FedAmpOptions, "proximalWeight">,
): Float64Array {
  const pairs = count * (count - 1);
  const mean = pairs === 0 ? 0 : squaredDistances.reduce((sum, distance) => sum + distance, 0) / pairs;
  const scale = sigmaUnit === "absolute" ? sigma : sigma * mean;
  const weights = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    let given = 0;
    for (let j = 0; j < count; j++) {
      if (j === i) continue;
      const distance = squaredDistances[i * count + j] ?? 0;
      const near = distance === 0 ? 1 : Math.exp(-distance / scale);
      const weight = (pull / (count - 1)) * near;
      weights[i * count + j] = weight;
      given += weight;
    }
    weights[i * count + i] = 1 - given;
  }
  return weights;
}

export const fedAmpDefinition = defineForRegistry({
  name: "fedamp",
  summary: "every site gets a cloud encoder of its own, made of those near to it, and trains held near it",
  source: "Huang et al., AAAI 2021, arXiv 2007.03797",
  options: OPTIONS,
  create: createFedAmp,
});
