/** What a sweep is: one scenario at several degrees of something, the same strategies and seeds at each. */
import type { Scenario } from "../config/scenario.js";

/** How degrees lie on the plot: at their value, at its logarithm, or side by side in the order of the file. */
export type AxisScale = "linear" | "log" | "category";

export interface SweepAxis {
  /** What is swept, with its unit, e.g. `labeled scenes a site`. */
  readonly label: string;
  readonly scale: AxisScale;
}

export interface SweepDegree {
  readonly at: number | string;
  /** For people; `at` unless the file says otherwise. */
  readonly label: string;
  /** Name of the degree's folder inside the sweep's. */
  readonly folder: string;
  readonly scenario: Scenario;
}

export interface Sweep {
  readonly name: string;
  readonly description: string;
  /** Path of the scenario that degrees change, as the file has it. */
  readonly base: string;
  readonly axis: SweepAxis;
  readonly strategies: readonly string[];
  readonly seeds: readonly number[];
  readonly degrees: readonly SweepDegree[];
}

/** Where degrees stand on the horizontal axis, in their order. */
export function positionsOf(scale: AxisScale, degrees: readonly { readonly at: number | string }[]): readonly number[] {
  return degrees.map(({ at }, index) => {
    if (scale === "category" || typeof at === "string") return index;
    return scale === "log" ? Math.log10(at) : at;
  });
}
