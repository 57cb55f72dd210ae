/**
 * Control for any claim that sites learn from each other: lengthens each client's own step and uses nobody else's.
 *
 *   params ← base + (1 + α)·Δ  over encoder and decoders; heads and buffers stay the client's own.
 *
 * α: `alpha`, 0.1 unless told otherwise, as FedHCA²'s initial hyper-weights. Traffic: none, a site can do it alone.
 */
import { type KernelBackend, referenceKernels } from "@kumiai/kernels";
import { assertFiniteParams, gather, openCohort, scatterInto } from "../cohort.js";
import { diagnose, NO_TRAFFIC } from "../diagnostics.js";
import { numberOption, type OptionsOf, parseOptions } from "../options.js";
import { PLAIN_ASSIGNMENT, type Strategy } from "../strategy.js";
import type { StrategyDefinition } from "./definition.js";

const OPTIONS = { alpha: numberOption(0.1, { atLeast: 0 }) };

export function createSelfExtrapolation(
  { alpha }: OptionsOf<typeof OPTIONS>,
  kernels: KernelBackend = referenceKernels,
): Strategy<null> {
  return {
    name: "self-extrapolation",
    training: "sites",
    init: () => null,
    assignment: () => PLAIN_ASSIGNMENT,
    aggregate(_state, input) {
      const cohort = openCohort(input, kernels);
      const params = new Map(
        cohort.present.map((client) => {
          const next = client.update.local.slice();
          const parts = [{ slots: client.encoderSlots, delta: client.encoderDelta }, ...client.decoders];
          for (const { slots, delta } of parts) {
            const part = gather(next, slots);
            kernels.addScaledInto(part, alpha, delta);
            scatterInto(next, slots, part);
          }
          return [client.spec.id, next];
        }),
      );
      assertFiniteParams(params, cohort, kernels);
      return { state: null, params, diagnostics: diagnose(cohort, kernels, NO_TRAFFIC) };
    },
  };
}

export const selfExtrapolationDefinition: StrategyDefinition = {
  summary: "control: every site alone, its own step lengthened by 1 + alpha",
  source: "control for the claim that sites learn from each other",
  defaults: parseOptions("self-extrapolation", {}, OPTIONS),
  create: (options) => createSelfExtrapolation(parseOptions("self-extrapolation", options, OPTIONS)),
};
