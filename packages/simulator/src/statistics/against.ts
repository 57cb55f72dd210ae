/**
 * A strategy against a reference strategy, seed by seed: Δ% as a whole, per site and per task.
 *
 * Differences are of Δ%, which is relative to training alone in the same seed: in percentage points. Against `local` itself they are the
 * gains as they stand. Only seeds that both have finished count.
 */
import { interval95, mean, sampleStd } from "@kumiai/algorithms";
import type { SeedResult } from "../result.js";
import { pairedBootstrap95, signTestP } from "./paired.js";

export interface PairedDifference {
  /** Mean over the paired seeds, percentage points of Δ%. */
  readonly meanPercent: number;
  /** Sample standard deviation over seeds; null with fewer than two. */
  readonly stdPercent: number | null;
  /** 95 % interval of the mean, Student t over the paired seeds; null with fewer than two. */
  readonly interval95: readonly [number, number] | null;
  /** 95 % interval of the mean, paired percentile bootstrap: too narrow with few seeds; null with fewer than two. */
  readonly bootstrapInterval95: readonly [number, number] | null;
}

export interface StrategyDifference extends PairedDifference {
  readonly seedCount: number;
  /** Exact two-sided sign test; null where no seed differs. */
  readonly signTestP: number | null;
  readonly clients: Readonly<Record<string, ClientDifference>>;
  /** The client with the lowest mean; of several the first. */
  readonly worstClient: string | null;
}

export interface ClientDifference extends PairedDifference {
  readonly tasks: Readonly<Record<string, PairedDifference>>;
}

type PerSeed = Readonly<Record<string, SeedResult>>;

/** Null where no seed has both, or gains cannot be said because there is no baseline. */
export function differenceAgainst(own: PerSeed, reference: PerSeed): StrategyDifference | null {
  const pairs = Object.keys(own).flatMap((seed) => {
    const [a, b] = [own[seed], reference[seed]];
    return a === undefined || b === undefined ? [] : [[a, b] as const];
  });
  const gains = differencesOf(pairs, (seed) => seed.relativeGainPercent);
  const whole = summarize(gains);
  if (whole === null) return null;
  const clients: Record<string, ClientDifference> = {};
  for (const [id, { tasks }] of Object.entries(pairs[0]?.[0].clients ?? {})) {
    const client = summarize(differencesOf(pairs, (seed) => seed.clients[id]?.relativeGainPercent));
    if (client === null) continue;
    const perTask = Object.keys(tasks).flatMap((task) => {
      const one = summarize(differencesOf(pairs, (seed) => seed.clients[id]?.tasks[task]?.relativeGainPercent));
      return one === null ? [] : [[task, one] as const];
    });
    clients[id] = { ...client, tasks: Object.fromEntries(perTask) };
  }
  return { ...whole, seedCount: gains.length, signTestP: signTestP(gains), clients, worstClient: worstOf(clients) };
}

type Gain = number | null | undefined;

function differencesOf(
  pairs: readonly (readonly [SeedResult, SeedResult])[],
  gainOf: (seed: SeedResult) => Gain,
): readonly number[] {
  return pairs.flatMap(([own, reference]) => {
    const [a, b] = [gainOf(own), gainOf(reference)];
    return isNumber(a) && isNumber(b) ? [a - b] : [];
  });
}

function isNumber(value: Gain): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function summarize(differences: readonly number[]): PairedDifference | null {
  if (differences.length === 0) return null;
  return {
    meanPercent: mean(differences),
    stdPercent: sampleStd(differences),
    interval95: interval95(differences),
    bootstrapInterval95: pairedBootstrap95(differences),
  };
}

function worstOf(clients: Readonly<Record<string, ClientDifference>>): string | null {
  let worst: string | null = null;
  for (const [id, { meanPercent }] of Object.entries(clients)) {
    if (worst === null || meanPercent < (clients[worst]?.meanPercent ?? 0)) worst = id;
  }
  return worst;
}
