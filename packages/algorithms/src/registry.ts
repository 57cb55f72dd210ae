/** All strategies by name, in the order in which they are listed. To add one: a file under `strategies/`, a line here; see docs/howto-add-a-strategy.md. */
import { KumiaiError, nearestWord } from "@kumiai/params";
import { caGradDefinition } from "./strategies/cagrad.js";
import { cooperativeDefinition } from "./strategies/cooperative.js";
import type { StrategyDefinition } from "./strategies/definition.js";
import { dittoDefinition } from "./strategies/ditto.js";
import { fedAmpDefinition } from "./strategies/fedamp.js";
import { fedAvgAllDefinition, fedAvgDefinition } from "./strategies/fedavg.js";
import {
  fedHca2CosineDefinition,
  fedHca2DecoderOnlyDefinition,
  fedHca2Definition,
  fedHca2EncoderOnlyDefinition,
  fedHca2FixedWeightsDefinition,
} from "./strategies/fedhca2-variants.js";
import { fedMtlDefinition } from "./strategies/fedmtl.js";
import { fedPerDefinition } from "./strategies/fedper.js";
import { fedProxDefinition } from "./strategies/fedprox.js";
import { fedRepDefinition } from "./strategies/fedrep.js";
import { localDefinition } from "./strategies/local.js";
import { matFlDefinition } from "./strategies/mat-fl.js";
import { pcGradDefinition } from "./strategies/pcgrad.js";
import { pooledDefinition } from "./strategies/pooled.js";
import { coordinateMedianDefinition, krumDefinition, trimmedMeanDefinition } from "./strategies/robust.js";
import { selfExtrapolationDefinition } from "./strategies/self-extrapolation.js";
import type { Strategy } from "./strategy.js";

const ALL: readonly StrategyDefinition[] = [
  localDefinition,
  fedAvgDefinition,
  fedAvgAllDefinition,
  fedProxDefinition,
  fedPerDefinition,
  fedRepDefinition,
  dittoDefinition,
  fedAmpDefinition,
  matFlDefinition,
  fedMtlDefinition,
  coordinateMedianDefinition,
  trimmedMeanDefinition,
  krumDefinition,
  pcGradDefinition,
  caGradDefinition,
  pooledDefinition,
  selfExtrapolationDefinition,
  fedHca2Definition,
  fedHca2EncoderOnlyDefinition,
  fedHca2DecoderOnlyDefinition,
  fedHca2FixedWeightsDefinition,
  fedHca2CosineDefinition,
  cooperativeDefinition,
];

export const STRATEGIES: Readonly<Record<string, StrategyDefinition>> = Object.fromEntries(
  ALL.map((definition) => [definition.name, definition]),
);

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
