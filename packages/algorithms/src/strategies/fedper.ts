/**
 * FedPer (Arivazhagan et al. 2019, arXiv 1912.00818): base layers are common, personalization layers stay at the sites.
 *
 * Notation — code name, symbol, shape:
 *   encoder           W_B    [P]  base layers:            W_B ← Σ_i p_i·W_B,i by sample count, one for all clients present
 *   decoders, heads   W_P,i       personalization layers: trained by each site together with the base, never sent
 *
 * With our roles this is exactly `fedavg` with its default `share: encoder`, bit for bit: a multi-task federation whose sites have decoders of
 * their own has nothing else to average. The name is here so that comparisons with the field read as the field writes them.
 * Aggregation and traffic are those of `fedavg`.
 *
 * Differs from the paper in: what `fedavg` differs in. How many layers are personal is not a number but the model's roles.
 */
import { ENCODER_RULE_OPTIONS } from "../encoder-rule.js";
import { PLAIN_ASSIGNMENT } from "../strategy.js";
import { defineForRegistry } from "./definition.js";
import { createFedAvg } from "./fedavg.js";

export const fedPerDefinition = defineForRegistry({
  name: "fedper",
  summary: "base layers (the encoder) are averaged, decoders and heads are personal; the same bits as fedavg",
  source: "Arivazhagan et al. 2019, arXiv 1912.00818",
  options: ENCODER_RULE_OPTIONS,
  create: (rule) =>
    createFedAvg({ ...rule, name: "fedper", share: "encoder", decoders: "same-task", assignment: PLAIN_ASSIGNMENT }),
});
