import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createRng } from "@kumiai/params";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NO_REAL_DATA, realFolder } from "../testing/real-series.js";
import { flight } from "../testing/series.js";
import { type CmapssSubset, loadCmapss } from "./cmapss.js";
import { siteSeries } from "./examples.js";
import { splitByUnits } from "./split.js";
import { labelOf, lastWindows, windowsOf } from "./windows.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cmapss-"));
});
afterEach(async () => rm(folder, { recursive: true }));

const life = (unit: number, cycles: number): string[] =>
  Array.from({ length: cycles }, (_, t) => flight(unit, t + 1, [0, 10.004, 42.002][t % 3], (k) => 10 * k + t));

test("life left counts down to 0 at failure, capped at 125; health has its borders at 125 and 50", async () => {
  await writeFile(join(folder, "train_FD002.txt.gz"), gzipSync(`${[...life(1, 200), ...life(2, 3)].join("\n")}\n`));
  const table = await loadCmapss(folder, "FD002");
  expect([table.rowCount, table.units, table.channels.length]).toEqual([203, ["engine-1", "engine-2"], 21]);
  const [rul, health] = table.targets;
  const at = (row: number) => [rul?.values[row], health?.classNames[health.values[row] ?? -1]];
  // Row r of engine 1 has 199 − r flights left.
  expect([0, 73, 74, 149, 150, 199, 200, 202].map(at)).toEqual([
    [125, "healthy"],
    [125, "healthy"],
    [125, "worn"],
    [50, "worn"],
    [49, "critical"],
    [0, "critical"],
    [2, "critical"],
    [0, "critical"],
  ]);
  expect([...(table.conditionOf ?? []).slice(0, 4), table.conditionCount]).toEqual([0, 1, 5, 0, 6]);
  expect([...table.values.subarray(21, 24)]).toEqual([11, 21, 31]);
});

test("the official test set counts down to the flights left that its RUL file states", async () => {
  await writeFile(join(folder, "test_FD001.txt"), `${[...life(1, 4), ...life(2, 3)].join("\n")}\n`);
  await writeFile(join(folder, "RUL_FD001.txt"), "112 \n9 \n");
  const table = await loadCmapss(folder, "FD001", { part: "test", settings: true });
  expect(table.targets[0]?.values).toEqual(Float64Array.of(115, 114, 113, 112, 11, 10, 9));
  expect(table.conditionCount).toBe(1);
  expect(table.channels.slice(-3)).toEqual(["altitude", "mach", "throttle"]);
  expect(table.values[23]).toBe(100);
});

test.each([
  ["train_FD001.txt", [flight(1, 1), flight(1, 3)], /train_FD001\.txt: row 2: column 2: expected cycle 2, found 3/],
  ["train_FD001.txt", [flight(1, 1), flight(3, 1)], /train_FD001\.txt: row 2: column 1: expected unit 2, found 3/],
  ["train_FD001.txt", [flight(1, 1), "1 2 3"], /train_FD001\.txt:2: expected 26 numbers, found 3/],
  ["train_FD001.txt", [], /train_FD001\.txt: expected one row per flight, found an empty file/],
])("%s with other contents: place, expected, found (%#)", async (name, lines, message) => {
  await writeFile(join(folder, name), lines.join("\n"));
  await expect(loadCmapss(folder, "FD001")).rejects.toMatchObject({
    code: "DATA_MALFORMED",
    message: expect.stringMatching(message),
  });
});

test("says which files are missing and where they are", async () => {
  await expect(loadCmapss(folder, "FD003", { part: "test" })).rejects.toMatchObject({
    code: "DATA_FOLDER_MISSING",
    message: expect.stringMatching(/test_FD003\.txt, RUL_FD003\.txt.*data\.nasa\.gov/),
  });
});

const real = realFolder("cmapss");
describe.skipIf(real === undefined)(real === undefined ? `real data (${NO_REAL_DATA})` : "real data", () => {
  test.each<[CmapssSubset, number, number, number, number]>([
    ["FD001", 20631, 100, 13096, 100],
    ["FD002", 53759, 260, 33991, 259],
  ])("%s has its published counts of rows and units", async (subset, rows, units, testRows, testUnits) => {
    const train = await loadCmapss(real ?? "", subset);
    expect([train.rowCount, train.units.length]).toEqual([rows, units]);
    const official = await loadCmapss(real ?? "", subset, { part: "test" });
    expect([official.rowCount, official.units.length]).toEqual([testRows, testUnits]);
  });

  test("FD001: constant sensors become zeros, engines are on one side only, the official test has one window per engine", async () => {
    const windows = windowsOf(await loadCmapss(real ?? "", "FD001"), { length: 30, stride: 10 });
    const split = splitByUnits(windows, { testShare: 0.2, rng: createRng(1) });
    const official = lastWindows(
      windowsOf(await loadCmapss(real ?? "", "FD001", { part: "test" }), { length: 30, stride: 1 }),
    );
    const notices: string[] = [];
    const site = siteSeries(windows, split, { tasks: ["rul", "health"], official }, (notice) => notices.push(notice));
    const constant = notices.map((notice) => /channel (\S+) does not change/.exec(notice)?.[1]);
    expect(constant).toEqual(["T2", "P2", "epr", "farB", "Nf_dmd", "PCNfR_dmd"]);
    expect(official.count).toBe(100);
    const [rul] = official.table.targets;
    const lives = Array.from({ length: 100 }, (_, w) => (rul === undefined ? 0 : labelOf(official, rul, w)));
    expect([Math.min(...lives), Math.max(...lives)]).toEqual([7, 125]);
    const unitsOf = (chosen: readonly number[]) => new Set(chosen.map((w) => windows.unit[w]));
    const train = unitsOf(site.trainWindows);
    expect(train.size).toBe(80);
    expect([...site.train.series].every(Number.isFinite)).toBe(true);
  });
});
