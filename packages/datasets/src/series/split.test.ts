import { createRng } from "@kumiai/params";
import fc from "fast-check";
import { expect, test } from "vitest";
import { classTarget, numberTarget, tableOf } from "../testing/series.js";
import { NO_SIDE, splitByBlocks, splitByUnits, TEST_SIDE, TRAIN_SIDE } from "./split.js";
import { windowsOf } from "./windows.js";

const runs = (values: readonly number[], length: number): number[] =>
  values.flatMap((value) => Array<number>(length).fill(value));

test("no training window shares a row with a test window, and `gap` windows lie between, for any windows and blocks", () => {
  const small = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 30, max: 60 }), { minLength: 1, maxLength: 3 }),
      small,
      small,
      small,
      fc.nat(4),
      fc.integer(),
      (unitLengths, length, stride, blockLength, gap, seed) => {
        const windows = windowsOf(tableOf(unitLengths), { length, stride });
        fc.pre(windows.count > blockLength * unitLengths.length + 1);
        const { side } = splitByBlocks(windows, { blockLength, testShare: 0.3, gap, rng: createRng(seed) });
        const of = (wanted: number) => [...side.keys()].filter((w) => side[w] === wanted);
        expect(of(TEST_SIDE).length).toBeGreaterThan(0);
        for (const test of of(TEST_SIDE)) {
          for (const train of of(TRAIN_SIDE)) {
            if (windows.unit[test] !== windows.unit[train]) continue;
            expect(Math.abs((windows.start[test] ?? 0) - (windows.start[train] ?? 0))).toBeGreaterThanOrEqual(length);
            expect(Math.abs(test - train)).toBeGreaterThan(gap);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("every class is on both sides where it is in two blocks, though some are rare", () => {
  const values = runs([0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0], 10);
  const table = tableOf([200], { targets: [classTarget("state", values, ["good", "worn", "broken"])] });
  const windows = windowsOf(table, { length: 10, stride: 10 });
  for (let seed = 0; seed < 20; seed++) {
    const split = splitByBlocks(windows, { blockLength: 1, testShare: 0.2, rng: createRng(seed) });
    expect(split.notices).toEqual([]);
    expect(split.side.filter((s) => s === TEST_SIDE).length).toBe(4);
  }
});

test("every unit of two blocks or more is on both sides", () => {
  const windows = windowsOf(tableOf([40, 20, 10, 40, 30, 20, 10]), { length: 10, stride: 10 });
  for (let seed = 0; seed < 20; seed++) {
    const { side } = splitByBlocks(windows, { blockLength: 1, testShare: 0.25, rng: createRng(seed) });
    const inTest = Array.from({ length: 7 }, (_, u) => side.filter((s, w) => windows.unit[w] === u && s === TEST_SIDE));
    expect(inTest.map(({ length }) => length)).toEqual([1, 1, expect.any(Number), 1, 1, 1, expect.any(Number)]);
    expect((inTest[2]?.length ?? 0) + (inTest[6]?.length ?? 0)).toBe(1);
  }
});

test("says which class is on one side only", () => {
  const table = tableOf([40], { targets: [classTarget("state", runs([0, 0, 0, 1], 10), ["good", "broken"])] });
  const split = splitByBlocks(windowsOf(table, { length: 10, stride: 10 }), {
    blockLength: 1,
    testShare: 0.5,
    rng: createRng(3),
  });
  expect(split.notices).toEqual([expect.stringMatching(/^state: class broken is in (training|the test set) only/)]);
});

test("balances numbers, too: a quarter of the units has a quarter of the high values", () => {
  const unitLengths = Array<number>(16).fill(10);
  const targets = [
    numberTarget(
      "load",
      runs([9, 1, 1, 1, 9, 1, 1, 1, 9, 1, 1, 1, 9, 1, 1, 1], 10).map((v, i) => v + i / 1000),
    ),
  ];
  const windows = windowsOf(tableOf(unitLengths, { targets }), { length: 10, stride: 1 });
  const { side, block, blockCount } = splitByUnits(windows, { testShare: 0.25, rng: createRng(5) });
  expect(blockCount).toBe(16);
  expect([0, 4, 8, 12].filter((w) => side[w] === TEST_SIDE).length).toBe(1);
  expect([...block]).toEqual([...block.keys()]);
});

test("the same seed gives the same split, another seed another", () => {
  const windows = windowsOf(tableOf([400]), { length: 4, stride: 2 });
  const split = (seed: number) =>
    splitByBlocks(windows, { blockLength: 10, testShare: 0.3, gap: 2, rng: createRng(seed) }).side;
  expect(split(1)).toEqual(split(1));
  expect(split(1)).not.toEqual(split(2));
  expect(split(1).includes(NO_SIDE)).toBe(true);
});

test("refuses data of one block, and shares that are none", () => {
  const windows = windowsOf(tableOf([20]), { length: 4, stride: 4 });
  const rng = createRng(1);
  expect(() => splitByUnits(windows, { testShare: 0.5, rng })).toThrow(/one unit only.*split by blocks of time/);
  expect(() => splitByBlocks(windows, { blockLength: 9, testShare: 0.5, rng })).toThrow(
    /one block only.*shorter blocks/,
  );
  expect(() => splitByBlocks(windows, { blockLength: 1, testShare: 1, rng })).toThrow(
    /testShare: expected a number between 0 and 1/,
  );
  expect(() => splitByBlocks(windows, { blockLength: 0, testShare: 0.5, rng })).toThrow(
    /blockLength: expected a whole number/,
  );
});
