/** Options of FedHCA² and of its ablations; see `fedhca2.ts`. */
import { DEFAULT_SKETCH_SIZE } from "@kumiai/kernels";
import { ENCODER_RULE_OPTIONS } from "../encoder-rule.js";
import {
  booleanOption,
  choiceOption,
  nestedOption,
  numberOption,
  type OptionsOf,
  wholeNumberOption,
} from "../options.js";

const IN_UNIT_INTERVAL = { atLeast: 0, atMost: 1 };

export const FEDHCA2_OPTIONS = {
  conflictRadius: numberOption(0.4, { atLeast: 0 }, "c of the conflict-averse step"),
  ...ENCODER_RULE_OPTIONS,
  encoderRule: choiceOption(
    "conflict-averse",
    ["conflict-averse", "median", "trimmed-mean", "krum", "pull"],
    "what α takes in: Ũ, conflict-averse; the middle of the updates, which holds against sites that send anything; or the way to the mean of all encoders",
  ),
  normalizeUpdates: booleanOption(
    false,
    "conflict-averse: updates count as if all were as long as they are in the mean, so that the shortest do not take all the weight",
  ),
  encoderAlpha: numberOption(0.1, IN_UNIT_INTERVAL, "initial α"),
  alphaPer: choiceOption(
    "client",
    ["client", "layer"],
    "whether a site has one α, or one for each layer of its encoder",
  ),
  decoderBeta: numberOption(0.1, IN_UNIT_INTERVAL, "initial β"),
  attention: choiceOption("dot", ["dot", "cosine"], "similarity of decoders: the paper's, or one free of scale"),
  temperature: numberOption(0.25, { moreThan: 0 }, "of the cosine attention"),
  weights: choiceOption(
    "exact",
    ["exact", "sketch"],
    "what Gram, conflict-averse weights and attention come from: the updates, or a seeded sketch of each",
  ),
  sketchSize: wholeNumberOption(DEFAULT_SKETCH_SIZE, { atLeast: 1, atMost: 2 ** 20 }, "numbers of a sketch"),
  sketchSeed: wholeNumberOption(0, { atLeast: 0 }, "every round draws from it anew"),
  encoderPart: booleanOption(true, "off: encoders stay the clients' own"),
  decoderPart: booleanOption(true, "off: decoders stay the clients' own"),
  learnHyperWeights: booleanOption(true, "off: hyper-weights keep their initial values"),
  projectHyperWeights: booleanOption(
    false,
    "put hyper-weights back into [0, 1] after each step, so that they cannot stick outside",
  ),
  hyperOptimizer: nestedOption(
    {
      learningRate: numberOption(0.01, { atLeast: 0 }),
      momentum: numberOption(0.9, { atLeast: 0, lessThan: 1 }),
      weightDecay: numberOption(1e-4, { atLeast: 0 }),
    },
    "SGD that learns the hyper-weights",
  ),
};

export type FedHca2Options = OptionsOf<typeof FEDHCA2_OPTIONS>;
