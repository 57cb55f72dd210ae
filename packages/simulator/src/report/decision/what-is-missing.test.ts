/** What is said, and what is not, where a number has nothing to rest on. */
import { describe, expect, test } from "vitest";
import { byHand } from "../testing/hand-result.js";
import { renderDecision } from "./index.js";

const textOf = (result: ReturnType<typeof byHand>, options: Partial<Parameters<typeof renderDecision>[1]> = {}) =>
  renderDecision(result, { languages: ["en", "ja"], ...options })?.text ?? "";

describe("seeds", () => {
  test("too few to settle the gain are counted against how many are needed, one seed against two at least", () => {
    expect(textOf(byHand([1, 2, 3]))).toContain("Not settled: 3 seeds, at least 5 needed.");
    expect(textOf(byHand([1, 2, 3]))).toContain("シードが 3 個しかありません（5 個以上必要）。");
    const thresholds = { minGainPercent: 0, minSeeds: 1 };
    expect(textOf(byHand([1]), { limits: { file: "one.yaml", thresholds } })).toContain(
      "Not settled: 1 seed, at least 2 needed.",
    );
  });

  test("that all gave the same number settle nothing, also where their mean is rounded", () => {
    const result = byHand([1, 2, 3, 4, 5, 6]);
    const { local, fedavg } = result.strategies;
    // Six times 0.1 add up to 0.6 less a rounding error, so that the interval has a width of 1e-17.
    const perSeed = Object.fromEntries(
      Object.entries(fedavg?.perSeed ?? {}).map(([seed, one]) => [seed, { ...one, relativeGainPercent: 0.1 }]),
    );
    const text = textOf({ ...result, strategies: { local, fedavg: { ...fedavg, perSeed } } } as typeof result);
    expect(text).toContain("all 6 seeds gave the same number");
    expect(text).toContain("6 個のシードの値がすべて同じ");
    expect(text).toContain("=> Change, then try again");
  });
});

type Result = ReturnType<typeof byHand>;
type Seeds = Result["strategies"][string]["perSeed"];

/** The same result with other runs of some strategies. */
function withRuns(result: Result, change: Readonly<Record<string, (perSeed: Seeds) => object>>): Result {
  const strategies = Object.entries(result.strategies).map(([name, one]) => {
    const perSeed = change[name]?.(one.perSeed) ?? one.perSeed;
    return [name, { ...one, perSeed }];
  });
  return { ...result, strategies: Object.fromEntries(strategies) } as Result;
}

const without =
  (...seeds: readonly number[]) =>
  (perSeed: Seeds): object =>
    Object.fromEntries(Object.entries(perSeed).filter(([seed]) => !seeds.includes(Number(seed))));

describe("an unfinished comparison", () => {
  const seeds = [1, 2, 3, 4, 5, 6, 7];
  const partial = { ...withRuns(byHand(seeds), { fedavg: without(6, 7) }), complete: false };

  test("names its missing runs first in both languages, in the terminal and on the page", () => {
    const decision = renderDecision(partial, { languages: ["en", "ja"] });
    for (const text of [decision?.text, decision?.page.replaceAll("\u00a0", " ")]) {
      expect(text).toContain("Not finished: the comparison has 12 of 14 planned runs;");
      expect(text).toContain("Missing: fedavg with seeds 6, 7. Δ rests on 5 of 7 seeds.");
      expect(text).toContain("予定した 14 件の実行のうち、完了したのは 12 件です");
      expect(text).toContain("未完了の実行：fedavg（シード 6、7）。");
    }
    expect(textOf(byHand(seeds))).not.toMatch(/Not finished|未完了/);
  });

  test("is no ground to go on, though the seeds that there are would do; neither where the file says complete and is not", () => {
    expect(textOf(byHand(seeds))).toContain("=> Go on");
    for (const result of [partial, { ...partial, complete: true }]) {
      expect(textOf(result)).toContain("=> Change, then try again");
      expect(textOf(result)).toContain("[missed] Finished runs: 12 of 14 planned.");
    }
  });
});

