import { createStrategy } from "@kumiai/algorithms";
import { parseClientId } from "@kumiai/params";
import { describe, expect, test } from "vitest";
import { assembleResult, type FinishedRun } from "./assemble.js";
import { sceneModels } from "./data/scenes.js";
import { describeFailed, describeLeftOut, failedTasks, leftOutTasks } from "./left-out.js";
import type { NamedStrategy } from "./named-strategies.js";
import { renderCsv } from "./tables/csv.js";
import { tinyScenario } from "./testing/tiny.js";

const A = parseClientId("line-a");
const B = parseClientId("line-b");

/** A finished run with the given final metrics; constants are 10 % F1, 7 % mIoU and an RMSE of 0.5. */
function run(strategy: string, seed: number, a: Record<string, number>, b: Record<string, number>): FinishedRun {
  const constants = { edge: 10, semseg: 7, depth: 0.5 };
  return {
    strategy,
    seed,
    constants: new Map([
      [A, constants],
      [B, constants],
    ]),
    outcome: {
      metrics: new Map([
        [A, a],
        [B, b],
      ]),
      rounds: [],
      seconds: 1,
    },
  };
}

function assemble(
  finished: readonly FinishedRun[],
  names: readonly string[],
  seeds: readonly number[],
  scenario = tinyScenario(),
) {
  const strategies: NamedStrategy[] = names.map((kind) => ({
    name: kind,
    config: { kind, options: {} },
    strategy: createStrategy(kind, {}),
    summary: kind,
  }));
  return assembleResult({
    scenario,
    data: { ...sceneModels(scenario), countsOf: (_, seed) => ({ train: 12, test: 8, trainLabels: 10 + seed }) },
    strategies,
    seeds,
    baseline: "local",
    finished,
    encoderHash: null,
    seconds: 2,
  });
}

test("Δ% equals the numbers worked by hand to 1e-9", () => {
  const result = assemble(
    [
      run("local", 1, { edge: 50, semseg: 20 }, { depth: 0.4, semseg: 40 }),
      run("fedavg", 1, { edge: 55, semseg: 19 }, { depth: 0.3, semseg: 40 }),
      run("pooled", 1, { edge: 60, semseg: 24 }, { depth: 0.3, semseg: 46 }),
      // Seed 2, in another order of arrival.
      run("fedavg", 2, { edge: 40, semseg: 20 }, { depth: 0.44, semseg: 44 }),
      run("pooled", 2, { edge: 44, semseg: 24 }, { depth: 0.4, semseg: 44 }),
      run("local", 2, { edge: 40, semseg: 20 }, { depth: 0.4, semseg: 40 }),
    ],
    ["local", "fedavg", "pooled"],
    [1, 2],
  );
  expect(result.scenario.clients.map(({ trainLabelCount }) => trainLabelCount)).toEqual([11.5, 11.5]);
  const { local, fedavg, pooled } = result.strategies;
  // Seed 1: a = (+10 − 5) / 2 = 2.5, b = (+25 + 0) / 2 = 12.5, so 7.5. Seed 2: a = 0, b = (−10 + 10) / 2 = 0.
  expect(fedavg?.perSeed["1"]?.clients["line-a"]?.relativeGainPercent).toBeCloseTo(2.5, 9);
  expect(fedavg?.perSeed["1"]?.clients["line-b"]?.tasks.depth?.relativeGainPercent).toBeCloseTo(25, 9);
  expect(fedavg?.perSeed["1"]?.relativeGainPercent).toBeCloseTo(7.5, 9);
  expect(fedavg?.perSeed["2"]?.relativeGainPercent).toBeCloseTo(0, 9);
  expect(fedavg?.relativeGainPercent).toBeCloseTo(3.75, 9);
  expect(fedavg?.relativeGainStdPercent).toBeCloseTo(Math.sqrt(2 * 3.75 ** 2), 9);
  // Pooled, seed 1: a = (20 + 20) / 2, b = (25 + 15) / 2, so 20; seed 2: a = (10 + 20) / 2, b = (0 + 10) / 2, so 10.
  expect(pooled?.relativeGainPercent).toBeCloseTo(15, 9);
  expect(fedavg?.pooledGainShare).toBeCloseTo(0.25, 9);
  expect(local?.relativeGainPercent).toBe(0);
  expect(local?.relativeGainInterval95).toEqual([0, 0]);
  expect(result.complete).toBe(true);
  expect(Object.keys(fedavg?.perSeed ?? {})).toEqual(["1", "2"]);
});

