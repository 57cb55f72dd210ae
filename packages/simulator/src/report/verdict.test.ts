import { describe, expect, it } from "vitest";
import type { ComparisonResult, StrategyResult } from "../result.js";
import { type SyntheticOptions, syntheticResult } from "./testing/synthetic-result.js";
import { makeVerdict } from "./verdict.js";
import { makeView } from "./view.js";

const verdictOf = (result: ComparisonResult) => makeVerdict(makeView({ result, pictures: [] }));
const verdict = (options: SyntheticOptions) => verdictOf(syntheticResult(options));

describe("makeVerdict", () => {
  it("calls a gain a gain when the interval lies above zero", () => {
    const { tone, headline, remarks } = verdict({ gains: { local: 0, fedhca2: 3 } });
    expect(tone).toBe("gain");
    expect(headline).toMatch(
      /^Over 5.seeds FedHCA² gained [\d.]+.% over training alone \(95.% interval \+.+…\s\+.+\): better than alone/u,
    );
    expect(remarks.join(" ")).not.toContain("seeds are few");
  });

  it("does not call a gain clear when the interval holds zero", () => {
    const { tone, headline } = verdict({ gains: { local: 0, fedhca2: 0.6 }, noise: 2, seeds: [4, 5, 6, 7, 8] });
    expect(tone).toBe("unclear");
    expect(headline).toMatch(/: not clearly (better|worse)\.$/);
  });

  it("says a loss as plainly as a gain", () => {
    const { tone, headline } = verdict({ gains: { local: 0, fedhca2: -4 } });
    expect(tone).toBe("loss");
    expect(headline).toMatch(/FedHCA² lost [\d.]+.% against training alone .*\): worse than alone/u);
  });

  it("says neither gained nor lost where the shown digits do not show it", () => {
    const result = syntheticResult({ gains: { local: 0, fedhca2: 1 }, seeds: [3] });
    const fedhca2 = { ...(result.strategies.fedhca2 as StrategyResult), relativeGainPercent: -0.04 };
    const { headline } = verdictOf({ ...result, strategies: { ...result.strategies, fedhca2 } });
    expect(headline).toBe("With one seed FedHCA² was level with training alone: one seed proves little.");
  });

  it("says that one seed proves little, however large the gain", () => {
    const { tone, headline, remarks } = verdict({ gains: { local: 0, fedhca2: 30 }, seeds: [3] });
    expect(tone).toBe("unclear");
    expect(headline).toContain("one seed proves little");
    expect(remarks[0]).toContain("at least five seeds");
  });

  it("calls nothing better or worse where every seed gave the same number", () => {
    const { tone, headline } = verdict({ gains: { local: 0, fedhca2: 3 }, noise: 0 });
    expect(tone).toBe("unclear");
    expect(headline).toContain("the same with every seed: chance cannot be told from that");
  });

  it("warns of few seeds even when the interval is clear", () => {
    expect(verdict({ gains: { local: 0, fedhca2: 30 }, seeds: [1, 2, 3] }).remarks[0]).toContain("Three seeds are few");
  });

  it("does not count a gain as a clean win when training alone did not learn a task, and names the task", () => {
    const { tone, headline, remarks } = verdict({ gains: { local: 0, fedhca2: 5 }, atConstant: ["plant-d/normals"] });
    expect(tone).toBe("tainted");
    expect(headline).toContain("no clean win");
    expect(remarks[0]).toContain(
      "1 of 12\u00a0tasks did no better than always predicting the same thing (plant-d/normals)",
    );
  });

  it("names tasks that only the federated method brought down to their constant", () => {
    const result = syntheticResult({ gains: { local: 0, fedhca2: 5 } });
    const changed = change(result, "fedhca2", { notAboveConstant: ["plant-a/edge"] });
    expect(verdictOf(changed).remarks.join(" ")).toContain(
      "With FedHCA², 1 of 12\u00a0tasks fell to the level of a constant",
    );
  });

  it("does not credit learning from others when the control gains as much", () => {
    const text = verdict({ gains: { local: 0, fedhca2: 1, "self-extrapolation": 1.2 } }).remarks.join(" ");
    expect(text).toContain("do not show that sites learned from each other");
  });

  it("credits learning from others only as far as the control leaves room", () => {
    const text = verdict({ gains: { local: 0, fedhca2: 6, "self-extrapolation": 0 } }).remarks.join(" ");
    expect(text).toContain("not explained by longer steps alone");
  });

  it("says that there was little to win when pooling gains nothing", () => {
    expect(verdict({ gains: { local: 0, fedhca2: 1, pooled: -3 } }).remarks.join(" ")).toContain(
      "leaves little to win",
    );
  });

  it("says which share of the pooled gain was captured, and none for a loss", () => {
    expect(verdict({ gains: { local: 0, fedhca2: 2, pooled: 6 } }).remarks.join(" ")).toMatch(
      /captured \d+.% of that/u,
    );
    expect(verdict({ gains: { local: 0, fedhca2: -2, pooled: 6 } }).remarks.join(" ")).toContain(
      "captured none of that",
    );
  });

  it("calls the share of the pooled gain uncertain while the gain itself is", () => {
    const options = { seeds: [4, 5, 6, 7, 8], gains: { local: 0, fedhca2: 1.5, pooled: 9 } };
    expect(verdict({ ...options, noise: 2 }).remarks.join(" ")).toContain("as uncertain as its own gain");
    expect(verdict({ ...options, noise: 0.1 }).remarks.join(" ")).not.toContain("uncertain");
  });

  it("speaks of the best federated method, names the next, and says that it was picked on the same seeds", () => {
    const { headline, remarks } = verdict({ gains: { local: 0, fedprox: 6, fedhca2: 1 } });
    expect(headline).toContain("FedProx gained");
    expect(remarks.join(" ")).toMatch(/Best other federated method: FedHCA² with \+.*FedProx is ahead/);
    const picked = remarks.filter((remark) => remark.includes("picked on the very seeds"));
    expect(picked).toEqual([expect.stringContaining("Of 2 federated methods")]);
    expect(picked[0]).toContain("thresholds: { strategy: fedprox }");
  });

  it("does not speak of picking where the thresholds name the method, or where there is only one", () => {
    const result = syntheticResult({ gains: { local: 0, fedprox: 6, fedhca2: 1 } });
    const thresholds = { minGainPercent: 0, minSeeds: 5, strategy: "fedhca2" };
    const { headline, remarks } = verdictOf({ ...result, scenario: { ...result.scenario, thresholds } });
    expect(headline).toContain("FedHCA²");
    expect(remarks.join(" ")).toMatch(/Best other federated method: FedProx with \+.*FedHCA² is behind/);
    expect(remarks.join(" ")).not.toContain("picked");
    expect(verdict({ gains: { local: 0, fedhca2: 1 } }).remarks.join(" ")).not.toContain("picked");
  });

  it("says that the method which the thresholds name was not run", () => {
    const result = syntheticResult({ gains: { local: 0, fedhca2: 1 } });
    const thresholds = { minGainPercent: 0, minSeeds: 5, strategy: "fedper" };
    const { remarks } = verdictOf({ ...result, scenario: { ...result.scenario, thresholds } });
    expect(remarks[0]).toBe("The scenario names fedper, which is not among the federated methods that were run.");
  });

  it("takes a method under which no site sends anything for a control, beside longer own steps", () => {
    const result = syntheticResult({ gains: { local: 0, fedhca2: 6, "self-extrapolation": 0, mine: 20 } });
    const { headline, remarks } = verdictOf(change(result, "mine", { upBytes: 0, downBytes: 0 }));
    expect(headline).toContain("FedHCA²");
    expect(remarks.join(" ")).toMatch(
      /The control mine, under which no site sends anything, scored \+.*do not show that sites learned from each other/,
    );
    expect(remarks.join(" ")).toContain("not explained by longer steps alone");
  });

  it("makes no claim without training alone, or without a federated method", () => {
    expect(verdict({ gains: { fedavg: 1, fedhca2: 1 } }).headline).toContain("Training alone was not run");
    expect(verdict({ gains: { local: 0, pooled: 4 } }).headline).toContain("No federated method was run");
  });
});

describe("makeView", () => {
  it("tells references and controls by their kind when they carry another name", () => {
    const result = syntheticResult({ gains: { local: 0, mine: 2, upper: 9 } });
    const view = makeView({ result: change(result, "upper", { kind: "pooled" }), pictures: [] });
    expect(view.strategies.map(({ name, kind }) => [name, kind])).toEqual([
      ["upper", "reference"],
      ["mine", "federated"],
      ["local", "baseline"],
    ]);
    expect(view.focus?.name).toBe("mine");
  });
});

function change(result: ComparisonResult, name: string, part: Partial<StrategyResult>): ComparisonResult {
  const strategy = { ...(result.strategies[name] as StrategyResult), ...part };
  return { ...result, strategies: { ...result.strategies, [name]: strategy } };
}
