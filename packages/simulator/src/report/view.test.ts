import { describe, expect, it } from "vitest";
import type { ComparisonResult, RoundRecord, StrategyResult } from "../result.js";
import { roundSeries } from "./series.js";
import { syntheticResult } from "./testing/synthetic-result.js";
import { makeView, type ReportStrategy, type ReportView, strategyKind, strategyLabel } from "./view.js";

describe("strategyLabel", () => {
  it("knows our strategies and their variants, and leaves other names alone", () => {
    const names = [
      "local",
      "fedhca2",
      "fedavg-all",
      "fedavg:encoders",
      "fedhca2-cosine",
      "mat-fl-three",
      "fedavgs",
      "my-method",
      "constructor",
    ];
    expect(names.map(strategyLabel)).toEqual([
      "Training alone",
      "FedHCA²",
      "FedAvg (all)",
      "FedAvg (encoders)",
      "FedHCA² (cosine)",
      "MaT-FL (three)",
      "fedavgs",
      "my-method",
      "constructor",
    ]);
  });
});

describe("makeView", () => {
  it("tells baseline, reference, control and federated methods apart", () => {
    const kinds = ["local", "pooled", "self-extrapolation", "fedprox"].map((kind) => strategyKind(kind, false, false));
    expect(kinds).toEqual(["baseline", "reference", "control", "federated"]);
    expect(strategyKind("fedavg", true, false)).toBe("baseline");
    expect(strategyKind("cooperative", false, true)).toBe("control");
    expect(strategyKind("pooled", false, true)).toBe("reference");
  });

  it("sorts by gain, puts strategies without one last, and gives every strategy its own line", () => {
    const view = makeView({ result: syntheticResult(), pictures: [] });
    const gains = view.strategies.map(({ result }) => result.relativeGainPercent ?? Number.NEGATIVE_INFINITY);
    expect(gains).toEqual([...gains].sort((a, b) => b - a));
    const lines = view.strategies.map(({ color, dash }) => `${color} ${dash.join(",")}`);
    expect(new Set(lines).size).toBe(view.strategies.length);
  });

  describe("focuses on", () => {
    const gains = { local: 0, fedhca2: 1, fedavg: 3, fedprox: 4, pooled: 9, "self-extrapolation": 5, "my-control": 6 };
    const change = (result: ComparisonResult, parts: Readonly<Record<string, Partial<StrategyResult>>>) => ({
      ...result,
      strategies: Object.fromEntries(
        Object.entries(result.strategies).map(([name, one]) => [name, { ...one, ...parts[name] }]),
      ),
    });
    const silent = { "my-control": { upBytes: 0, downBytes: 0 } };
    const viewOfGains = (parts: Readonly<Record<string, Partial<StrategyResult>>>, strategy?: string) => {
      const result = change(syntheticResult({ gains }), { ...silent, ...parts });
      const thresholds = { minGainPercent: 0, minSeeds: 5, strategy };
      const scenario = strategy === undefined ? result.scenario : { ...result.scenario, thresholds };
      return makeView({ result: { ...result, scenario }, pictures: [] });
    };
    const bounds = {
      fedhca2: { relativeGainInterval95: [0.5, 1.5] as const },
      fedavg: { relativeGainInterval95: [2, 4] as const },
      fedprox: { relativeGainInterval95: [-1, 9] as const },
    };

    it("the highest lower bound, not the highest mean; never on a reference or a control", () => {
      const { focus, choice } = viewOfGains(bounds);
      expect(focus?.name).toBe("fedavg");
      expect(choice).toEqual({ how: "best", candidateCount: 3, passedOver: null });
    });

    it("the one that the thresholds name, whatever it scored", () => {
      const { focus, choice } = viewOfGains(bounds, "fedhca2");
      expect(focus?.name).toBe("fedhca2");
      expect(choice).toEqual({ how: "named", candidateCount: 3, passedOver: null });
    });

    it.each(["pooled", "self-extrapolation", "my-control", "local", "not-run"])(
      "another than the thresholds' %s, and says so",
      (name) => {
        const { focus, choice } = viewOfGains(bounds, name);
        expect(focus?.name).toBe("fedavg");
        expect(choice.passedOver).toBe(name);
      },
    );

    it("the highest mean where there is no interval, and on one with an interval before one without", () => {
      const none = { relativeGainInterval95: null };
      expect(
        viewOfGains({ fedhca2: none, fedavg: none, fedprox: { ...none, relativeGainPercent: 99 } }).focus?.name,
      ).toBe("fedprox");
      expect(viewOfGains({ ...bounds, fedavg: none, fedprox: none }).focus?.name).toBe("fedhca2");
    });

    it("the only one there is, and on none without one", () => {
      const only = makeView({ result: syntheticResult({ gains: { local: 0, fedavg: 1, pooled: 9 } }), pictures: [] });
      expect([only.focus?.name, only.choice.how]).toEqual(["fedavg", "only"]);
      const none = makeView({ result: syntheticResult({ gains: { local: 0, pooled: 9 } }), pictures: [] });
      expect(none.focus).toBeNull();
    });
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
