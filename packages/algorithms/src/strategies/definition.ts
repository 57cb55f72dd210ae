import { aboutOptions, type OptionAbout, type OptionSpec, type OptionsOf, parseOptions } from "../options.js";
import type { Strategy } from "../strategy.js";

/** What the registry knows about a strategy. */
export interface StrategyDefinition {
  /** In kebab case; what scenarios and commands call it. */
  readonly name: string;
  /** One line for a reader who chooses. */
  readonly summary: string;
  /** The paper that it comes from, or what it is for. */
  readonly source: string;
  /** Every option with its type, its default and its limits. */
  readonly options: Readonly<Record<string, OptionAbout>>;
  /** Every option with the value in force when it is not given. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Throws INVALID_CONFIG for an unknown option or a value outside its limits. */
  create(options: unknown): Strategy;
}

export interface StrategyAuthoring<Spec extends OptionSpec>
  extends Pick<StrategyDefinition, "name" | "summary" | "source"> {
  /** Default: none. */
  readonly options?: Spec;
  /** All options are there, checked, with their defaults filled in. */
  create(options: OptionsOf<Spec>): Strategy;
}

/** What the author of a strategy writes once, as the registry wants it. */
export function defineForRegistry<Spec extends OptionSpec = Record<never, never>>({
  name,
  summary,
  source,
  options,
  create,
}: StrategyAuthoring<Spec>): StrategyDefinition {
  const spec = options ?? ({} as Spec);
  return {
    name,
    summary,
    source,
    options: aboutOptions(spec),
    defaults: parseOptions(name, {}, spec),
    create: (raw) => create(parseOptions(name, raw, spec)),
  };
}
