/** FedHCA² as the registry knows it, and its ablations: the same with options set, under names of their own. See `fedhca2.ts`. */
import { optionsWithout, parseOptions } from "../options.js";
import { defineForRegistry } from "./definition.js";
import { createFedHca2 } from "./fedhca2.js";
import { type FedHca2Options, FEDHCA2_OPTIONS as OPTIONS } from "./fedhca2-options.js";

const DEFAULTS: FedHca2Options = parseOptions("fedhca2", {}, OPTIONS);
const SOURCE = "Lu et al., CVPR 2024, arXiv 2311.13250";
const ABLATION = `ablation of ${SOURCE}`;

export const fedHca2Definition = defineForRegistry({
  name: "fedhca2",
  summary: "personal params: conflict-averse encoder direction, cross attention of decoders, learned hyper-weights",
  source: SOURCE,
  options: OPTIONS,
  create: (options) => createFedHca2(options, "fedhca2"),
});

/** For ablation: what the part that stays needs no longer is no option. */
export const fedHca2EncoderOnlyDefinition = defineForRegistry({
  name: "fedhca2-encoder-only",
  summary: "fedhca2 without its decoder part: decoders stay the sites' own",
  source: ABLATION,
  options: optionsWithout(OPTIONS, ["encoderPart", "decoderPart", "decoderBeta", "attention", "temperature"]),
  create: (options) =>
    createFedHca2({ ...DEFAULTS, ...options, encoderPart: true, decoderPart: false }, "fedhca2-encoder-only"),
});

export const fedHca2DecoderOnlyDefinition = defineForRegistry({
  name: "fedhca2-decoder-only",
  summary: "fedhca2 without its encoder part: encoders stay the sites' own",
  source: ABLATION,
  options: optionsWithout(OPTIONS, [
    "encoderPart",
    "decoderPart",
    "encoderAlpha",
    "alphaPer",
    "conflictRadius",
    "encoderRule",
    "normalizeUpdates",
    "trim",
    "byzantine",
    "krumCount",
  ]),
  create: (options) =>
    createFedHca2({ ...DEFAULTS, ...options, encoderPart: false, decoderPart: true }, "fedhca2-decoder-only"),
});

export const fedHca2FixedWeightsDefinition = defineForRegistry({
  name: "fedhca2-fixed-weights",
  summary: "fedhca2 whose hyper-weights keep their initial values",
  source: ABLATION,
  options: optionsWithout(OPTIONS, ["learnHyperWeights", "projectHyperWeights", "hyperOptimizer"]),
  create: (options) => createFedHca2({ ...DEFAULTS, ...options, learnHyperWeights: false }, "fedhca2-fixed-weights"),
});

export const fedHca2CosineDefinition = defineForRegistry({
  name: "fedhca2-cosine",
  summary: "fedhca2 with attention by cosine, which does not depend on how long updates are",
  source: `${SOURCE}; attention of our own`,
  options: optionsWithout(OPTIONS, ["attention"]),
  create: (options) => createFedHca2({ ...options, attention: "cosine" }, "fedhca2-cosine"),
});