test("differences against local and fedavg equal the numbers worked by hand to 1e-9, and name the worst site", () => {
  const result = assemble(
    [
      run("local", 1, { edge: 50, semseg: 20 }, { depth: 0.4, semseg: 40 }),
      run("local", 2, { edge: 50, semseg: 20 }, { depth: 0.4, semseg: 40 }),
      // Δ%: a = (10 + 10)/2 = 10, b = (0 + 10)/2 = 5; then a = 0, b = −5.
      run("fedavg", 1, { edge: 55, semseg: 22 }, { depth: 0.4, semseg: 44 }),
      run("fedavg", 2, { edge: 50, semseg: 20 }, { depth: 0.4, semseg: 36 }),
      // Δ%: a = 20, b = (25 + 0)/2 = 12.5; then a = (20 − 10)/2 = 5, b = (−25 + 5)/2 = −10.
      run("pooled", 1, { edge: 60, semseg: 24 }, { depth: 0.3, semseg: 40 }),
      run("pooled", 2, { edge: 60, semseg: 18 }, { depth: 0.5, semseg: 42 }),
    ],
    ["local", "fedavg", "pooled"],
    [1, 2],
  );
  const { local, fedavg, pooled } = result.strategies;
  expect(Object.keys(fedavg?.against ?? {})).toEqual(["local"]);
  expect(Object.keys(local?.against ?? {})).toEqual(["fedavg"]);
  // Against local: 16.25 and −2.5; against fedavg (7.5 and −2.5): 8.75 and 0.
  expect(pooled?.against?.local?.meanPercent).toBeCloseTo(6.875, 9);
  expect(pooled?.against?.local?.meanPercent).toBeCloseTo(pooled?.relativeGainPercent ?? 0, 9);
  const difference = pooled?.against?.fedavg;
  expect(difference?.meanPercent).toBeCloseTo(4.375, 9);
  expect(difference?.bootstrapInterval95?.[1]).toBeCloseTo(8.75, 9);
  // Two differences, 8.75 and 0: half their distance times t of one degree of freedom.
  expect(difference?.interval95?.[0]).toBeCloseTo(4.375 - 12.706 * 4.375, 2);
  // Seed 2 differs by 0 up to rounding; a and b: (10 + 5)/2 and (7.5 − 5)/2.
  expect(difference?.clients["line-a"]?.meanPercent).toBeCloseTo(7.5, 9);
  expect(difference?.clients["line-b"]?.meanPercent).toBeCloseTo(1.25, 9);
  expect(difference?.clients["line-b"]?.tasks.depth?.meanPercent).toBeCloseTo(0, 9);
  expect(difference?.worstClient).toBe("line-b");
  expect(difference?.seedCount).toBe(2);
  expect(pooled?.against?.local?.signTestP).toBe(1);
});

test("every Δ% can be computed again from the CSV alone, to 1e-6 percentage points", () => {
  const result = assemble(
    [
      run("local", 1, { edge: 50, semseg: 20 }, { depth: 0.4, semseg: 40 }),
      run("local", 2, { edge: 41.7, semseg: 23.3 }, { depth: 0.37, semseg: 39.1 }),
      run("fedavg", 1, { edge: 55.123456789123, semseg: 19 }, { depth: 0.31, semseg: 40 }),
      run("fedavg", 2, { edge: 40, semseg: 21 }, { depth: 0.44, semseg: 44 }),
    ],
    ["local", "fedavg"],
    [1, 2],
  );
  const [head = "", ...lines] = renderCsv(result).trimEnd().split("\n");
  const names = head.split(",");
  const rows = lines.map((line) => {
    const cells = line.split(",");
    const cell = (name: string) => cells[names.indexOf(name)] ?? "";
    const change =
      (100 * (Number(cell("value")) - Number(cell("local_value")))) / Math.abs(Number(cell("local_value")));
    return {
      place: `${cell("strategy")} ${cell("seed")}`,
      site: cell("site"),
      gain: cell("higher_is_better") === "true" ? change : -change,
    };
  });
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  for (const [name, { perSeed }] of Object.entries(result.strategies)) {
    for (const [seed, { relativeGainPercent }] of Object.entries(perSeed)) {
      const own = rows.filter(({ place }) => place === `${name} ${seed}`);
      const sites = [...new Set(own.map(({ site }) => site))];
      const gains = sites.map((site) => mean(own.filter((row) => row.site === site).map(({ gain }) => gain)));
      expect(sites).toHaveLength(2);
      expect(Math.abs(mean(gains) - (relativeGainPercent ?? Number.NaN))).toBeLessThan(1e-6);
    }
  }
});

