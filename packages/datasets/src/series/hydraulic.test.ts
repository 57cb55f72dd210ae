import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRng } from "@kumiai/params";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NO_REAL_DATA, realFolder } from "../testing/real-series.js";
import { writeHydraulic } from "../testing/series.js";
import { HYDRAULIC_CHANNELS, loadHydraulic } from "./hydraulic.js";
import { splitByBlocks, TEST_SIDE, TRAIN_SIDE } from "./split.js";
import { labelOf, windowsOf } from "./windows.js";

const PROFILE = ["3\t100\t0\t130\t1", "20\t73\t1\t90\t0", "100\t80\t2\t115\t0"];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hydraulic-"));
});
afterEach(async () => rm(folder, { recursive: true }));

test("windows of 60 rows are the cycles, whatever the rate and the packing of a file", async () => {
  await writeHydraulic(folder, PROFILE);
  const table = await loadHydraulic(folder);
  const windows = windowsOf(table, { length: 60, stride: 60 });
  expect([table.rowCount, table.channels.length, windows.count]).toEqual([180, 17, 3]);
  expect([...windows.start]).toEqual([0, 60, 120]);
  for (const row of [0, 59, 60, 179]) {
    const expected = HYDRAULIC_CHANNELS.map((_, s) => 1000 * s + Math.floor(row / 60));
    expect([...table.values.subarray(row * 17, (row + 1) * 17)]).toEqual(expected);
  }
  const labels = table.targets.map((target) => [target.id, ...[0, 1, 2].map((w) => labelOf(windows, target, w))]);
  expect(labels).toEqual([
    ["cooler", 0, 1, 2],
    ["valve", 3, 0, 1],
    ["pump", 0, 1, 2],
    ["accumulator", 3, 0, 2],
    ["stable", 1, 0, 0],
  ]);
});

test("no window crosses from one cycle to the next", async () => {
  await writeHydraulic(folder, PROFILE);
  const windows = windowsOf(await loadHydraulic(folder), { length: 40, stride: 10 });
  expect([...windows.start]).toEqual([0, 10, 20, 60, 70, 80, 120, 130, 140]);
});

test("100 values a second are averaged over each second", async () => {
  await writeHydraulic(folder, [PROFILE[0] ?? ""]);
  const ramp = Array.from({ length: 6000 }, (_, i) => i).join("\t");
  await writeFile(join(folder, "PS1.txt"), `${ramp}\n`);
  const table = await loadHydraulic(folder);
  const column = HYDRAULIC_CHANNELS.indexOf("PS1");
  expect([0, 1, 59].map((row) => table.values[row * 17 + column])).toEqual([49.5, 149.5, 5949.5]);
});

describe("says what is wrong", () => {
  test("a folder without files: which ones, where to get them, which setting to change", async () => {
    await writeHydraulic(folder, PROFILE);
    await rm(join(folder, "TS3.txt"));
    await rm(join(folder, "PS2_1hz_mean.txt.gz"));
    await expect(loadHydraulic(folder, { setting: "data.folder in plant.yaml" })).rejects.toMatchObject({
      code: "DATA_FOLDER_MISSING",
      message: expect.stringMatching(
        /TS3\.txt, PS2\.txt .*archive\.ics\.uci\.edu\/dataset\/447.*data\.folder in plant\.yaml/,
      ),
    });
  });

  test.each([
    [
      "profile.txt",
      "3\t100\t0\t131\t1\n",
      /profile\.txt: row 1: column 4 \(accumulator\): expected one of 90, 100, 115, 130, found 131/,
    ],
    ["TS1.txt", `${Array(60).fill("1").join("\t")}\n`, /TS1\.txt: expected 3 rows, as in profile\.txt, found 1/],
    ["VS1.txt", `1\t2\n`, /VS1\.txt:1: expected 60 numbers, found 2/],
    [
      "CE.txt",
      `${[...Array(59).fill("1"), "1,5"].join("\t")}\n`,
      /CE\.txt:1: column 60: expected a number, found "1,5"/,
    ],
  ])("%s with other contents: file, line, column, expected, found", async (name, text, message) => {
    await writeHydraulic(folder, PROFILE);
    await writeFile(join(folder, name), text);
    await expect(loadHydraulic(folder)).rejects.toMatchObject({
      code: "DATA_MALFORMED",
      message: expect.stringMatching(message),
    });
  });

  test("a file that is not gzip though its name says so", async () => {
    await writeHydraulic(folder, PROFILE);
    await writeFile(join(folder, "PS2_1hz_mean.txt.gz"), "no gzip");
    await expect(loadHydraulic(folder)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });
});

const real = realFolder("hydraulic");
describe.skipIf(real === undefined)(real === undefined ? `real data (${NO_REAL_DATA})` : "real data", () => {
  test("2,205 cycles with the documented class counts; every class on both sides of a split by blocks", async () => {
    const table = await loadHydraulic(real ?? "");
    const windows = windowsOf(table, { length: 60, stride: 60 });
    expect(windows.count).toBe(2205);
    const counts = table.targets.map((target) => {
      const seen = target.classNames.map(() => 0);
      for (let w = 0; w < windows.count; w++)
        seen[labelOf(windows, target, w)] = (seen[labelOf(windows, target, w)] ?? 0) + 1;
      return [target.id, ...seen];
    });
    expect(counts).toEqual([
      ["cooler", 732, 732, 741],
      ["valve", 360, 360, 360, 1125],
      ["pump", 1221, 492, 492],
      ["accumulator", 808, 399, 399, 599],
      ["stable", 1449, 756],
    ]);
    expect(table.values.some((value) => !Number.isFinite(value))).toBe(false);
    expect(table.values[HYDRAULIC_CHANNELS.indexOf("TS1")]).toBeCloseTo(35.57, 4);
    const split = splitByBlocks(windows, { blockLength: 20, testShare: 0.25, gap: 1, rng: createRng(1) });
    expect(split.notices).toEqual([]);
    const sizes = [TRAIN_SIDE, TEST_SIDE].map((wanted) => split.side.filter((s) => s === wanted).length);
    expect(sizes[1]).toBe(28 * 20);
    expect(sizes[0]).toBeGreaterThanOrEqual(2205 - 28 * 20 - 2 * 28);
  });
});
