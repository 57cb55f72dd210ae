/**
 * PCGrad (Yu et al. 2020, arXiv 2001.06782) in every client of several tasks: gradients of the tasks lose what conflicts
 * with the others before they move the params that the tasks share. Mathematics and differences: `gradient-surgery.ts`.
 *
 *   share "encoder"   between clients, encoder ← mean by sample count, as `fedavg`
 *   share "none"      every client alone, as `local`
 *
 * A client of one task trains plainly. The same surgery under another strategy: its option `surgery: pcgrad`.
 */
import { defineStrategy } from "../define-strategy.js";
import { ENCODER_RULE_OPTIONS, type EncoderRule } from "../encoder-rule.js";
import type { GradientSurgery } from "../gradient-surgery.js";
import { choiceOption } from "../options.js";
import { PLAIN_ASSIGNMENT, type Strategy } from "../strategy.js";
import { defineForRegistry } from "./definition.js";
import { createFedAvg } from "./fedavg.js";
import { LOCAL } from "./local.js";

export const SURGICAL_OPTIONS = {
  share: choiceOption("encoder", ["encoder", "none"], "between sites: the encoder as fedavg, or nothing as local"),
  ...ENCODER_RULE_OPTIONS,
};

export interface SurgicalVariant extends EncoderRule {
  readonly name: string;
  readonly share: "encoder" | "none";
  readonly surgery: GradientSurgery;
}

/** A strategy whose point is the surgery. */
export function createSurgical({ name, share, surgery, ...rule }: SurgicalVariant): Strategy {
  const assignment = { ...PLAIN_ASSIGNMENT, surgery };
  return share === "encoder"
    ? createFedAvg({ ...rule, name, share, decoders: "same-task", assignment })
    : defineStrategy({ ...LOCAL, name, assignment: () => assignment });
}

export const pcGradDefinition = defineForRegistry({
  name: "pcgrad",
  summary: "as fedavg, and inside a site tasks give up the parts of their gradients that conflict",
  source: "Yu et al. 2020, arXiv 2001.06782",
  options: SURGICAL_OPTIONS,
  takesSurgery: false,
  create: (options) => createSurgical({ ...options, name: "pcgrad", surgery: { kind: "pcgrad" } }),
});