describe("a task without a gain that could be told", () => {
  const nan = Number.NaN;
  /** In seed 1 line-b's semseg cannot be scored; in seed 2 line-a's edge is 0 when alone. */
  const result = () => {
    const unscored = { undefinedScores: new Map([[B, { semseg: "oneClass" as const }]]) };
    const seedOne = (strategy: string, a: Record<string, number>, b: Record<string, number>) => {
      const own = run(strategy, 1, a, b);
      const constants = new Map([...own.constants].map(([id, all]) => [id, id === B ? { ...all, semseg: nan } : all]));
      return { ...own, constants, ...unscored };
    };
    return assemble(
      [
        seedOne("local", { edge: 50, semseg: 20 }, { depth: 0.4, semseg: nan }),
        seedOne("fedavg", { edge: 55, semseg: 19 }, { depth: 0.3, semseg: nan }),
        seedOne("pooled", { edge: 60, semseg: 24 }, { depth: 0.3, semseg: nan }),
        run("local", 2, { edge: 0, semseg: 20 }, { depth: 0.4, semseg: 40 }),
        run("fedavg", 2, { edge: 30, semseg: 22 }, { depth: 0.4, semseg: 44 }),
        run("pooled", 2, { edge: 0, semseg: 24 }, { depth: 0.2, semseg: 44 }),
      ],
      ["local", "fedavg", "pooled"],
      [1, 2],
    );
  };

  test("is left out of every mean, for all strategies alike, as worked by hand to 1e-9", () => {
    const { local, fedavg, pooled } = result().strategies;
    // Seed 1: a = (10 − 5)/2 = 2.5, b = 25 (depth alone). Seed 2: a = 10 (semseg alone), b = (0 + 10)/2 = 5.
    expect(fedavg?.perSeed["1"]?.relativeGainPercent).toBeCloseTo((2.5 + 25) / 2, 9);
    expect(fedavg?.perSeed["2"]?.relativeGainPercent).toBeCloseTo((10 + 5) / 2, 9);
    expect(fedavg?.relativeGainPercent).toBeCloseTo((13.75 + 7.5) / 2, 9);
    expect(pooled?.perSeed["1"]?.relativeGainPercent).toBeCloseTo((20 + 25) / 2, 9);
    expect(pooled?.perSeed["2"]?.relativeGainPercent).toBeCloseTo((20 + 30) / 2, 9);
    expect(fedavg?.against?.local?.clients["line-a"]?.meanPercent).toBeCloseTo((2.5 + 10) / 2, 9);
    expect(fedavg?.against?.local?.clients["line-b"]?.tasks.semseg?.meanPercent).toBeCloseTo(10, 9);
    expect(pooled?.against?.fedavg?.meanPercent).toBeCloseTo((8.75 + 17.5) / 2, 9);
    expect(local?.relativeGainPercent).toBe(0);
  });

  test("is named with its reason and its seeds, and no claim is made on its constant", () => {
    const assembled = result();
    expect(leftOutTasks(assembled)).toEqual([
      { client: "line-a", task: "edge", metric: "F1 (ODS)", reason: "aloneZero", seeds: [2] },
      { client: "line-b", task: "semseg", metric: "mIoU", reason: "oneClass", seeds: [1] },
    ]);
    expect(leftOutTasks(assembled).map((task) => describeLeftOut(task, 2))).toEqual([
      "line-a/edge (F1 (ODS), seed 2): training alone scored 0, and nothing can be told relative to that",
      "line-b/semseg (mIoU, seed 1): all test labels are of one class",
    ]);
    expect(assembled.strategies.fedavg?.notAboveConstant).toEqual([]);
    expect(assembled.strategies.fedavg?.perSeed["1"]?.clients["line-b"]?.tasks.semseg).toEqual({
      value: nan,
      constant: nan,
      aboveConstant: null,
      relativeGainPercent: null,
      leftOut: "oneClass",
    });
  });

  test("does not take its site or the seed with it; a site that has no other task counts in no mean", () => {
    const all = { undefinedScores: new Map([[B, { depth: "noTestLabels" as const, semseg: "oneClass" as const }]]) };
    const assembled = assemble(
      [
        { ...run("local", 1, { edge: 50, semseg: 20 }, { depth: nan, semseg: nan }), ...all },
        { ...run("fedavg", 1, { edge: 60, semseg: 20 }, { depth: nan, semseg: nan }), ...all },
      ],
      ["local", "fedavg"],
      [1],
    );
    expect(assembled.strategies.fedavg?.relativeGainPercent).toBeCloseTo(10, 9);
    expect(assembled.strategies.fedavg?.perSeed["1"]?.clients["line-b"]?.relativeGainPercent).toBeNull();
    expect(Object.keys(assembled.strategies.fedavg?.against?.local?.clients ?? {})).toEqual(["line-a"]);
  });

  test("a strategy that fails where training alone did not gets no mean instead of a better one", () => {
    const result = assemble(
      [
        run("local", 1, { edge: 50, semseg: 20 }, { depth: 0.4, semseg: 40 }),
        run("fedavg", 1, { edge: 60, semseg: nan }, { depth: 0.4, semseg: 44 }),
        run("local", 2, { edge: 50, semseg: 20 }, { depth: 0.4, semseg: 40 }),
        run("fedavg", 2, { edge: 60, semseg: 24 }, { depth: 0.4, semseg: 44 }),
      ],
      ["local", "fedavg"],
      [1, 2],
    );
    const { fedavg } = result.strategies;
    expect(failedTasks(result).map(describeFailed)).toEqual([
      "fedavg has no Δ%: line-a/semseg has no finite score with seed 1",
    ]);
    expect(leftOutTasks(result)).toEqual([]);
    expect(fedavg?.against).toBeUndefined();
    expect(fedavg?.relativeGainPercent).toBeNull();
    expect(fedavg?.perSeed["1"]?.clients["line-a"]?.relativeGainPercent).toBeNull();
    expect(fedavg?.notAboveConstant).toEqual(["line-a/semseg"]);
  });
});

