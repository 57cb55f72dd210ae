/** Strategies as a comparison asks for them: by a name of the scenario's section, or by their kind. */
import { createStrategy, STRATEGIES, type Strategy } from "@kumiai/algorithms";
import { KumiaiError } from "@kumiai/params";
import type { Scenario, StrategyConfig } from "./config/scenario.js";

export interface NamedStrategy {
  readonly name: string;
  readonly config: StrategyConfig;
  readonly strategy: Strategy;
  /** One line: what it does, with the options in force. */
  readonly summary: string;
}

/** Looks names up in the scenario's section, then in the registry. Throws UNKNOWN_STRATEGY or INVALID_CONFIG. */
export function resolveStrategies(scenario: Scenario, names: readonly string[]): readonly NamedStrategy[] {
  if (names.length === 0) {
    throw new KumiaiError("INVALID_CONFIG", "strategies: expected at least one name, received none; name one");
  }
  return [...new Set(names)].map((name) => {
    const config = scenario.strategies[name] ?? { kind: name, options: {} };
    const strategy = createStrategy(config.kind, config.options);
    return { name, config, strategy, summary: summaryOf(config) };
  });
}

function summaryOf({ kind, options }: StrategyConfig): string {
  const definition = STRATEGIES[kind];
  const inForce = Object.entries({ ...definition?.defaults, ...options }).map(
    ([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`,
  );
  return [definition?.summary ?? kind, ...(inForce.length === 0 ? [] : [inForce.join(", ")])].join("; ");
}
