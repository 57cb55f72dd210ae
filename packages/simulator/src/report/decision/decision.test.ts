import { describe, expect, test } from "vitest";
import type { PricesConfig, ThresholdsConfig } from "../../config/decision-schema.js";
import type { ComparisonResult } from "../../result.js";
import { byHand } from "../testing/hand-result.js";
import { syntheticResult } from "../testing/synthetic-result.js";
import { makeView } from "../view.js";
import { decisionFacts } from "./facts.js";
import { renderDecision } from "./index.js";
import { judge } from "./judge.js";

const LIMITS: ThresholdsConfig = { minGainPercent: 0, minSeeds: 5 };

function factsOf(result: ComparisonResult, prices?: PricesConfig) {
  const scenario = prices === undefined ? result.scenario : { ...result.scenario, prices };
  const view = makeView({ result: { ...result, scenario }, pictures: [] });
  if (view.focus === null) throw new Error("no federated method");
  return decisionFacts(view, view.focus);
}

describe("facts", () => {
  test("equal the numbers worked by hand", () => {
    const prices = { currency: "EUR", perGigabyte: 2, perCoreHour: 3, perLabel: 0.5, megabitPerSecond: 8 };
    const facts = factsOf(byHand(), prices);
    expect(facts.gain?.mean).toBeCloseTo(10.0005, 9);
    expect(facts.worst?.id).toBe("a");
    // 54.9 is 9.8 % above 50, more than 95 % of 10 %.
    expect(facts.roundsTo95).toBe(1);
    expect(facts.evaluatedRounds).toEqual([0, 1, 2]);
    // Two rounds of 1 GB up and 2 GB down: 6 GB; half an hour of training each.
    expect(facts.cost).toMatchObject({ currency: "EUR", traffic: 12, compute: 3, labels: 15, total: 30, alone: 18 });
    expect(facts.sites[0]).toMatchObject({
      upBytesPerRound: 1e9,
      downBytesPerRound: 2e9,
      fullModelBytes: 4e9,
      computeSeconds: 3600,
    });
    // 3 GB a round over 8 Mbit/s take 3,000 s.
    expect(facts.elapsedSeconds).toBe(2 * (1800 + 3000));
    expect(facts.sites[0]?.privacy).toBeNull();
  });

  test("labels are paid for where there are any, mean over seeds", () => {
    const result = byHand();
    const clients = result.scenario.clients.map((client) => ({ ...client, trainLabelCount: 12.5 }));
    const prices = { currency: "EUR", perGigabyte: 0, perCoreHour: 0, perLabel: 2 };
    const counted = { ...result, scenario: { ...result.scenario, clients } };
    expect(factsOf(counted, prices).cost?.labels).toBe(25);
    const pageOf = (one: ComparisonResult) =>
      renderDecision(one, { languages: ["en", "ja"], limits: { file: "x.yaml", prices } })?.page;
    expect(pageOf(counted)).toContain("labels 25.0 EUR (12.5 training labels, mean over seeds)");
    expect(pageOf(counted)).toContain("（学習用ラベル 12.5 件、シード平均）");
    expect(pageOf(result)).toContain("labels 60.0 EUR (30 training labels at most: this older result");
  });

  test("without a gain there is no round in which 95 % of it was reached", () => {
    expect(factsOf(syntheticResult({ gains: { local: 0, fedhca2: -5 }, noise: 0 })).roundsTo95).toBeNull();
  });

  test("of privacy, the stronger attack counts, mean over seeds", () => {
    const result = byHand();
    const leak = (advantagePercent: number) => ({ advantagePercent });
    const privacy = (drop: number, align: number) => ({
      a: {
        firstUpdate: { round: 1, lossDrop: leak(drop), updateAlignment: leak(align) },
        lastUpdate: { round: 2, lossDrop: null, updateAlignment: null },
        model: leak(7),
        untrained: leak(1),
      },
    });
    const { fedavg, local } = result.strategies;
    const seeds = Object.entries(fedavg?.perSeed ?? {}).map(([seed, one], i) => [
      seed,
      { ...one, privacy: i === 0 ? privacy(30, 10) : privacy(-10, 16) },
    ]);
    const strategies = { local, fedavg: { ...fedavg, perSeed: Object.fromEntries(seeds) } };
    const facts = factsOf({ ...result, strategies } as ComparisonResult);
    expect(facts.sites[0]?.privacy).toEqual({
      firstUpdate: { attack: "update-alignment", advantagePercent: 13, seedCount: 2 },
      lastUpdate: null,
      model: { attack: "loss-threshold", advantagePercent: 7, seedCount: 2 },
      alone: null,
      untrained: { attack: "loss-threshold", advantagePercent: 1, seedCount: 2 },
    });
    const check = judge(facts, { ...LIMITS, maxAdvantagePercent: 10 }).checks.find(({ id }) => id === "privacy");
    expect(check).toEqual({ id: "privacy", state: "missed", value: 13, limit: 10, site: "a" });
  });
});

