import { expect, test } from "vitest";
import { classTarget, tableOf } from "../testing/series.js";
import { suggestWindows } from "./suggest-windows.js";
import { windowsOf } from "./windows.js";

test.each([
  [[600], { length: 64, stride: 16, blockLength: 9, gap: 3 }],
  [Array<number>(100).fill(200), { length: 24, stride: 7, blockLength: 95, gap: 3 }],
  [[10_000], { length: 64, stride: 16, blockLength: 20, gap: 3 }],
  [[9], { length: 1, stride: 1, blockLength: 1, gap: 0 }],
])("windows fit the machines' stretches (%#)", (lengths, expected) => {
  const table = tableOf(lengths);
  const suggested = suggestWindows(table, true);
  expect(suggested).toEqual(expected);
  expect(windowsOf(table, suggested).count).toBeGreaterThan(5);
});

test("a rare class gets more windows", () => {
  const values = Array.from({ length: 2000 }, (_, row) => (row % 20 === 0 ? 1 : 0));
  const table = tableOf([2000], { targets: [classTarget("fault", values, ["no", "yes"])] });
  expect(suggestWindows(table, true)).toMatchObject({ length: 64, stride: 8 });
});

test("a pause far longer than the usual step is a break; without a time column there are none", () => {
  const table = {
    ...tableOf([100]),
    time: Float64Array.from({ length: 100 }, (_, row) => 2 * row + (row >= 60 ? 500 : 0)),
  };
  expect(suggestWindows(table, true)).toMatchObject({ maxTimeStep: 20, length: 4 });
  expect(suggestWindows(table, false)).not.toHaveProperty("maxTimeStep");
});
