/** All strategies by name. To add one: a file under `strategies/`, a line here. */
import { KumiaiError, nearestWord } from "@kumiai/params";
import type { StrategyDefinition } from "./strategies/definition.js";
import { fedAvgAllDefinition, fedAvgDefinition } from "./strategies/fedavg.js";
import { fedHca2Definition } from "./strategies/fedhca2.js";
import { fedProxDefinition } from "./strategies/fedprox.js";
import { fedRepDefinition } from "./strategies/fedrep.js";
import { localDefinition } from "./strategies/local.js";
import { pooledDefinition } from "./strategies/pooled.js";
import { selfExtrapolationDefinition } from "./strategies/self-extrapolation.js";
import type { Strategy } from "./strategy.js";

export const STRATEGIES: Readonly<Record<string, StrategyDefinition>> = {
  local: localDefinition,
  fedavg: fedAvgDefinition,
  "fedavg-all": fedAvgAllDefinition,
  fedprox: fedProxDefinition,
  fedrep: fedRepDefinition,
  pooled: pooledDefinition,
  "self-extrapolation": selfExtrapolationDefinition,
  fedhca2: fedHca2Definition,
};

/** Throws UNKNOWN_STRATEGY with the known names, or INVALID_CONFIG naming the option. */
export function createStrategy(name: string, options: unknown = {}): Strategy {
  const definition = Object.hasOwn(STRATEGIES, name) ? STRATEGIES[name] : undefined;
  if (definition !== undefined) return definition.create(options);
  const known = Object.keys(STRATEGIES);
  const nearest = nearestWord(name, known);
  throw new KumiaiError(
    "UNKNOWN_STRATEGY",
    `strategy: expected one of ${known.join(", ")}; received "${name}"${nearest === undefined ? "" : `; did you mean "${nearest}"?`}`,
    { received: name, ...(nearest === undefined ? {} : { nearest }) },
  );
}
