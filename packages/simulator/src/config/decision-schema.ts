/** Sections `prices` and `thresholds`: what a decision depends on beside the measurement. They change no number of a run. */
import { z } from "zod";

/** Prices of a whole run. Amounts are in `currency`. */
export interface PricesConfig {
  /** As it is to be shown, e.g. `JPY`. */
  readonly currency: string;
  /** 10⁹ bytes between a site and the server, either way. */
  readonly perGigabyte: number;
  /** One hour of one core at a site. */
  readonly perCoreHour: number;
  /** One labeled example of one task; absent: labels are there already. */
  readonly perLabel?: number | undefined;
  /** Of each site's line, for the time that frames take; absent: that time is not counted. */
  readonly megabitPerSecond?: number | undefined;
}

/** Limits that were set before the run. What is absent is not judged. */
export interface ThresholdsConfig {
  /** The strategy that is decided on; absent: the best federated one. */
  readonly strategy?: string | undefined;
  /** Least Δ%, mean over sites; 0 unless told otherwise. */
  readonly minGainPercent: number;
  /** Seeds that a decision needs. */
  readonly minSeeds: number;
  /** The worst site may lose so much against training alone. */
  readonly maxSiteLossPercent?: number | undefined;
  /** All sites and rounds, both directions, in 10⁹ bytes. */
  readonly maxTrafficGigabytes?: number | undefined;
  /** Of a whole run, in the currency of `prices`. */
  readonly maxCost?: number | undefined;
  /** Time that sites and lines need for a whole run. */
  readonly maxHours?: number | undefined;
  /** Of membership inference on what a site sends. */
  readonly maxAdvantagePercent?: number | undefined;
}

const amount = z.number().min(0).max(1e12);

export const pricesSchema = z.strictObject({
  currency: z.string().min(1).max(8),
  perGigabyte: amount,
  perCoreHour: amount,
  perLabel: amount.optional(),
  megabitPerSecond: z.number().positive().max(1e9).optional(),
});

export const thresholdsSchema = z.strictObject({
  strategy: z.string().min(1).optional(),
  minGainPercent: z.number().min(-100).max(1000).default(0),
  minSeeds: z.int().min(1).max(1000).default(5),
  maxSiteLossPercent: z.number().min(0).max(1000).optional(),
  maxTrafficGigabytes: z.number().positive().max(1e12).optional(),
  maxCost: amount.optional(),
  maxHours: z.number().positive().max(1e9).optional(),
  maxAdvantagePercent: z.number().min(0).max(100).optional(),
});

/** Where a scenario has none. */
export const DEFAULT_THRESHOLDS: ThresholdsConfig = { minGainPercent: 0, minSeeds: 5 };

/** For suggestions, as `knownKeysAt` of the scenario. */
export const DECISION_KEYS: Readonly<Record<string, readonly string[]>> = {
  prices: Object.keys(pricesSchema.shape),
  thresholds: Object.keys(thresholdsSchema.shape),
};