describe("judge", () => {
  test("goes on where every check is met, and begins with the sites that gain most", () => {
    const facts = factsOf(byHand([1, 2, 3, 4, 5]));
    expect(judge(facts, { ...LIMITS, minGainPercent: 5, maxTrafficGigabytes: 6, maxHours: 1 })).toMatchObject({
      decision: "go",
      firstSites: ["a"],
    });
  });

  test("stops only where it is settled that the gain is too small", () => {
    const loss = factsOf(syntheticResult({ gains: { local: 0, fedhca2: -6 }, noise: 0.3 }));
    expect(judge(loss, LIMITS).decision).toBe("stop");
    const unclear = factsOf(syntheticResult({ gains: { local: 0, fedhca2: 0.2 }, noise: 3 }));
    expect(judge(unclear, LIMITS).decision).toBe("change");
    // A gain of 10 with hardly any spread, where 11 were asked for.
    const limits = { ...LIMITS, minGainPercent: 11 };
    expect(judge(factsOf(byHand([1, 2, 3, 4, 5])), limits).decision).toBe("stop");
  });

  test("settles nothing with fewer seeds than a decision needs, or where every seed gave the same", () => {
    const few = judge(factsOf(byHand([1, 2, 3, 4])), { ...LIMITS, minGainPercent: 11 });
    expect([few.decision, few.checks[0]?.state, few.checks[1]?.state]).toEqual(["change", "unknown", "missed"]);
    const same = judge(factsOf(syntheticResult({ gains: { local: 0, fedhca2: -6 }, noise: 0 })), LIMITS);
    expect([same.decision, same.checks[0]?.state]).toEqual(["change", "unknown"]);
  });

  test("one seed is never enough to go on", () => {
    const facts = factsOf(syntheticResult({ seeds: [1], gains: { local: 0, fedhca2: 20 } }));
    const { decision, checks } = judge(facts, { ...LIMITS, minSeeds: 1 });
    expect(decision).toBe("change");
    expect(checks[0]).toMatchObject({ id: "gain", state: "unknown" });
  });

  test.each([
    [{ maxTrafficGigabytes: 5.9 }, "traffic", "missed"],
    [{ maxHours: 0.9 }, "hours", "missed"],
    [{ maxCost: 1e6 }, "cost", "unknown"],
    [{ maxAdvantagePercent: 10 }, "privacy", "unknown"],
  ] as const)("with %j a change is asked for: %s is %s", (limits, id, state) => {
    const { decision, checks } = judge(factsOf(byHand([1, 2, 3, 4, 5])), { ...LIMITS, ...limits });
    expect(decision).toBe("change");
    expect(checks.filter((check) => check.state !== "met")).toEqual([expect.objectContaining({ id, state })]);
  });

  test("the worst site counts by name", () => {
    const facts = factsOf(syntheticResult({ gains: { local: 0, fedhca2: 4 }, noise: 0 }));
    const low = Math.min(...facts.sites.map(({ gain }) => gain?.mean ?? 0));
    const check = judge(facts, { ...LIMITS, maxSiteLossPercent: 0 }).checks.find(({ id }) => id === "worstSite");
    expect(check).toMatchObject({ value: low, site: facts.worst?.id, state: low >= 0 ? "met" : "missed" });
  });
});

