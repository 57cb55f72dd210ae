import { describe, expect, it } from "vitest";
import type { ComparisonResult, RoundRecord } from "../result.js";
import { roundSeries } from "./series.js";
import { syntheticResult } from "./testing/synthetic-result.js";
import { makeView, type ReportStrategy, type ReportView, strategyKind, strategyLabel } from "./view.js";

describe("strategyLabel", () => {
  it("knows our strategies and their variants, and leaves other names alone", () => {
    const names = ["local", "fedhca2", "fedavg-all", "fedavg:encoders", "fedhca2-cosine", "my-method", "constructor"];
    expect(names.map(strategyLabel)).toEqual([
      "Training alone",
      "FedHCA²",
      "FedAvg (all)",
      "FedAvg (encoders)",
      "FedHCA² (cosine)",
      "my-method",
      "constructor",
    ]);
  });
});

describe("makeView", () => {
  it("tells baseline, reference, control and federated methods apart", () => {
    const kinds = ["local", "pooled", "self-extrapolation", "fedprox"].map((kind) => strategyKind(kind, false));
    expect(kinds).toEqual(["baseline", "reference", "control", "federated"]);
    expect(strategyKind("fedavg", true)).toBe("baseline");
  });

  it("sorts by gain, puts strategies without one last, and gives every strategy its own line", () => {
    const view = makeView({ result: syntheticResult(), pictures: [] });
    const gains = view.strategies.map(({ result }) => result.relativeGainPercent ?? Number.NEGATIVE_INFINITY);
    expect(gains).toEqual([...gains].sort((a, b) => b - a));
    const lines = view.strategies.map(({ color, dash }) => `${color} ${dash.join(",")}`);
    expect(new Set(lines).size).toBe(view.strategies.length);
  });

  it("focuses on the best federated method when fedhca2 was not run, never on a reference or control", () => {
    const gains = { local: 0, fedavg: -3, fedprox: 2, pooled: 9, "self-extrapolation": 5 };
    expect(makeView({ result: syntheticResult({ gains }), pictures: [] }).focus?.name).toBe("fedprox");
    expect(makeView({ result: syntheticResult({ gains: { local: 0, pooled: 9 } }), pictures: [] }).focus).toBeNull();
  });

  it("names the command with the scenario, strategies and seeds of the result unless it is given", () => {
    const result = syntheticResult({ gains: { local: 0, fedhca2: 1 }, seeds: [3, 4] });
    expect(makeView({ result, pictures: [] }).command).toContain("overlap.yaml --strategies local,fedhca2 --seeds 3,4");
    expect(makeView({ result, pictures: [], command: "make it" }).command).toBe("make it");
  });
});

describe("roundSeries", () => {
  it("gives mean and one standard deviation per round, skips rounds without a value, and has no band for one value", () => {
    const values: Readonly<Record<string, readonly (number | null)[]>> = { "1": [1, null, 4], "2": [3, null, null] };
    const { view, strategy } = viewOf(values);
    const { points, band } = roundSeries(view, strategy, ({ seconds }) => (seconds < 0 ? null : seconds), STYLE);
    expect(points).toEqual([
      [0, 2],
      [2, 4],
    ]);
    expect(band).toEqual([[0, 2 - Math.SQRT2, 2 + Math.SQRT2]]);
  });
});

const STYLE = { name: "a", color: "red", dash: [] };

/** A view whose rounds carry the given values as `seconds`; null as −1. */
function viewOf(values: Readonly<Record<string, readonly (number | null)[]>>): {
  readonly view: ReportView;
  readonly strategy: ReportStrategy;
} {
  const seeds = Object.keys(values).map(Number);
  const result = syntheticResult({ gains: { local: 0 }, seeds });
  const local = result.strategies.local as ComparisonResult["strategies"][string];
  const perSeed = Object.fromEntries(
    Object.entries(local.perSeed).map(([seed, one]) => {
      const template = one.rounds[0] as RoundRecord;
      const rounds = (values[seed] ?? []).map((value, round) => ({ ...template, round, seconds: value ?? -1 }));
      return [seed, { ...one, rounds }];
    }),
  );
  const view = makeView({ result: { ...result, strategies: { local: { ...local, perSeed } } }, pictures: [] });
  return { view, strategy: view.strategies[0] as ReportStrategy };
}
