/**
 * MaT-FL (Cai et al., "Many-Task Federated Learning", CVPR 2023 workshop FedVision): clients are grouped anew in every round by how alike their
 * updates are; encoders are averaged among those that are alike.
 *
 * Notation — code name, symbol, shape:
 *   similarity  s_ij  [N, N]  `updates`: mean over the encoder's layers ℓ of cos(Δ_iℓ, Δ_jℓ), Δ the round's layer-wise updates;
 *                             `params`: cos(θ_i − θ̄, θ_j − θ̄), θ the params after training and θ̄ their mean, as the authors' program does
 *   threshold   h             of the soft grouping
 *   weights     w_ij  [N, N]  rows sum to 1
 *
 *   grouping `clusters`: average linkage on 1 − s until `clusterCount` groups are left; w_ij = 1/|group of i| within it, else 0
 *   grouping `soft`:     w_ij ∝ max(0, s_ij + h): every client chooses its own neighbors
 *   θ_i ← Σ_j w_ij·θ_j; within clusters another `encoderRule` may take the mean's place, see `encoder-rule.ts`.  Decoders, heads and buffers stay the client's own.
 *
 * Equal similarities are joined in the order of ids. Traffic: encoder once up and once down.
 *
 * Differs from the paper in: nothing on purpose. Paper and program leave the choice between both groupings and both similarities open; ours by default is
 * clusters of layer-wise updates, two of them as in the program.
 */
import { KumiaiError } from "@kumiai/params";
import { assertSameEncoders, type PresentClient } from "../cohort.js";
import { defineStrategy } from "../define-strategy.js";
import { centeredGram, cosinesOf, describeMixing, mixEncoders } from "../encoder-mixing.js";
import { combineEncoders, ENCODER_RULE_OPTIONS, measureFor, type RuleMember } from "../encoder-rule.js";
import { linkByAverage } from "../linkage.js";
import { choiceOption, numberOption, type OptionsOf, wholeNumberOption } from "../options.js";
import {
  type Decision,
  type Measurements,
  type MeasureRequest,
  NOTHING_MEASURED,
  PLAIN_ASSIGNMENT,
  type Strategy,
} from "../strategy.js";
import { defineForRegistry } from "./definition.js";

const OPTIONS = {
  grouping: choiceOption("clusters", ["clusters", "soft"], "groups apart, or each client with neighbors of its own"),
  clusterCount: wholeNumberOption(2, { atLeast: 1 }, "groups of grouping clusters"),
  threshold: numberOption(
    0,
    { atLeast: -1, atMost: 1 },
    "added to similarities by grouping soft; below 0: fewer neighbors",
  ),
  similarity: choiceOption(
    "updates",
    ["updates", "params"],
    "what is compared: the round's updates, layer by layer, or params",
  ),
  ...ENCODER_RULE_OPTIONS,
};

export type MatFlOptions = OptionsOf<typeof OPTIONS>;

export function createMatFl(options: MatFlOptions): Strategy<null> {
  if (options.grouping === "soft" && options.encoderRule !== "mean") {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `strategy option mat-fl.encoderRule: expected "mean" with grouping "soft", which weighs neighbors, received "${options.encoderRule}"`,
      { option: "mat-fl.encoderRule", expected: "mean", received: options.encoderRule },
    );
  }
  return defineStrategy({
    name: "mat-fl",
    training: "sites",
    init(clients) {
      assertSameEncoders(clients);
      return null;
    },
    assignment: () => PLAIN_ASSIGNMENT,
    measure(_state, { roster }) {
      assertSameEncoders(roster);
      const compared: Partial<MeasureRequest> =
        options.similarity === "updates" ? { encoderLayerGrams: "exact" } : { encoderDistances: "exact" };
      return measureFor(options, { ...NOTHING_MEASURED, ...compared });
    },
    decide(_state, { present }, measured) {
      const count = present.length;
      const similarity = similarityOf(measured, count, options);
      if (options.grouping === "soft") {
        return decisionOf(present, neighborWeights(similarity, count, options.threshold));
      }
      const groups = linkByAverage(similarity, count, options.clusterCount);
      if (options.encoderRule === "mean") return decisionOf(present, clusterWeights(groups, count));
      const combined = groups.map((group) => combineEncoders(membersOf(group, present), options, measured, count));
      return {
        state: null,
        mixes: combined.map(({ mix }) => mix),
        traffic: TRAFFIC,
        diagnostics: { robustness: combined.flatMap(({ robustness }) => robustness ?? []) },
      };
    },
  });
}

const TRAFFIC = { encoder: true, decoders: false };

function decisionOf(present: readonly PresentClient[], weights: Float64Array): Decision<null> {
  return {
    state: null,
    mixes: mixEncoders(present, weights),
    traffic: TRAFFIC,
    diagnostics: { encoderMixing: describeMixing(present, weights) },
  };
}

function membersOf(group: readonly number[], present: readonly PresentClient[]): readonly RuleMember[] {
  return group.flatMap((index) => {
    const client = present[index];
    if (client === undefined) return [];
    return [{ client: client.spec.id, slots: client.encoderSlots, share: 1 / group.length, index }];
  });
}

function similarityOf(measured: Measurements, count: number, { similarity }: MatFlOptions): Float64Array {
  if (similarity === "params") return cosinesOf(centeredGram(measured.encoderDistances(), count), count);
  const mean = new Float64Array(count * count);
  const layers = measured.encoderLayers;
  for (const layer of layers) {
    cosinesOf(measured.encoderLayerGram(layer), count).forEach((cosine, k) => {
      mean[k] = (mean[k] ?? 0) + cosine / layers.length;
    });
  }
  return mean;
}

/** 1/|group| within each group. */
function clusterWeights(groups: readonly (readonly number[])[], count: number): Float64Array {
  const weights = new Float64Array(count * count);
  for (const group of groups) {
    for (const i of group) for (const j of group) weights[i * count + j] = 1 / group.length;
  }
  return weights;
}

/** A client whose neighbors all fall away keeps its own encoder. */
function neighborWeights(similarity: Float64Array, count: number, threshold: number): Float64Array {
  const weights = similarity.map((cosine) => Math.max(0, cosine + threshold));
  for (let i = 0; i < count; i++) {
    const row = weights.subarray(i * count, (i + 1) * count);
    const sum = row.reduce((total, weight) => total + weight, 0);
    row.forEach((weight, j) => {
      row[j] = sum > 0 ? weight / sum : Number(i === j);
    });
  }
  return weights;
}

export const matFlDefinition = defineForRegistry({
  name: "mat-fl",
  summary: "sites are grouped anew each round by how alike their updates are; encoders are averaged within groups",
  source: "Cai et al., CVPR 2023 workshop FedVision",
  options: OPTIONS,
  create: createMatFl,
});