describe("renderDecision", () => {
  const thresholds: ThresholdsConfig = {
    ...LIMITS,
    maxSiteLossPercent: 1,
    maxTrafficGigabytes: 0.01,
    maxCost: 1,
    maxHours: 0.001,
    maxAdvantagePercent: 5,
  };
  const limits = { file: "limits.yaml", thresholds };

  test("says the same numbers in both languages, and leaves no word of the other", () => {
    const result = syntheticResult();
    const [english, japanese] = (["en", "ja"] as const).map((language) =>
      renderDecision(result, { languages: [language], limits }),
    );
    expect(english?.decision).toBe(japanese?.decision);
    const numbers = (page = "") => page.replace(/<style>.*?<\/style>/s, "").match(/[+\u2212]\d+\.\d/g) ?? [];
    expect(numbers(japanese?.page).sort()).toEqual(numbers(english?.page).sort());
    expect(english?.page).not.toMatch(/[\u3040-\u30ff\u4e00-\u9fff]/);
    const left = (japanese?.text ?? "").match(/\b(?:the|asked|site|rounds|alone)\b/g);
    expect(left).toBeNull();
  });

  test("both languages stand on one page, which asks for nothing outside", () => {
    const page = renderDecision(syntheticResult(), { languages: ["en", "ja"], limits })?.page ?? "";
    expect(page).toContain('<div lang="en"');
    expect(page).toContain('<div lang="ja"');
    expect(page.match(/https?:|<script|<link|url\(/g)).toBeNull();
    expect(page).not.toMatch(/NaN|undefined|Infinity|\bnull\b|\[object/);
  });

  test("says in both languages that its strategy was picked by its result; not where it was named", () => {
    const result = syntheticResult({ gains: { local: 0, fedavg: 2, fedprox: 6 } });
    const textOf = (options: Partial<Parameters<typeof renderDecision>[1]>) =>
      renderDecision(result, { languages: ["en", "ja"], ...options })?.text ?? "";
    expect(textOf({})).toContain("it was picked on the very seeds that it is judged by, which flatters it");
    expect(textOf({})).toContain("連合手法 2 件のうち、95 % 信頼区間の下限が最も高い FedProx");
    for (const text of [
      textOf({ strategy: "fedprox" }),
      textOf({ limits: { file: "own.yaml", thresholds: { ...LIMITS, strategy: "fedprox" } } }),
    ]) {
      expect(text).toContain("Decided on: FedProx,");
      expect(text).not.toMatch(/picked on|対象の選び方/);
    }
  });

  test("names no site to begin with where it says stop", () => {
    const result = syntheticResult({ gains: { local: 0, fedhca2: -6 }, noise: 0.3 });
    const decision = renderDecision(result, { languages: ["en", "ja"] });
    expect(decision?.decision).toBe("stop");
    expect(`${decision?.page}${decision?.text}`).not.toMatch(/pilot|PoC/);
  });

  test("a site whose updates were too few to measure has not sent nothing", () => {
    const result = byHand();
    const measured = { firstUpdate: null, lastUpdate: null, model: { advantagePercent: 7 }, untrained: null };
    const { fedavg, local } = result.strategies;
    const pageOf = (upBytes: number) => {
      const perSeed = Object.entries(fedavg?.perSeed ?? {}).map(([seed, one]) => {
        const rounds = one.rounds.map((round) => ({ ...round, clients: { a: { ...round.clients.a, upBytes } } }));
        return [seed, { ...one, rounds, privacy: { a: measured } }];
      });
      const strategies = { local, fedavg: { ...fedavg, perSeed: Object.fromEntries(perSeed) } };
      return renderDecision({ ...result, strategies } as ComparisonResult, { languages: ["en"], strategy: "fedavg" })
        ?.page;
    };
    expect(pageOf(1000)).not.toContain("nothing sent");
    expect(pageOf(0)).toContain("nothing sent");
  });

  test("limits of a file replace those of the result, also where the file has none", () => {
    const result = byHand([1, 2, 3, 4, 5]);
    const prices = { currency: "EUR", perGigabyte: 2, perCoreHour: 3 };
    const run = { ...result, scenario: { ...result.scenario, prices, thresholds: { ...LIMITS, minGainPercent: 11 } } };
    const textOf = (more: object = {}) => renderDecision(run, { languages: ["en"], ...more })?.text ?? "";
    expect(textOf()).toContain(
      "Limits: those of the scenario that was run. Prices: those of the scenario that was run.",
    );
    expect(textOf()).toContain("15.0 EUR");
    const other = textOf({ limits: { file: "later.yaml" } });
    expect(other).toContain("=> Go on");
    expect(other).toContain("Kumiai's own (a gain above 0 over five seeds), as later.yaml has no thresholds");
    expect(other).toContain("Prices: none, as later.yaml has no prices.");
    expect(other).not.toContain("EUR");
    const japanese = textOf({ languages: ["ja"], limits: { file: "later.yaml", prices } });
    expect(japanese).toContain("later.yaml に thresholds がないため）。単価：later.yaml の prices。");
  });

  test("says how to measure what was not measured", () => {
    expect(renderDecision(syntheticResult(), { languages: ["en"] })?.text).toContain("Not measured. Add privacy:");
  });

  test("has nothing to decide without a federated method", () => {
    expect(renderDecision(syntheticResult({ gains: { local: 0 } }), { languages: ["en"] })).toBeNull();
    expect(renderDecision(syntheticResult(), { languages: ["en"], strategy: "fedhca3" })).toBeNull();
  });
});
