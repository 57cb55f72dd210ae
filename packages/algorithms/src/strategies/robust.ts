/**
 * Baselines that hold against sites that send anything, by mistake or on purpose: `fedavg` with another rule for the encoder, under the names of
 * the field. Equations, papers and what each tolerates: `encoder-rule.ts`. Decoders, heads and buffers stay the client's own; traffic is that of `fedavg`.
 *
 * Differs from the papers in: what `encoder-rule.ts` differs in; sites train for a whole round, not for one gradient.
 */
import { MEAN_RULE, ENCODER_RULE_OPTIONS as OPTIONS } from "../encoder-rule.js";
import { optionsWithout } from "../options.js";
import { PLAIN_ASSIGNMENT } from "../strategy.js";
import { defineForRegistry } from "./definition.js";
import { createFedAvg } from "./fedavg.js";

const AS_FEDAVG = { ...MEAN_RULE, share: "encoder", decoders: "same-task", assignment: PLAIN_ASSIGNMENT } as const;
const YIN = "Yin et al., ICML 2018, arXiv 1803.01498";

export const coordinateMedianDefinition = defineForRegistry({
  name: "coordinate-median",
  summary: "as fedavg, each number of the encoder being the median of the sites'; holds against less than half of them",
  source: YIN,
  create: () => createFedAvg({ ...AS_FEDAVG, encoderRule: "median", name: "coordinate-median" }),
});

export const trimmedMeanDefinition = defineForRegistry({
  name: "trimmed-mean",
  summary: "as fedavg, each number of the encoder without the sites' lowest and highest; holds against so many",
  source: YIN,
  options: { trim: OPTIONS.trim },
  create: ({ trim }) => createFedAvg({ ...AS_FEDAVG, trim, encoderRule: "trimmed-mean", name: "trimmed-mean" }),
});

export const krumDefinition = defineForRegistry({
  name: "krum",
  summary: "as fedavg, but the encoder of the one site that has most others near it, or the mean of a few such",
  source: "Blanchard et al., NeurIPS 2017, arXiv 1703.02757",
  options: optionsWithout(OPTIONS, ["encoderRule", "trim"]),
  create: (options) => createFedAvg({ ...AS_FEDAVG, ...options, encoderRule: "krum", name: "krum" }),
});
