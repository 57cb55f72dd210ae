/** The comparisons of a sweep's degrees as one result: what `sweep.json` holds. */

import { BASELINE_STRATEGY } from "../compare.js";
import type { ComparisonResult, StrategyResult } from "../result.js";
import { roundedNumber } from "../serialize.js";
import { leftOutNotes } from "../tables/summary.js";
import { KUMIAI_VERSION } from "../version.js";
import type { Sweep, SweepAxis, SweepDegree } from "./sweep.js";

export const SWEEP_SCHEMA_VERSION = 1;

/** The shape of `sweep.json`. Percentages are numbers in percent. */
export interface SweepResult {
  readonly schemaVersion: typeof SWEEP_SCHEMA_VERSION;
  readonly kumiaiVersion: string;
  /** False when a degree is missing or not finished. */
  readonly complete: boolean;
  readonly name: string;
  readonly description: string;
  readonly base: string;
  readonly axis: SweepAxis;
  readonly seeds: readonly number[];
  /** The strategy that gains are relative to. */
  readonly baseline: string;
  readonly strategies: readonly string[];
  /** In the order of the sweep; those that have not begun are not in it. */
  readonly degrees: readonly DegreeResult[];
}

export interface DegreeResult {
  readonly at: number | string;
  readonly label: string;
  /** Folder beside `sweep.json` with the degree's own result and report. */
  readonly folder: string;
  readonly configHash: string;
  readonly complete: boolean;
  readonly siteCount: number;
  readonly taskCount: number;
  /** By name; those without a finished run are not in it. */
  readonly strategies: Readonly<Record<string, DegreeGain>>;
  /** A sentence for each task that has no part in Δ% at this degree, and for each that a strategy failed at. */
  readonly notes: readonly string[];
  /** Wall time of the comparison, without what was kept from before. */
  readonly seconds: number;
}

export interface DegreeGain {
  /** Δ% against training alone: mean over seeds; null where it cannot be said. */
  readonly relativeGainPercent: number | null;
  readonly relativeGainStdPercent: number | null;
  readonly relativeGainInterval95: readonly [number, number] | null;
  readonly perSeedGainPercent: Readonly<Record<string, number | null>>;
  readonly pooledGainShare: number | null;
  readonly trafficShare: number | null;
  readonly worstSite: { readonly id: string; readonly gainPercent: number } | null;
  /** Of `taskCount`: site–task pairs that in some seed were not above a constant prediction. Their gains say nothing. */
  readonly notAboveConstantCount: number;
}

/** What of a sweep stands in its result. */
export interface SweepPlan extends Pick<Sweep, "name" | "description" | "base" | "axis"> {
  readonly degrees: readonly DegreePlan[];
}

type DegreePlan = Pick<SweepDegree, "at" | "label" | "folder">;

/** `results` holds those of the first degrees, in order. */
export function summarizeSweep(
  sweep: SweepPlan,
  names: { readonly strategies: readonly string[]; readonly seeds: readonly number[] },
  results: readonly ComparisonResult[],
): SweepResult {
  const degrees = results.map((result, index) => degreeOf(sweep.degrees[index] as DegreePlan, result));
  return {
    schemaVersion: SWEEP_SCHEMA_VERSION,
    kumiaiVersion: KUMIAI_VERSION,
    complete: degrees.length === sweep.degrees.length && degrees.every(({ complete }) => complete),
    name: sweep.name,
    description: sweep.description,
    base: sweep.base,
    axis: sweep.axis,
    seeds: names.seeds,
    baseline: BASELINE_STRATEGY,
    strategies: names.strategies,
    degrees,
  };
}

function degreeOf({ at, label, folder }: DegreePlan, result: ComparisonResult): DegreeResult {
  const { scenario, strategies, complete, seconds } = result;
  const finished = Object.entries(strategies).filter(([, { perSeed }]) => Object.keys(perSeed).length > 0);
  return {
    at,
    label,
    folder,
    configHash: scenario.configHash,
    complete,
    siteCount: scenario.clients.length,
    taskCount: scenario.clients.reduce((sum, { tasks }) => sum + tasks.length, 0),
    strategies: Object.fromEntries(finished.map(([name, strategy]) => [name, gainOf(strategy)])),
    notes: leftOutNotes(result),
    seconds,
  };
}

function gainOf(strategy: StrategyResult): DegreeGain {
  const { perSeed, against, trafficShare = null } = strategy;
  const worst = against?.local?.worstClient ?? null;
  const worstGain = worst === null ? undefined : against?.local?.clients[worst]?.meanPercent;
  return {
    relativeGainPercent: strategy.relativeGainPercent,
    relativeGainStdPercent: strategy.relativeGainStdPercent,
    relativeGainInterval95: strategy.relativeGainInterval95,
    perSeedGainPercent: Object.fromEntries(
      Object.entries(perSeed).map(([seed, { relativeGainPercent }]) => [seed, relativeGainPercent]),
    ),
    pooledGainShare: strategy.pooledGainShare,
    trafficShare,
    worstSite: worst === null || worstGain === undefined ? null : { id: worst, gainPercent: worstGain },
    notAboveConstantCount: strategy.notAboveConstant.length,
  };
}

/** The degrees' notes, one line each: `at 0.1: Left out of Δ%: …`. */
export function notesOf({ degrees }: SweepResult): readonly string[] {
  return degrees.flatMap(({ label, notes }) => notes.map((note) => `at ${label}: ${note}`));
}

/** `sweep.json` as text: as `result.json`, numbers to 9 significant digits; ends with a newline. */
export function serializeSweep(result: SweepResult): string {
  const round = (_: string, value: unknown): unknown => (typeof value === "number" ? roundedNumber(value) : value);
  return `${JSON.stringify(result, round, 2)}\n`;
}
