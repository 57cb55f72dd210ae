import { type KernelBackend, selectBackend } from "@kumiai/kernels";
import { aggregateHere } from "./round/in-memory.js";
import type { Strategy, StrategyCore } from "./strategy.js";

/** A strategy of its mathematics. `backend`: for tests; all give the same bits. */
export function defineStrategy<State>(core: StrategyCore<State>, backend?: KernelBackend): Strategy<State> {
  return {
    ...core,
    aggregate: (state, input) => aggregateHere(core, state, input, backend ?? selectBackend()),
  };
}
