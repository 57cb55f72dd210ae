/**
 * Every client alone: params after aggregation are the client's own. The baseline that gains are relative to.
 * Models may differ from client to client in every respect. Traffic: none.
 */

import { defineStrategy } from "../define-strategy.js";
import { NO_TRAFFIC } from "../diagnostics.js";
import { NOTHING_MEASURED, PLAIN_ASSIGNMENT, type Strategy, type StrategyCore } from "../strategy.js";
import { defineForRegistry } from "./definition.js";

export const LOCAL: StrategyCore<null> = {
  name: "local",
  training: "sites",
  init: () => null,
  assignment: () => PLAIN_ASSIGNMENT,
  measure: () => NOTHING_MEASURED,
  decide: () => ({ state: null, mixes: [], traffic: NO_TRAFFIC, diagnostics: {} }),
};

export function createLocal(): Strategy<null> {
  return defineStrategy(LOCAL);
}

export const localDefinition = defineForRegistry({
  name: "local",
  summary: "every site trains alone; nothing is sent",
  source: "baseline",
  create: createLocal,
});
