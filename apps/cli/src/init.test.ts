import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseScenario } from "@kumiai/simulator";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "./program.js";
import { memoryIo } from "./testing/memory-io.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-init-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function kumiai(...args: readonly string[]) {
  const io = memoryIo();
  const exitCode = await runCli(args, io);
  return { exitCode, out: io.outText(), err: io.errText() };
}

/** Two presses, a row a minute; one stands still for a day. The state can be seen in the force, the wear in the temperature. */
function pressRows(): readonly (readonly string[])[] {
  return Array.from({ length: 600 }, (_, row) => {
    const press = row < 300 ? "P1" : "P2";
    const minute = row + (row > 450 ? 1440 : 0);
    const time = new Date(Date.UTC(2024, 4, 1, 0, minute)).toISOString().slice(0, 19).replace("T", " ");
    const worn = Math.floor(row / 30) % 2;
    const force = 10 + 5 * worn + ((row * 37) % 11) / 11;
    const heat = row % 50 === 7 ? "" : (20 + ((row * 13) % 7)).toFixed(1);
    return [
      press,
      time,
      force.toFixed(2),
      heat,
      worn === 1 ? "worn" : "ok",
      (row / 10).toFixed(1),
      `note: "${row}", see log`,
    ];
  });
}

const HEADER = ["press line", "日時", "force, kN", "temp # C", "state", "wear", "note"];

