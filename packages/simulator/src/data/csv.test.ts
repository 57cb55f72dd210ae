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
  await writeFile(join(dir, "euro.csv"), 't,x,wear\n0,"1,5",2\n');
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
    message: expect.stringMatching(/own\.yaml:5:.*b\.csv: expected one of t, y, z, state, received "wear"/),
  });
});

test.each([
  [
    "{ id: a, file: a.csv, tasks: [wear], where: { wear: [1] } }",
    "9:57: clients[0].where.wear: expected a target with",
  ],
  ["{ id: a, file: a.csv, tasks: [wear], where: { state: [up] } }", "9:58: clients[0].where.state: class of state"],
  ["{ id: a, file: a.csv, tasks: [wear], where: { waer: [1] } }", "9:57: clients[0].where.waer: target of"],
  ["{ id: a, file: a.csv, tasks: [wear], sensors: [x, yy] }", "9:55: clients[0].sensors[1]: column of"],
  ["{ id: a, file: euro.csv, tasks: [wear] }", "9:20: clients[0].file: "],
  ["{ id: a, file: c.csv, tasks: [wear] }", "9:20: clients[0].file: "],
])("what a site asks of a file and the file does not have is said with the line: %s", async (client, expected) => {
  await expect(open(`  - ${client}\n`)).rejects.toThrow(join(dir, `own.yaml:${expected}`));
});

test("a column that is not there is said with the line of its role and the nearest name", async () => {
  const roles = open("  - { id: a, file: a.csv, tasks: [wear] }\n", "\n  unit: xy");
  await expect(roles).rejects.toThrow(/own\.yaml:5:9: data\.unit: .*received "xy"; did you mean "x"\?/);
});

test("a word for yes that stands nowhere is refused with the words that do", async () => {
  const text =
    "name: own\ndata:\n  kind: csv\n  time: t\n  targets: { bad: { column: state, kind: binary, positive: BAD } }\n";
  const scenario = parseScenario(`${text}clients: [{ id: a, file: a.csv, tasks: [bad] }]\n`, join(dir, "own.yaml"));
  await expect(openData(scenario, { cacheDir: "unused", dataDir: "unused" })).rejects.toThrow(
    /own\.yaml:5:60: data\.targets\.bad\.positive: expected a word that occurs in column state: 0, 1, received "BAD"/,
  );
});

test("sites of several files have the classes of all, so that each means the same everywhere", async () => {
  const words = [["cold", "hot"], ["cold", "mild", "hot"], ["hot"]];
  const files = words.map((own, k) => ({ name: `heat-${k}.csv`, own }));
  for (const { name, own } of files) {
    const rows = Array.from({ length: 120 }, (_, t) => `${t},${t % 7},${own[(t >> 1) % own.length]}`);
    await writeFile(join(dir, name), `t,x,heat\n${rows.join("\n")}\n`);
  }
  const clients = files.map(({ name }, k) => `  - { id: s${k}, file: ${name}, tasks: [heat] }\n`).join("");
  const text =
    "name: own\ndata:\n  kind: csv\n  time: t\n  targets: { heat: { kind: classes } }\n  window: { length: 4, stride: 2 }\n";
  const scenario = parseScenario(`${text}  split: { blockLength: 3 }\nclients:\n${clients}`, join(dir, "own.yaml"));
  const notices: string[] = [];
  const data = await openData(scenario, {
    cacheDir: "unused",
    dataDir: "unused",
    onNotice: (one) => notices.push(one),
  });
  expect(notices[0]).toContain("task heat: its classes are those of all 3 files together: cold, hot, mild");
  const seen = scenario.clients.map((client) => {
    const [task] = data.modelOf(client).tasks;
    return [task?.label, [...new Set(data.examplesOf(client, 1).train.labels.get("heat" as never))].sort()];
  });
  const label = { kind: "classes", classCount: 3 };
  expect(seen).toEqual([
    [label, [0, 1]],
    [label, [0, 1, 2]],
    [label, [1]],
  ]);
});

test("windows without a label are not trained on, nor counted as examples", async () => {
  const rows = Array.from({ length: 240 }, (_, t) => `${t},${t % 7},${t % 40 < 20 ? t : ""}`);
  await writeFile(join(dir, "few.csv"), `t,x,wear\n${rows.join("\n")}\n`);
  const countsOf = async (more: string) => {
    const clients = `  - { id: few, file: few.csv, tasks: [wear]${more} }\n`;
    return (await open(clients)).countsOf(scenarioOf(clients).clients[0] as never, 1);
  };
  const all = await countsOf("");
  expect([all.train < 50, all.trainLabels]).toEqual([true, all.train]);
  expect(await countsOf(", trainCount: 10")).toMatchObject({ train: 10, trainLabels: 10 });
  await expect(countsOf(", trainCount: 100")).rejects.toThrow(`at most the ${all.train} training windows with a label`);
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
