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
