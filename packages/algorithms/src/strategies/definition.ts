import type { Strategy } from "../strategy.js";

/** What the registry knows about a strategy. */
export interface StrategyDefinition {
  /** One line for a reader who chooses. */
  readonly summary: string;
  /** The paper that it comes from, or what it is for. */
  readonly source: string;
  /** Every option with the value in force when it is not given. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Throws INVALID_CONFIG for an unknown option or a value outside its limits. */
  create(options: unknown): Strategy;
}
