/**
 * FedProx (Li et al. 2020, arXiv 1812.06127): federated averaging of the encoder, with a proximal term in local training,
 * μ/2·‖params − base‖² over encoder and decoders, which the assignment asks for. μ: `proximalWeight`.
 * Aggregation and traffic are those of `fedavg`.
 *
 * Differs from the paper in: what `fedavg` differs in; sites always finish their local epochs.
 */
import { ENCODER_RULE_OPTIONS } from "../encoder-rule.js";
import { numberOption } from "../options.js";
import { PLAIN_ASSIGNMENT } from "../strategy.js";
import { defineForRegistry } from "./definition.js";
import { createFedAvg } from "./fedavg.js";

const OPTIONS = {
  proximalWeight: numberOption(0.01, { atLeast: 0 }, "μ: how strongly training is held near its start"),
  ...ENCODER_RULE_OPTIONS,
};

export const fedProxDefinition = defineForRegistry({
  name: "fedprox",
  summary: "as fedavg, and local training is held near the common start by a proximal term",
  source: "Li et al. 2020, arXiv 1812.06127",
  options: OPTIONS,
  create({ proximalWeight, ...rule }) {
    const assignment = { ...PLAIN_ASSIGNMENT, proximalWeight };
    return createFedAvg({ ...rule, name: "fedprox", share: "encoder", decoders: "same-task", assignment });
  },
});
