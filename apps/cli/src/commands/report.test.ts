import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "../program.js";
import { memoryIo } from "../testing/memory-io.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-report-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function kumiai(...args: readonly string[]) {
  const io = memoryIo();
  const exitCode = await runCli(args, io);
  return { exitCode, out: io.outText(), err: io.errText() };
}

/** One site with one task over five seeds; `gains` by strategy, in percent over a value of 50. */
function resultOf(gains: Readonly<Record<string, number>>): object {
  const strategies = Object.entries(gains).map(([name, gain]) => {
    const perSeed = [1, 2, 3, 4, 5].map((seed) => {
      const own = gain === 0 ? 0 : gain + 0.1 * seed;
      const task = { value: 50 * (1 + own / 100), constant: 10, aboveConstant: true, relativeGainPercent: own };
      const round = {
        absent: false,
        trainLoss: {},
        metrics: { edge: task.value },
        updateNorm: null,
        upBytes: 1e6,
        downBytes: 1e6,
        seconds: 10,
      };
      const records = [
        {
          round: 1,
          clients: { a: round },
          encoderCosines: null,
          hyperWeights: null,
          conflictWeights: null,
          seconds: 1,
        },
      ];
      const clients = { a: { relativeGainPercent: own, tasks: { edge: task } } };
      return [seed, { relativeGainPercent: own, clients, rounds: records, seconds: 10 }];
    });
    const totals = { upBytes: 1e6, downBytes: 1e6, notAboveConstant: [] };
    const mean = {
      relativeGainPercent: gain,
      relativeGainStdPercent: 0.1,
      relativeGainInterval95: [gain, gain],
      pooledGainShare: null,
    };
    return [name, { summary: name, ...mean, ...totals, perSeed: Object.fromEntries(perSeed) }];
  });
  const task = { id: "edge", metric: "F1", unit: "%", higherIsBetter: true };
  const client = {
    id: "a",
    domain: "d",
    tasks: [task],
    trainCount: 30,
    testCount: 10,
    paramCount: 1e6,
    sharedParamCount: 1e6,
  };
  return {
    schemaVersion: 1,
    kumiaiVersion: "0",
    complete: true,
    scenario: { name: "pilot", description: "", configHash: "", rounds: 1, clients: [client] },
    seeds: [1, 2, 3, 4, 5],
    baseline: "local",
    strategies: Object.fromEntries(strategies),
    seconds: 1,
  };
}

const write = (result: unknown) => writeFile(join(dir, "result.json"), JSON.stringify(result));

test("says go on in both languages and writes one page", async () => {
  await write(resultOf({ local: 0, fedavg: 8 }));
  const { exitCode, out, err } = await kumiai("report", dir);
  expect(err).toBe("");
  expect(exitCode).toBe(0);
  expect(out).toContain("=> Go on");
  expect(out).toContain("=> 継続");
  expect(out).toContain(`page  ${join(dir, "decision.html")}`);
  const page = await readFile(join(dir, "decision.html"), "utf8");
  expect(page).toContain('<div lang="en"');
  expect(page).toContain('<div lang="ja"');
});

test("one language, a strategy by name, prices and limits from a scenario file", async () => {
  await write(resultOf({ local: 0, fedavg: 8, fedprox: -4 }));
  const scenario = join(dir, "limits.yaml");
  const clients = "clients: [{ id: a, domain: garments, tasks: [edge] }]";
  const prices = "prices: { currency: JPY, perGigabyte: 1000, perCoreHour: 3600 }";
  await writeFile(scenario, `name: limits\n${clients}\n${prices}\nthresholds: { maxCost: 1 }\n`);
  const loss = await kumiai("report", dir, "--lang", "en", "--strategy", "fedprox");
  expect(loss.out).toContain("=> Stop");
  expect(loss.out).not.toContain("中止");
  // 2 MB at 1,000 a GB and 10 s at 3,600 an hour.
  const dear = await kumiai("report", dir, "--lang", "ja", "--scenario", scenario, "--out", join(dir, "ja.html"));
  expect(dear.out).toContain("費用 12.0 JPY。基準：1.00 以下");
  expect(dear.out).toContain("=> 条件を変えて再試行");
  expect(await readFile(join(dir, "ja.html"), "utf8")).toMatch(/^<!doctype html>\n<html lang="ja">/);
});

test("thresholds that name a strategy which was not run: decides on the best of the others, and says so", async () => {
  const result = resultOf({ local: 0, fedavg: 8 }) as { readonly scenario: object };
  const thresholds = { strategy: "cooperative", minGainPercent: 0, minSeeds: 5 };
  await write({ ...result, scenario: { ...result.scenario, thresholds } });
  const { exitCode, out } = await kumiai("report", dir, "--lang", "en");
  expect(exitCode).toBe(0);
  expect(out).toContain("Decided on: FedAvg");
  expect(out).toContain("The scenario names cooperative, which is not among the federated methods that were run.");
});

test.each([
  ["no result", null, [], 3, "FILE_NOT_FOUND"],
  ["text that is not JSON", "{", [], 4, "RESULT_MALFORMED"],
  ["another schema version", JSON.stringify({ ...resultOf({ local: 0 }), schemaVersion: 2 }), [], 4, "schemaVersion"],
  [
    "a strategy that was not run",
    JSON.stringify(resultOf({ local: 0, fedavg: 1 })),
    ["--strategy", "fedavgg"],
    2,
    'did you mean "fedavg"?',
  ],
  ["nothing to decide on", JSON.stringify(resultOf({ local: 0 })), [], 2, "expected a federated one to decide on"],
] as const)("%s ends with its code and writes no page", async (_, text, flags, exitCode, message) => {
  if (text !== null) await writeFile(join(dir, "result.json"), text);
  const called = await kumiai("report", dir, ...flags);
  expect(called.exitCode).toBe(exitCode);
  expect(called.err).toContain(message);
  await expect(readFile(join(dir, "decision.html"))).rejects.toThrow("ENOENT");
});