test("a task at its constant is marked, whichever way its metric points", () => {
  const result = assemble([run("local", 1, { edge: 10, semseg: 7.1 }, { depth: 0.5, semseg: 6.9 })], ["local"], [1]);
  expect(result.strategies.local?.notAboveConstant).toEqual(["line-a/edge", "line-b/depth", "line-b/semseg"]);
  expect(result.strategies.local?.perSeed["1"]?.clients["line-a"]?.tasks.semseg).toMatchObject({
    constant: 7,
    aboveConstant: true,
  });
});

test("a site whose scenes differ says how; another says nothing of it", () => {
  const clients = `clients:
  - { id: line-a, domain: garments, tasks: [edge, semseg], classSkew: 0.3, domainShift: 0.5, flipTasks: [semseg] }
  - { id: line-b, domain: digits, tasks: [depth, semseg], classSkew: null, domainShift: 0, flipTasks: [] }
`;
  const [a, b] = assemble([], ["local"], [1], tinyScenario({ clients })).scenario.clients;
  expect(a).toMatchObject({ classSkew: 0.3, domainShift: 0.5, flipTasks: ["semseg"] });
  expect(Object.keys(b ?? {})).toEqual(Object.keys(assemble([], ["local"], [1]).scenario.clients[1] ?? {}));
});

test("without the baseline there are no gains", () => {
  const result = assemble([run("fedavg", 1, { edge: 50, semseg: 20 }, { depth: 0.4, semseg: 40 })], ["fedavg"], [1]);
  expect(result.baseline).toBeNull();
  expect(result.strategies.fedavg).toMatchObject({
    relativeGainPercent: null,
    relativeGainStdPercent: null,
    relativeGainInterval95: null,
    pooledGainShare: null,
  });
});

test("a seed whose baseline did not finish counts in no mean", () => {
  const result = assemble(
    [
      run("local", 1, { edge: 50, semseg: 20 }, { depth: 0.4, semseg: 40 }),
      run("fedavg", 1, { edge: 55, semseg: 22 }, { depth: 0.36, semseg: 44 }),
      run("fedavg", 2, { edge: 99, semseg: 99 }, { depth: 0.1, semseg: 99 }),
    ],
    ["local", "fedavg"],
    [1, 2],
  );
  expect(result.strategies.fedavg?.relativeGainPercent).toBeCloseTo(10, 9);
  expect(result.strategies.fedavg?.perSeed["2"]?.relativeGainPercent).toBeNull();
  expect(result.complete).toBe(false);
});
