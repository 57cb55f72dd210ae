import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HYDRAULIC_CHANNELS, HYDRAULIC_CYCLE_LENGTH } from "@kumiai/datasets";
import { slotsOfRole, slotView } from "@kumiai/params";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseScenario } from "../config/parse.js";
import { initialParamsOf } from "../initial-params.js";
import { createModel } from "../model.js";
import { compareTiny } from "../testing/tiny.js";
import { openData } from "./source.js";

const CYCLES = 120;
let dataDir = "";

/** A rig whose PS1 follows the valve, and nothing else follows anything. */
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "kumiai-rig-"));
  const folder = join(dataDir, "hydraulic");
  await mkdir(folder);
  const valves = [73, 80, 90, 100];
  const cycles = Array.from({ length: CYCLES }, (_, k) => k);
  const profile = cycles.map((k) => `3\t${valves[Math.floor(k / 4) % 4]}\t${k % 3}\t130\t${k % 2}`);
  await writeFile(join(folder, "profile.txt"), `${profile.join("\n")}\n`);
  for (const name of HYDRAULIC_CHANNELS) {
    const lines = cycles.map((k) =>
      Array.from({ length: HYDRAULIC_CYCLE_LENGTH }, (_, t) =>
        name === "PS1" ? Math.floor(k / 4) % 4 : ((k * 31 + t * 17) % 101) / 101,
      ).join("\t"),
    );
    await writeFile(join(folder, `${name}_1hz_mean.txt`), `${lines.join("\n")}\n`);
    if (!/^(PS|EPS|FS)/.test(name)) await writeFile(join(folder, `${name}.txt`), `${lines.join("\n")}\n`);
  }
});

afterAll(() => rm(dataDir, { recursive: true }));

const SCENARIO = parseScenario(
  `name: rig
data: { kind: hydraulic, split: { blockLength: 4, testShare: 0.25 } }
model: { stem: { width: 4 }, encoder: { channels: [8, 8] }, decoder: { width: 8 } }
training: { rounds: 12, localEpochs: 2, batchSize: 4, warmupRounds: 0, optimizer: { learningRate: 0.02 } }
evaluation: { everyRounds: 12 }
clients:
  - { id: a, tasks: [valve], sensors: [PS1, TS1] }
  - { id: b, tasks: [valve, pump], sensors: [TS1, VS1, PS1], blocks: [1, 3], trainCount: 24 }
`,
  "rig.yaml",
);

test("plants with other sensors learn what their sensors show, alone and with others; no plant trains on what any is tested on", async () => {
  const { result, ending } = await compareTiny({
    scenario: SCENARIO,
    dataDir,
    strategies: ["local", "fedavg", "pooled"],
    seeds: [1],
  });
  expect(ending.kind).toBe("complete");
  expect(result.scenario.clients.map(({ trainCount }) => trainCount)).toEqual([expect.any(Number), 24]);
  for (const { perSeed } of Object.values(result.strategies)) {
    const valve = perSeed[1]?.clients.a?.tasks.valve;
    expect(valve?.value).toBeGreaterThan(75);
    expect(valve?.constant).toBeLessThan(30);
  }
  expect(result.scenario.clients[0]?.tasks).toEqual([
    { id: "valve", metric: "macro-F1", unit: "%", higherIsBetter: true },
  ]);
});

test("a sensor of one name starts with the same view at every plant, up to the number of sensors", async () => {
  const data = await openData(SCENARIO, { cacheDir: "unused", dataDir });
  const draw = initialParamsOf(data, 1, null);
  const columns = SCENARIO.clients.map((client) => {
    const model = data.modelOf(client);
    if (model.kind !== "series") throw new Error("plants have series");
    const { layout } = createModel(model);
    const [weight] = slotsOfRole(layout, "stem");
    if (weight === undefined) throw new Error("a stem");
    const params = slotView(draw(client), weight);
    const count = model.sensors.length;
    return (sensor: string) =>
      Array.from(
        { length: 4 },
        (_, out) => (params[out * count + model.sensors.indexOf(sensor)] ?? 0) * Math.sqrt(count),
      );
  });
  const [a, b] = columns;
  for (const sensor of ["PS1", "TS1"]) {
    a?.(sensor).forEach((value, i) => {
      expect(value).toBeCloseTo(b?.(sensor)[i] ?? 0, 5);
    });
  }
  expect(b?.("VS1")).not.toEqual(b?.("PS1"));
});

test("more training windows than a site has, and none at all, are refused with the line before any run", async () => {
  const refusal = async (client: string): Promise<unknown> =>
    compareTiny({
      scenario: parseScenario(
        `name: rig\ndata: { kind: hydraulic }\nclients:\n  - { id: a, tasks: [valve], ${client} }\n`,
        "rig.yaml",
      ),
      dataDir,
      seeds: [1, 2],
    }).catch(({ code, message }) => `${code} ${message}`);
  expect(await refusal("trainCount: 5000")).toMatch(
    /^INVALID_CONFIG rig\.yaml:4:42: clients\[0\]\.trainCount: expected at most the \d+ training windows with a label that client a has with seed 1, received 5000; lower it/,
  );
  expect(await refusal("period: [0, 0.001]")).toMatch(
    /^INVALID_CONFIG rig\.yaml:4:5: clients\[0\]: expected at least one (?:training|test) window among the 1 that client a takes, with seed 1, received 0;/,
  );
});

test("a folder that is not there names the data set and the setting", async () => {
  await expect(openData(SCENARIO, { cacheDir: "unused", dataDir: join(dataDir, "none") })).rejects.toMatchObject({
    code: "DATA_FOLDER_MISSING",
    message: expect.stringMatching(/profile\.txt[\s\S]*archive\.ics\.uci\.edu[\s\S]*--data/),
  });
});

test("keys of another kind of data, sensors and tasks that there are not, and empty periods are refused with the place", () => {
  const of = (client: string, data = "data: { kind: hydraulic }\n"): (() => unknown) => {
    const text = `name: rig\n${data}clients:\n  - ${client}\n`;
    return () => parseScenario(text, "rig.yaml");
  };
  expect(of("{ id: a, tasks: [valves] }")).toThrow('did you mean "valve"?');
  expect(of("{ id: a, tasks: [valve], sensors: [PS9] }")).toThrow(
    /rig\.yaml:4:.*clients\[0\]\.sensors\[0\]: expected one of/,
  );
  expect(of("{ id: a, tasks: [valve], period: [0.5, 0.5] }")).toThrow("expected a start before the end");
  expect(of("{ id: a, tasks: [valve], blocks: [2, 2] }")).toThrow("expected [take, of] with take below of");
  expect(of("{ id: a, tasks: [valve], subset: FD001 }")).toThrow('expected no subset with data of kind "hydraulic"');
  expect(of("{ id: a, domain: digits, tasks: [edge], sensors: [PS1] }", "")).toThrow(
    'expected no sensors with data of kind "scenes"',
  );
  expect(of("{ id: a, tasks: [edge] }", "")).toThrow('expected a domain: one of "garments", "digits"');
});
