import { aboutOptions, type OptionAbout, type OptionSpec, type OptionsOf, parseOptions } from "../options.js";
import type { Strategy } from "../strategy.js";
import { SURGERY_OPTION, type SurgeryOption, surgeryOf, withSurgery } from "./surgery-option.js";

/** What the registry knows about a strategy. */
export interface StrategyDefinition {
  /** In kebab case; what scenarios and commands call it. */
  readonly name: string;
  /** One line for a reader who chooses. */
  readonly summary: string;
  /** The paper that it comes from, or what it is for. */
  readonly source: string;
  /** Every option with its type, its default and its limits, `surgery` among them. */
  readonly options: Readonly<Record<string, OptionAbout>>;
  /** Every option of its own with the value in force when it is not given. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Throws INVALID_CONFIG for an unknown option or a value outside its limits. */
  create(options: unknown): Strategy;
}

export interface StrategyAuthoring<Spec extends OptionSpec>
  extends Pick<StrategyDefinition, "name" | "summary" | "source"> {
  /** Default: none. */
  readonly options?: Spec;
  /** Whether it takes the option `surgery`, as all do but those that say themselves which one. Default true. */
  readonly takesSurgery?: boolean;
  /** All options are there, checked, with their defaults filled in. */
  create(options: OptionsOf<Spec>): Strategy;
}

/** What the author of a strategy writes once, as the registry wants it. */
export function defineForRegistry<Spec extends OptionSpec = Record<never, never>>({
  name,
  summary,
  source,
  options,
  takesSurgery = true,
  create,
}: StrategyAuthoring<Spec>): StrategyDefinition {
  const spec = options ?? ({} as Spec);
  const all = takesSurgery ? { ...spec, ...SURGERY_OPTION } : spec;
  return {
    name,
    summary,
    source,
    options: aboutOptions(all),
    defaults: parseOptions(name, {}, spec),
    create(raw) {
      const { surgery, ...own } = parseOptions(name, raw, all) as OptionsOf<Spec> & SurgeryOption;
      return withSurgery(create(own as unknown as OptionsOf<Spec>), surgeryOf(surgery));
    },
  };
}
