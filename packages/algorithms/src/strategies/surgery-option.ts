/** The option that every strategy takes besides its own: gradient surgery inside clients of several tasks. */
import { CAGRAD_RADIUS, type GradientSurgery } from "../gradient-surgery.js";
import { choiceOption, type OptionsOf } from "../options.js";
import type { Strategy } from "../strategy.js";

export const SURGERY_OPTION = {
  surgery: choiceOption(
    "none",
    ["none", "pcgrad", "cagrad"],
    "how a site of several tasks weighs their gradients in what they share",
  ),
};

/** Missing where a strategy does not take it. */
export type SurgeryOption = Partial<OptionsOf<typeof SURGERY_OPTION>>;

/** Surgery as data; undefined for `none`. */
export function surgeryOf(surgery: SurgeryOption["surgery"] = "none"): GradientSurgery | undefined {
  switch (surgery) {
    case "none":
      return undefined;
    case "pcgrad":
      return { kind: "pcgrad" };
    case "cagrad":
      return { kind: "cagrad", conflictRadius: CAGRAD_RADIUS };
  }
}

/** The same strategy, which asks clients for `surgery` too, if there is any. */
export function withSurgery(strategy: Strategy, surgery: GradientSurgery | undefined): Strategy {
  if (surgery === undefined) return strategy;
  return { ...strategy, assignment: (state, client) => ({ ...strategy.assignment(state, client), surgery }) };
}
