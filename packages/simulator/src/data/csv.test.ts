import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseScenario } from "../config/parse.js";
import { openData } from "./source.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-csv-"));
  const rows = Array.from({ length: 120 }, (_, t) => t);
  await writeFile(
    join(dir, "a.csv"),
    `t,x,y,state,wear\n${rows.map((t) => `${t},${t % 7},${t % 5},${t % 2},${t}`).join("\n")}\n`,
  );
  await writeFile(
    join(dir, "b.csv"),
    `t,y,z,state\n${rows.map((t) => `${t},${t % 5},${t % 3},${t % 2}`).join("\n")}\n`,
  );
});
afterEach(() => rm(dir, { recursive: true }));

const scenarioOf = (clients: string, more = "") =>
  parseScenario(
    `name: own
data:
  kind: csv
  time: t${more}
  targets: { state: { kind: binary }, wear: { kind: number } }
  window: { length: 4, stride: 2 }
  split: { blockLength: 3 }
clients:
${clients}`,
    join(dir, "own.yaml"),
  );

const open = (clients: string, more?: string, onNotice?: (message: string) => void) =>
  openData(scenarioOf(clients, more), { cacheDir: "unused", dataDir: "unused", ...(onNotice && { onNotice }) });

test("sites with files of their own have other sensors and other targets; labels never become sensors", async () => {
  const clients = "  - { id: a, file: a.csv, tasks: [wear] }\n  - { id: b, file: b.csv, tasks: [state] }\n";
  const notices: string[] = [];
  const scenario = scenarioOf(clients);
  const data = await open(clients, "", (notice) => notices.push(notice));
  const sensors = scenario.clients.map((client) => {
    const model = data.modelOf(client);
    return model.kind === "series" ? model.sensors : [];
  });
  expect(sensors).toEqual([
    ["x", "y"],
    ["y", "z"],
  ]);
  expect(notices).toEqual([]);
  for (const client of scenario.clients) {
    const { train, test } = data.examplesOf(client, 1);
    expect(Math.min(train.count, test.count)).toBeGreaterThan(5);
    expect(train.inputs.length).toBe(train.count * 2 * 4);
  }
});

test("sites that share a file may name sensors each", async () => {
  const clients =
    "  - { id: a, tasks: [wear], sensors: [x], blocks: [0, 2] }\n  - { id: b, tasks: [state], sensors: [x, y], blocks: [1, 2] }\n";
  const scenario = scenarioOf(clients, "\n  file: a.csv");
  const data = await open(clients, "\n  file: a.csv");
  const counts = scenario.clients.map((client) => {
    const { train } = data.examplesOf(client, 1);
    return train.inputs.length / train.count / 4;
  });
  expect(counts).toEqual([1, 2]);
});

test("machines of one file may be sites of their own", async () => {
  const rows = Array.from({ length: 240 }, (_, r) => `${r < 120 ? 7 : "M8"},${r % 120},${r % 7},${r},${r % 2}`);
  await writeFile(join(dir, "two.csv"), `machine,t,x,wear,state\n${rows.join("\n")}\n`);
  const clients = "  - { id: a, tasks: [wear], units: [7] }\n  - { id: b, tasks: [wear], units: [M8] }\n";
  const more = "\n  file: two.csv\n  unit: machine";
  const data = await open(clients, more);
  const ranges = scenarioOf(clients, more).clients.map((client) => {
    const { train, scales } = { ...data.examplesOf(client, 1), scales: data.examplesOf(client, 1).train.scales };
    return [train.count > 20, (scales?.get("wear" as never) ?? 0) < 40];
  });
  expect(ranges).toEqual([
    [true, true],
    [true, true],
  ]);
  await expect(async () => {
    const wrong = await open("  - { id: a, tasks: [wear], units: [M9] }\n", more);
    wrong.examplesOf(scenarioOf("  - { id: a, tasks: [wear], units: [M9] }\n", more).clients[0] as never, 1);
  }).rejects.toThrow(/expected one of 7, M8, received "M9"/);
});

test("a column that a site's file lacks is refused with its name", async () => {
  await expect(open("  - { id: b, file: b.csv, tasks: [wear] }\n")).rejects.toMatchObject({
    code: "INVALID_CONFIG",
    message: expect.stringMatching(/b\.csv: expected one of t, y, z, state, received "wear"/),
  });
});

test("plants that meet different classes number them alike", async () => {
  const rows = (words: readonly string[]) =>
    Array.from({ length: 120 }, (_, t) => `${t},${t % 7},${words[Math.floor(t / 8) % words.length]}`).join("\n");
  await writeFile(join(dir, "one.csv"), `t,x,kind\n${rows(["ok", "worn"])}\n`);
  await writeFile(join(dir, "two.csv"), `t,x,kind\n${rows(["worn", "broken"])}\n`);
  const scenario = parseScenario(
    `name: own
data:
  { kind: csv, time: t, targets: { kind: { kind: classes } }, window: { length: 4, stride: 4 }, split: { blockLength: 2 } }
clients:
  - { id: one, file: one.csv, tasks: [kind] }
  - { id: two, file: two.csv, tasks: [kind] }
`,
    join(dir, "own.yaml"),
  );
  const data = await openData(scenario, { cacheDir: "unused", dataDir: "unused" });
  const seen = scenario.clients.map((client) => {
    const { labels } = data.examplesOf(client, 1).train;
    return [data.modelOf(client).tasks[0]?.label, [...new Set(labels.get("kind" as never))].sort()];
  });
  expect(seen).toEqual([
    [{ kind: "classes", classCount: 3 }, [1, 2]], // ok, worn
    [{ kind: "classes", classCount: 3 }, [0, 2]], // broken, worn
  ]);
});

test("windows without a label are not trained on; more than there are is said", async () => {
  const rows = Array.from({ length: 240 }, (_, t) => `${t},${t % 7},${t % 40 < 20 ? t : ""}`);
  await writeFile(join(dir, "few.csv"), `t,x,wear\n${rows.join("\n")}\n`);
  const clients = (count: number) => `  - { id: few, file: few.csv, tasks: [wear], trainCount: ${count} }\n`;
  const notices: string[] = [];
  const all = (await open(clients(1000), "", (notice) => notices.push(notice))).countsOf(
    scenarioOf(clients(1000)).clients[0] as never,
    1,
  );
  expect(all.trainLabels).toBe(all.train);
  expect(notices).toContainEqual(
    `client few: trainCount 1000: there are ${all.train} training windows with a label; all are taken`,
  );
  const ten = await open(clients(10));
  expect(ten.countsOf(scenarioOf(clients(10)).clients[0] as never, 1)).toMatchObject({ train: 10, trainLabels: 10 });
});

test("a notice that holds for every seed is told once", async () => {
  const rows = Array.from({ length: 120 }, (_, t) => `${t},${t % 7},0`);
  await writeFile(join(dir, "quiet.csv"), `t,x,state\n${rows.join("\n")}\n`);
  const clients = "  - { id: quiet, file: quiet.csv, tasks: [state] }\n";
  const notices: string[] = [];
  const data = await open(clients, "", (notice) => notices.push(notice));
  for (const seed of [1, 2, 3]) for (const client of scenarioOf(clients).clients) data.examplesOf(client, seed);
  const aboutTest = notices.filter((notice) => notice.includes("AUROC has no value and the task is left out of Δ%"));
  expect(aboutTest).toHaveLength(1);
  expect(new Set(notices).size).toBe(notices.length);
});
