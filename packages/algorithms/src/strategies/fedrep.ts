/**
 * FedRep (Collins et al. 2021, arXiv 2102.07078): one encoder for all; each site first fits its decoders and heads to the
 * encoder that it was given, then moves the encoder for the decoders that it has now.
 *
 * Notation — code name, symbol, shape:
 *   decoder share  s  number  part of a round's local steps that goes to decoders and heads
 *
 *   steps 1 … s·τ        all but the encoder φ ← local training, φ frozen      (paper: h_i ← GRD(f_i(h, φ), h, α))
 *   steps s·τ + 1 … τ    encoder ← local training, all else frozen             (paper: φ_i ← GRD(f_i(h_i, φ), φ, α))
 *   server               encoder ← Σ_i p_i·φ_i by sample count, as `fedavg`; decoders, heads and stems stay the client's own
 *
 * τ is what every other strategy trains for, so that runs are compared at equal numbers of steps; buffers follow the data
 * in both phases. Each phase has an optimizer of its own. Aggregation and traffic are those of `fedavg`.
 *
 * Differs from the paper in: encoders are weighted by sample count, not equally; every client takes part each round; the paper's
 * many head steps and one (or few) encoder steps are a share of a fixed number, half by default.
 */
import { ENCODER_RULE_OPTIONS } from "../encoder-rule.js";
import { numberOption } from "../options.js";
import { type Assignment, PLAIN_ASSIGNMENT } from "../strategy.js";
import { defineForRegistry } from "./definition.js";
import { createFedAvg } from "./fedavg.js";

const OPTIONS = {
  decoderShare: numberOption(
    0.5,
    { moreThan: 0, lessThan: 1 },
    "part of a round's steps that goes to decoders and heads",
  ),
  ...ENCODER_RULE_OPTIONS,
};

export const fedRepDefinition = defineForRegistry({
  name: "fedrep",
  summary: "as fedavg, and each round trains decoders and heads first, then the encoder",
  source: "Collins et al. 2021, arXiv 2102.07078",
  options: OPTIONS,
  create({ decoderShare, ...rule }) {
    const assignment: Assignment = {
      ...PLAIN_ASSIGNMENT,
      phases: [
        { stepShare: decoderShare, frozen: ["encoder"] },
        { stepShare: 1 - decoderShare, frozen: ["decoder", "head", "stem"] },
      ],
    };
    return createFedAvg({ ...rule, name: "fedrep", share: "encoder", decoders: "same-task", assignment });
  },
});
