/**
 * Every client alone: params after aggregation are the client's own. The baseline that gains are relative to.
 * Models may differ from client to client in every respect. Traffic: none.
 */
import { type KernelBackend, referenceKernels } from "@kumiai/kernels";
import { openCohort } from "../cohort.js";
import { diagnose, NO_TRAFFIC } from "../diagnostics.js";
import { parseOptions } from "../options.js";
import { PLAIN_ASSIGNMENT, type Strategy } from "../strategy.js";
import type { StrategyDefinition } from "./definition.js";

export function createLocal(kernels: KernelBackend = referenceKernels): Strategy<null> {
  return {
    name: "local",
    training: "sites",
    init: () => null,
    assignment: () => PLAIN_ASSIGNMENT,
    aggregate(_state, input) {
      const cohort = openCohort(input, kernels);
      const params = new Map(cohort.present.map(({ spec, update }) => [spec.id, update.local.slice()]));
      return { state: null, params, diagnostics: diagnose(cohort, kernels, NO_TRAFFIC) };
    },
  };
}

export const localDefinition: StrategyDefinition = {
  summary: "every site trains alone; nothing is sent",
  source: "baseline",
  defaults: {},
  create(options) {
    parseOptions("local", options, {});
    return createLocal();
  },
};