describe("without a Δ, the reason is given in both languages and nothing is said about chance, pilots or the final Δ:", () => {
  const withoutGain = (one: Seeds[string], more: object = {}): object => ({
    ...one,
    relativeGainPercent: null,
    clients: Object.fromEntries(
      Object.entries(one.clients).map(([id, { tasks }]) => {
        const changed = Object.entries(tasks).map(([task, its]) => [
          task,
          { ...its, relativeGainPercent: null, ...more },
        ]);
        return [id, { relativeGainPercent: null, tasks: Object.fromEntries(changed) }];
      }),
    ),
  });
  const allWithoutGain =
    (more: object = {}, ...missing: readonly number[]) =>
    (perSeed: Seeds): object =>
      Object.fromEntries(
        Object.entries(without(...missing)(perSeed)).map(([seed, one]) => [seed, withoutGain(one, more)]),
      );
  const noLocal = (): Result => {
    const { fedavg } = withRuns(byHand([1, 2]), { fedavg: allWithoutGain() }).strategies;
    const unrated = { ...fedavg, relativeGainPercent: null, relativeGainInterval95: null };
    return { ...byHand([1, 2]), baseline: null, strategies: { fedavg: unrated, fedprox: unrated } } as Result;
  };
  const leftOut = allWithoutGain({ leftOut: "aloneZero" });
  const diverged = (perSeed: Seeds): object => ({
    ...perSeed,
    2: withoutGain(perSeed["2"] as Seeds[string], { value: null }),
  });

  test.each([
    [
      "local was not asked for",
      noLocal(),
      "local is not in this comparison. Run it again with --strategies local,fedavg,fedprox:",
      "--strategies local,fedavg,fedprox を指定して再実行してください",
    ],
    [
      "local has not finished",
      {
        ...withRuns(byHand([1, 2]), { local: without(1, 2), fedavg: allWithoutGain() }),
        baseline: null,
        complete: false,
      },
      "no seed has been finished by both local and fedavg",
      "local と fedavg の両方が完了したシードがない",
    ],
    [
      "the two have no seed in common",
      { ...withRuns(byHand([1, 2]), { local: without(1), fedavg: allWithoutGain({}, 2) }), complete: false },
      "no seed has been finished by both local and fedavg",
      "local と fedavg の両方が完了したシードがない",
    ],
    [
      "every task is left out",
      withRuns(byHand([1, 2]), { local: leftOut, fedavg: leftOut }),
      "There is no Δ: every task is left out, for the reason named with it.",
      "すべてのタスクが計算から除外されているため",
    ],
    [
      "a score of one seed is not finite, whatever the others say",
      withRuns(byHand([1, 2, 3, 4, 5]), { fedavg: diverged }),
      "a/edge has no finite score with seed 2, and the other seeds alone would flatter fedavg.",
      "a/edge（シード 2）の値が有限でないため",
    ],
  ] as const)("%s", (_, given, english, japanese) => {
    const result = given as Result;
    const limits = { file: "limits.yaml", thresholds: { minGainPercent: 0, minSeeds: 5, maxSiteLossPercent: 1 } };
    const text = textOf(result, { limits });
    expect(text.split(english)).toHaveLength(3); // At the check and at the figure.
    expect(text.split(japanese)).toHaveLength(3);
    expect(text).toContain("Without a Δ no seeds are paired; asked for: 5.");
    expect(text).not.toMatch(/0 paired|no interval|not above 0|No site gained|run more seeds|highest|n\/a|最も高い/);
    const page = renderDecision(result, { languages: ["en"], limits })?.page ?? "";
    expect(page).toContain(english);
  });

  test("a page says at the task itself that it needs local, or that its score is not finite", () => {
    const pageOf = (result: Result) => renderDecision(result, { languages: ["en", "ja"] })?.page ?? "";
    expect(pageOf(noLocal())).toContain("<td>needs local</td>");
    expect(pageOf(noLocal())).toContain("<td>local が必要</td>");
    expect(pageOf(withRuns(byHand([1, 2]), { fedavg: diverged }))).toContain("no Δ: no finite score with seed 2");
  });

  test("a comparison with no score at all is not called better than a constant prediction", () => {
    const text = textOf({ ...withRuns(byHand([1, 2]), { fedavg: () => ({}) }), complete: false });
    expect(text).toContain("[open] No task has a score to compare with a constant prediction.");
    expect(text).toContain("[未確定] 評価できるタスクがないため");
  });
});

describe("privacy", () => {
  const leak = (advantagePercent: number) => ({ advantagePercent });
  const few = {
    firstUpdate: { lossDrop: null, updateAlignment: null },
    lastUpdate: null,
    model: null,
    untrained: null,
  };
  const exposed = { ...few, firstUpdate: { lossDrop: leak(30), updateAlignment: leak(20) }, untrained: leak(2) };
  const unsent = { firstUpdate: null, lastUpdate: null, model: leak(5), untrained: leak(2) };
  const limits = { file: "x.yaml", thresholds: { minGainPercent: 0, minSeeds: 5, maxAdvantagePercent: 9 } };

  /** Sites `a`, which sends, and `quiet`, which does not; privacy of each by seed. */
  const textWith = (a: (seed: number) => object, quiet: object = unsent): string => {
    const result = withRuns(byHand([1, 2]), {
      fedavg: (perSeed) =>
        Object.fromEntries(
          Object.entries(perSeed).map(([seed, one]) => [seed, { ...one, privacy: { a: a(Number(seed)), quiet } }]),
        ),
    });
    const { scenario } = result;
    const clients = [...scenario.clients, { ...scenario.clients[0], id: "quiet" }];
    return textOf({ ...result, scenario: { ...scenario, clients } } as Result, { limits });
  };

  test("names the site, the attack, the chance level and the seeds that had enough examples", () => {
    expect(textWith(() => exposed)).toContain(
      "3. Privacy risk: a gives most away by what it sends, 30.0 points (loss drop; chance level 2.0; 2 seeds)",
    );
    expect(textWith((seed) => (seed === 1 ? exposed : few))).toContain("chance level 2.0; 1 seed)");
    expect(textWith(() => exposed)).toContain("30.0 ポイント（損失低下、偶然の水準 2.0、シード 2 個）");
  });

  test("tells too few examples from not measured, and neither of a site that sends nothing", () => {
    const text = textWith(() => few);
    expect(text).toContain("3. Privacy risk: Too few examples to tell of a: a site needs 8 training");
    expect(text).toContain("[open] Privacy risk of a not known;");
    expect(text).toContain("3. プライバシーリスク: a は、測定に必要な例が足りません。");
    expect(text).not.toMatch(/--privacy|quiet (?:gives|not)|of quiet/);
    expect(textWith(() => exposed)).toContain("[missed] What a sends gives membership away by 30.0 points");
  });
});
