/**
 * Ditto (Li et al. 2021, arXiv 2012.04221): federated averaging as usual, and beside it each client trains a copy of the
 * whole model that never leaves it, held near what it receives. The copy is what the client uses.
 *
 * Notation — code name, symbol, shape:
 *   received         w  [P]     params at the round's start: the common encoder, the client's own decoders and heads
 *   copy             v  [P]     the client's own; starts as its first w and goes on from round to round
 *   proximal weight  λ  number  0: the copy is trained as `local`; larger: nearer to w
 *
 *   min over v of F_i(v) + λ/2·‖v − w‖²  over encoder and decoders; heads are not held          (paper: equation Ditto)
 *   each round: w_i ← local training of F_i from w;  v_i ← v_i − η·(∇F_i(v_i) + λ·(v_i − w))    (paper: algorithm 1)
 *   server: encoder ← Σ_i p_i·w_i by sample count, as `fedavg`
 *
 * Both trainings make the same steps on the same batches, each with an optimizer of its own: a round costs twice the
 * compute of `fedavg` at the same traffic. Clients that are absent keep their copy. With an adaptive optimizer λ turns the step more
 * than it shortens it: the copy then stays within some steps' length of w, however large λ is.
 *
 * Differs from the paper in: clients of several tasks share the encoder only, so w differs between clients in decoders
 * and heads; encoders are weighted by sample count; every client takes part each round. The paper tunes λ for each data set.
 */
import { ENCODER_RULE_OPTIONS } from "../encoder-rule.js";
import { numberOption } from "../options.js";
import { PLAIN_ASSIGNMENT } from "../strategy.js";
import { defineForRegistry } from "./definition.js";
import { createFedAvg } from "./fedavg.js";

export const dittoDefinition = defineForRegistry({
  name: "ditto",
  summary: "as fedavg, and each site uses a copy of its own, trained near what it receives and never sent",
  source: "Li et al. 2021, arXiv 2012.04221",
  options: {
    proximalWeight: numberOption(0.1, { atLeast: 0 }, "λ: how strongly the copy is held near what the site receives"),
    ...ENCODER_RULE_OPTIONS,
  },
  create({ proximalWeight, ...rule }) {
    const assignment = { ...PLAIN_ASSIGNMENT, personal: { proximalWeight } };
    return createFedAvg({ ...rule, name: "ditto", share: "encoder", decoders: "same-task", assignment });
  },
});
