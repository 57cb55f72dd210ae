import type { ComparisonResult, StrategyResult } from "@kumiai/simulator";
import { createColors } from "picocolors";
import { expect, test } from "vitest";
import { siteTable, strategyTable, taskTable, weakTaskLines } from "./tables.js";

const colors = createColors(false);

const client = (gain: number | null) => ({
  relativeGainPercent: gain,
  tasks: { edge: { value: 0.512, constant: 0.6, aboveConstant: false, relativeGainPercent: gain } },
});

const seed = (gain: number | null) => ({
  relativeGainPercent: gain,
  clients: { "line-a": client(gain) },
  rounds: [],
  seconds: 1,
});

function strategy(gains: readonly (number | null)[], more: Partial<StrategyResult> = {}): StrategyResult {
  return {
    summary: "",
    relativeGainPercent: 1.234,
    relativeGainStdPercent: 0.5,
    relativeGainInterval95: [-0.1, 2.5],
    pooledGainShare: null,
    upBytes: 4_000_000,
    downBytes: 8_000_000,
    notAboveConstant: [],
    perSeed: Object.fromEntries(gains.map((gain, i) => [String(i + 1), seed(gain)])),
    ...more,
  };
}

function result(strategies: Readonly<Record<string, StrategyResult>>, seeds: readonly number[]): ComparisonResult {
  const task = { id: "edge", metric: "F1 (ODS)", unit: "%", higherIsBetter: true };
  const site = { id: "line-a", domain: "garments", tasks: [task], trainCount: 1, testCount: 1, paramCount: 1 };
  return {
    schemaVersion: 1,
    kumiaiVersion: "0.1.0",
    complete: true,
    scenario: {
      name: "s",
      description: "",
      configHash: "",
      rounds: 4,
      clients: [{ ...site, sharedParamCount: 1 }],
    },
    seeds,
    baseline: "local",
    strategies,
    seconds: 1,
  } as ComparisonResult;
}

/** Cells of each row, without the frame. */
function rows(table: string): readonly (readonly string[])[] {
  return table
    .split("\n")
    .filter((line) => line.startsWith("│"))
    .map((line) =>
      line
        .split("│")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

test("with several seeds and a pooled reference the table has spread, interval and share; bytes are per round", () => {
  const table = strategyTable(
    result({ local: strategy([0, 0]), fedhca2: strategy([1, 2], { pooledGainShare: 0.251 }) }, [1, 2]),
    colors,
  );
  expect(rows(table)).toEqual([
    ["strategy", "Δ% ± std", "95 % interval", "of pooled", "up / round", "down / round", "not above constant"],
    ["local", "baseline", "", "", "1.0 MB", "2.0 MB", "none"],
    ["fedhca2", "+1.23 ± 0.50", "−0.10 … +2.50", "25 %", "1.0 MB", "2.0 MB", "none"],
  ]);
});

test("with one seed there is neither spread nor interval", () => {
  const one = { relativeGainStdPercent: null, relativeGainInterval95: null };
  const table = strategyTable(result({ local: strategy([0], one), fedavg: strategy([-1], one) }, [1]), colors);
  expect(rows(table)[0]).toEqual(["strategy", "Δ%", "up / round", "down / round", "not above constant"]);
  expect(rows(table)[2]?.[1]).toBe("+1.23");
});

test("tasks that do not beat a constant are counted in the table and named below it", () => {
  const weak = result({ local: strategy([0], { notAboveConstant: ["line-a/edge"] }), fedavg: strategy([1]) }, [1]);
  expect(rows(strategyTable(weak, colors))[1]?.at(-1)).toBe("1 of 1 tasks");
  expect(weakTaskLines(weak, colors)).toBe("! local does not beat a constant: line-a/edge");
});

test("a site's gain is the mean over seeds; the baseline has no column", () => {
  const table = siteTable(result({ local: strategy([0, 0]), fedavg: strategy([-1, 3]) }, [1, 2]), colors);
  expect(rows(table)).toEqual([
    ["Δ% by site", "fedavg"],
    ["line-a (edge)", "+1.00"],
  ]);
});

test("without a baseline there are no gains to show", () => {
  const alone = { ...result({ fedavg: strategy([null]) }, [1]), baseline: null };
  expect(siteTable(alone, colors)).toBe("");
});

test("a task's row marks a value that does not beat the constant", () => {
  expect(rows(taskTable(result({ local: strategy([0]) }, [1]), "local", 1, colors))).toEqual([
    ["site", "task", "metric", "value", "constant"],
    ["line-a", "edge", "F1 (ODS) ↑", "0.512 % !", "0.600 %"],
  ]);
});