async function writePresses(delimiter = ",", decimal = "."): Promise<string> {
  const field = (text: string): string => {
    const own = /^\d+\.\d+$/.test(text) ? text.replace(".", decimal) : text;
    return /[",;]/.test(own) ? `"${own.replaceAll('"', '""')}"` : own;
  };
  const lines = [HEADER, ...pressRows()].map((row) => row.map(field).join(delimiter));
  const path = join(dir, "presses 1.csv");
  await writeFile(path, `${lines.join("\r\n")}\r\n`);
  return path;
}

test("what init writes is a scenario that says why, and trains as it is", async () => {
  const csv = await writePresses();
  const yaml = join(dir, "presses.yaml");
  const made = await kumiai("init", csv, "--out", yaml);
  expect([made.exitCode, made.err]).toEqual([0, ""]);
  expect(made.out).toContain("time      日時: dates");
  const text = await readFile(yaml, "utf8");
  expect(text).toMatch(/^ {2}time: "日時" {2}# guess: dates$/m);
  expect(text).toMatch(/^ {4}- "temp # C" {2}# numbers, 2\.0 % missing$/m);
  const { data, clients, name } = parseScenario(text, yaml);
  expect(name).toBe("presses-1");
  expect(data).toMatchObject({
    kind: "csv",
    file: csv,
    unit: "press line",
    time: "日時",
    maxTimeStep: 600,
    sensors: ["force, kN", "temp # C"],
    ignore: ["note"],
    targets: { state: { kind: "classes", classes: ["ok", "worn"] }, wear: { kind: "number" } },
  });
  expect(clients.map(({ id, tasks }) => [id, ...tasks])).toEqual([
    ["site-1", "state", "wear"],
    ["site-2", "state", "wear"],
  ]);
  const out = join(dir, "run");
  const ran = await kumiai("run", yaml, "--strategy", "fedavg", "--rounds", "4", "--threads", "1", "--out", out);
  expect([ran.exitCode, ran.err.includes("error")]).toEqual([0, false]);
  const result = JSON.parse(await readFile(join(out, "result.json"), "utf8"));
  const { state } = result.strategies.fedavg.perSeed[1].clients["site-1"].tasks;
  expect(state.value).toBeGreaterThan(state.constant + 20);
});

test("semicolons and decimal commas are found out and written down", async () => {
  const csv = await writePresses(";", ",");
  const yaml = join(dir, "presses.yaml");
  expect((await kumiai("init", csv, "-o", yaml)).exitCode).toBe(0);
  const { data } = parseScenario(await readFile(yaml, "utf8"), yaml);
  expect(data).toMatchObject({ delimiter: ";", decimal: ",", sensors: ["force, kN", "temp # C"] });
});

test("refuses to replace a scenario unless forced", async () => {
  const csv = await writePresses();
  const yaml = join(dir, "mine.yaml");
  await writeFile(yaml, "name: precious\n");
  const refused = await kumiai("init", csv, "--out", yaml);
  expect(refused.exitCode).toBe(3);
  expect(refused.err).toMatch(/WRITE_FAILED.*--force replaces it/s);
  expect(await readFile(yaml, "utf8")).toBe("name: precious\n");
  expect((await kumiai("init", csv, "--out", yaml, "--force")).exitCode).toBe(0);
});

test("a file without anything to predict, or none at all, is refused with what was seen", async () => {
  const path = join(dir, "notes.csv");
  await writeFile(path, "a,b\nx1,\nx2,\n");
  const refused = await kumiai("init", path, "--out", join(dir, "notes.yaml"));
  expect([refused.exitCode, refused.out]).toEqual([2, ""]);
  expect(refused.err).toMatch(/could be a sensor, found none; columns: a \(.*\), b \(ignore: empty\)/s);
  expect((await kumiai("init", join(dir, "none.csv"))).err).toMatch(/FILE_NOT_FOUND/);
});

test.skipIf(process.platform === "win32")(
  "a name with blanks and line breaks gives valid YAML and commands that a shell takes",
  async () => {
    const csv = join(dir, "we ird\nna'me.csv");
    await rename(await writePresses(), csv);
    const yaml = join(dir, "o'ut 1.yaml");
    const made = await kumiai("init", csv, "--out", yaml);
    expect([made.exitCode, made.err]).toEqual([0, ""]);
    const text = await readFile(yaml, "utf8");
    expect(parseScenario(text, yaml).data).toMatchObject({ file: csv });
    expect(text).toContain("kumiai run 'o'\\''ut 1.yaml' --strategy local");
    const shown = /kumiai init (.*)`\.$/m.exec(text)?.[1];
    const read = execFileSync("bash", ["-c", `printf %s ${shown}`], { encoding: "utf8" });
    expect(read).toBe("we ird\nna'me.csv");
  },
);

test("a delimiter of two characters is refused, \\t is a tab", async () => {
  const refused = await kumiai("init", await writePresses(), "--delimiter", ";;", "--out", join(dir, "a.yaml"));
  expect([refused.exitCode, refused.err]).toEqual([2, expect.stringMatching(/INVALID_CONFIG.*one character/)]);
  const made = await kumiai("init", await writePresses("\t"), "--delimiter", "\\t", "--out", join(dir, "b.yaml"));
  expect(made.exitCode).toBe(0);
});

test("odd cells and blank times are named on the terminal and in the scenario, with the words under missing", async () => {
  const path = join(dir, "odd.csv");
  const rows = Array.from(
    { length: 400 },
    (_, row) => `${row === 5 ? "" : row * 10},${row === 300 ? "ERR" : row % 7},${row % 13},${row % 2}`,
  );
  await writeFile(path, `${["time,temp,load,fail", ...rows].join("\n")}\n`);
  const yaml = join(dir, "odd.yaml");
  const made = await kumiai("init", path, "--out", yaml);
  expect(made.exitCode).toBe(0);
  expect(made.err).toMatch(/column time: 1 of 400 rows has no time, first in line 7; a run stops there/);
  expect(made.err).toMatch(/column temp: numbers, but for "ERR" \(1 cell, first in line 302\)/);
  const text = await readFile(yaml, "utf8");
  expect(text).toMatch(/^ {2}time: time {2}# guess: .*first in line 7/m);
  expect(parseScenario(text, yaml).data).toMatchObject({
    sensors: ["temp", "load"],
    missing: ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "ERR"],
  });
  const run = async () => kumiai("run", yaml, "--strategy", "local", "--rounds", "1", "--out", join(dir, "run"));
  expect((await run()).err).toMatch(/odd\.csv:7: column time: expected a number or a date/);
  await writeFile(path, `${["time,temp,load,fail", ...rows.toSpliced(5, 1)].join("\n")}\n`);
  expect((await run()).exitCode).toBe(0);
});
