/**
 * Go on, change, or stop: from thresholds that were set before the run, by rules that leave nothing to taste.
 *
 *   stop    the gain is settled and too small: its 95 % interval lies below the least gain asked for, or not above 0
 *   go on   every check that was asked for is met
 *   change  anything else: a check is missed or cannot be answered; each says what to change
 *
 * The gain is met where its mean reaches the least gain and its interval lies above 0; with fewer seeds than a decision needs, or where all
 * seeds gave the same number, nothing is settled. Checks come in a fixed order.
 */
import type { ThresholdsConfig } from "../../config/decision-schema.js";
import { hasNoWidth } from "../statistics.js";
import type { DecisionFacts } from "./facts.js";
import { senders, sentLeak } from "./privacy.js";

export type CheckId = "gain" | "seeds" | "runs" | "worstSite" | "learned" | "traffic" | "cost" | "hours" | "privacy";

/** Why the gain is open: there is none, too few seeds, all seeds alike, or an interval that holds the limit. */
export type Lack =
  | { readonly kind: "gain" }
  | { readonly kind: "seeds"; readonly count: number; readonly least: number }
  | { readonly kind: "spread"; readonly count: number }
  | { readonly kind: "clarity" };

export interface Check {
  readonly id: CheckId;
  readonly state: "met" | "missed" | "unknown";
  /** What was measured; null: it was not. */
  readonly value: number | null;
  readonly limit: number;
  /** The site that the value is of. */
  readonly site: string | null;
  /** Of an open gain. */
  readonly lack?: Lack;
}

export interface Judgement {
  readonly decision: "go" | "change" | "stop";
  readonly checks: readonly Check[];
  /** Sites to begin a pilot with: the two that gain most, of those that gain. */
  readonly firstSites: readonly string[];
}

export function judge(facts: DecisionFacts, thresholds: ThresholdsConfig): Judgement {
  const checks = [
    gainCheck(facts, thresholds),
    atLeast("seeds", facts.noGain === null ? facts.seedCount : null, thresholds.minSeeds),
    runsCheck(facts),
    ...worstSiteCheck(facts, thresholds),
    atMost("learned", hasScores(facts) ? facts.notLearned.length : null, 0),
    ...optional(thresholds.maxTrafficGigabytes, (limit) =>
      atMost("traffic", (facts.upBytes + facts.downBytes) / 1e9, limit),
    ),
    ...optional(thresholds.maxCost, (limit) => atMost("cost", facts.cost?.total ?? null, limit)),
    ...optional(thresholds.maxHours, (limit) => atMost("hours", facts.elapsedSeconds / 3600, limit)),
    ...optional(thresholds.maxAdvantagePercent, (limit) => privacyCheck(facts, limit)),
  ];
  const isSettledLoss = checks[0]?.state === "missed";
  const decision = isSettledLoss ? "stop" : checks.every(({ state }) => state === "met") ? "go" : "change";
  return { decision, checks, firstSites: firstSites(facts) };
}

function gainCheck({ gain }: DecisionFacts, { minGainPercent, minSeeds }: ThresholdsConfig): Check {
  const about = { id: "gain", value: gain?.mean ?? null, limit: minGainPercent, site: null } as const;
  const open = (lack: Lack): Check => ({ ...about, state: "unknown", lack });
  if (gain === null) return open({ kind: "gain" });
  const { count, interval95 } = gain;
  const least = Math.max(2, minSeeds); // One seed has no interval.
  if (count < least || interval95 === null) return open({ kind: "seeds", count, least });
  if (hasNoWidth(interval95)) return open({ kind: "spread", count });
  const [low, high] = interval95;
  if (high < minGainPercent || high <= 0) return { ...about, state: "missed" };
  return gain.mean >= minGainPercent && low > 0 ? { ...about, state: "met" } : open({ kind: "clarity" });
}

/** What was interrupted or failed may have been the runs that speak against the strategy. */
function runsCheck({ runs: { finishedCount, plannedCount, areComplete } }: DecisionFacts): Check {
  const state = areComplete ? "met" : "missed";
  return { id: "runs", state, value: finishedCount, limit: plannedCount, site: null };
}

function hasScores({ sites }: DecisionFacts): boolean {
  return sites.some(({ tasks }) => tasks.some(({ together }) => together !== null));
}

function worstSiteCheck({ worst }: DecisionFacts, { maxSiteLossPercent }: ThresholdsConfig): readonly Check[] {
  if (maxSiteLossPercent === undefined) return [];
  const value = worst?.gain?.mean ?? null;
  return [{ ...atLeast("worstSite", value, -maxSiteLossPercent), site: worst?.id ?? null }];
}

/** The most exposed site counts. Who sends nothing gives nothing away. */
function privacyCheck({ sites }: DecisionFacts, limit: number): Check {
  let worst: { readonly id: string | null; readonly value: number } = { id: null, value: 0 };
  for (const { id, privacy } of senders(sites)) {
    const value = privacy === null ? undefined : sentLeak(privacy)?.advantagePercent;
    if (value === undefined) return { ...atMost("privacy", null, limit), site: id }; // Nothing is known of this one.
    if (worst.id === null || value > worst.value) worst = { id, value };
  }
  return { ...atMost("privacy", worst.value, limit), site: worst.id };
}

function firstSites({ sites }: DecisionFacts): readonly string[] {
  return sites
    .filter(({ gain }) => gain !== null && gain.mean > 0)
    .sort((a, b) => (b.gain?.mean ?? 0) - (a.gain?.mean ?? 0))
    .slice(0, 2)
    .map(({ id }) => id);
}

function optional(limit: number | undefined, make: (limit: number) => Check): readonly Check[] {
  return limit === undefined ? [] : [make(limit)];
}

function atMost(id: CheckId, value: number | null, limit: number): Check {
  return { id, value, limit, site: null, state: value === null ? "unknown" : value <= limit ? "met" : "missed" };
}

function atLeast(id: CheckId, value: number | null, limit: number): Check {
  return { id, value, limit, site: null, state: value === null ? "unknown" : value >= limit ? "met" : "missed" };
}
