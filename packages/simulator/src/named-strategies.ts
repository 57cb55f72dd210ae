/** Strategies as a comparison asks for them: by a name of the scenario's section, or by their kind. */
import { createStrategy, describeOptions, STRATEGIES, type Strategy } from "@kumiai/algorithms";
import { KumiaiError, nearestWord } from "@kumiai/params";
import type { Scenario, StrategyConfig } from "./config/scenario.js";
import { describeTraffic, type TrafficConfig } from "./config/traffic-schema.js";

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
    const config = configOf(scenario, name);
    const strategy = createStrategy(config.kind, config.options);
    return { name, config, strategy, summary: summaryOf(config, config.traffic ?? scenario.traffic) };
  });
}

/** Names are user input: one that every object inherits, such as `constructor`, is as unknown as any other. */
function configOf({ strategies }: Scenario, name: string): StrategyConfig {
  const config = Object.hasOwn(strategies, name) ? strategies[name] : undefined;
  if (config !== undefined) return config;
  if (Object.hasOwn(STRATEGIES, name)) return { kind: name, options: {} };
  const known = [...new Set([...Object.keys(STRATEGIES), ...Object.keys(strategies)])];
  const nearest = nearestWord(name, known);
  const advice = nearest === undefined ? "name it in the scenario under `strategies`" : `did you mean "${nearest}"?`;
  throw new KumiaiError(
    "UNKNOWN_STRATEGY",
    `strategy: expected one of ${known.join(", ")}; received "${name}"; ${advice}`,
    { received: name },
  );
}

function summaryOf({ kind, options }: StrategyConfig, traffic: TrafficConfig | undefined): string {
  const definition = STRATEGIES[kind];
  const inForce = describeOptions(definition?.defaults ?? {}, options);
  return [
    definition?.summary ?? kind,
    ...(inForce === "" ? [] : [inForce]),
    ...(traffic === undefined ? [] : [`sent as ${describeTraffic(traffic)}`]),
  ].join("; ");
}
