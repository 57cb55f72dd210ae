import { createRng, parseTaskId } from "@kumiai/params";
import { expect, test } from "vitest";
import { classTarget, numberTarget, tableOf } from "../testing/series.js";
import { examplesOf, siteSeries } from "./examples.js";
import { channelNames, fitScaling } from "./scaling.js";
import { selectWindows } from "./select.js";
import { splitByBlocks, TEST_SIDE, TRAIN_SIDE } from "./split.js";
import type { SeriesTable } from "./types.js";
import { lastWindows, windowsOf } from "./windows.js";

const NaN_ = Number.NaN;
/** One channel, given values. */
const column = (values: readonly number[], more: Partial<SeriesTable> = {}): SeriesTable => ({
  ...tableOf([values.length], { channels: ["x"], valueAt: (row) => values[row] ?? NaN_ }),
  ...more,
});

test("scaling knows training windows only: a test window may be far off", () => {
  const table = column([1, 3, 1, 3, 1, 3, 100, 300], { targets: [numberTarget("y", [0, 10, 0, 30, 0, 20, 0, 99])] });
  const windows = windowsOf(table, { length: 2, stride: 2 });
  const scaling = fitScaling(windows, [0, 1, 2], { tasks: ["y"] });
  expect([...scaling.mean, ...scaling.inverseStd]).toEqual([2, 1]);
  expect(scaling.tasks[0]?.offset).toBe(20);
  expect(scaling.tasks[0]?.scale).toBeCloseTo(Math.sqrt(200 / 3), 12);
  const test = examplesOf(windows, [3], scaling);
  expect([...test.series]).toEqual([98, 298]);
  const label = test.labels.get(parseTaskId("y"))?.[0] ?? NaN_;
  expect(label * (scaling.tasks[0]?.scale ?? 0) + 20).toBeCloseTo(99, 4);
});

test("a row in several windows counts once", () => {
  const windows = windowsOf(column([0, 1, 2, 3, 4]), { length: 3, stride: 1 });
  expect(fitScaling(windows, [0, 1, 2], { tasks: [] }).mean[0]).toBe(2);
});

test("series lie channel by channel, in the site's order of channels", () => {
  const windows = windowsOf(tableOf([4], { channels: ["a", "b", "c"] }), { length: 2, stride: 2 });
  const scaling = {
    ...fitScaling(windows, [0, 1], { tasks: [], channels: ["c", "a"] }),
    mean: new Float64Array(2),
    inverseStd: Float64Array.of(1, 1),
  };
  expect([...examplesOf(windows, [1], scaling).series]).toEqual([202, 302, 200, 300]);
});

test("gaps are filled from the row before within a segment, then with the mean of training; indicators say where", () => {
  const table = { ...column([NaN_, 2, NaN_, 4, NaN_, 3]), segmentOf: Int32Array.of(0, 0, 0, 1, 2, 2) };
  const windows = { ...windowsOf(column([1, 1, 1, 1, 1, 1]), { length: 6, stride: 6 }), table };
  const scaling = fitScaling(windows, [0], { tasks: [], missingIndicators: true });
  expect(scaling.mean[0]).toBeCloseTo((2 + 2 + 4 + 3) / 4, 12);
  const { series, channels } = examplesOf(windows, [0], { ...scaling, inverseStd: Float64Array.of(1) });
  expect(channels).toBe(2);
  expect(channelNames(table, scaling)).toEqual(["x", "x missing"]);
  expect([...series]).toEqual([0, -0.75, -0.75, 1.25, 0, 0.25, 1, 0, 1, 0, 1, 0]);
});

test("a channel that does not change in training becomes zeros, and a notice says so", () => {
  const windows = windowsOf(column([518.67, 518.67, 518.67, 518.67, 518.68, 500]), { length: 2, stride: 2 });
  const notices: string[] = [];
  const scaling = fitScaling(windows, [0, 1], { tasks: [] }, (notice) => notices.push(notice));
  expect(notices).toEqual(["channel x does not change in the training windows: it becomes zeros"]);
  expect([...examplesOf(windows, [2], scaling).series]).toEqual([0, 0]);
});

test("scaling per condition takes the condition's level out", () => {
  const values = [1, 101, 3, 103, 1, 103, 3, 101];
  const base = tableOf([8], {
    channels: ["x"],
    valueAt: (row) => values[row] ?? 0,
    conditionAt: (row) => row % 2,
    conditionCount: 2,
  });
  const windows = windowsOf(base, { length: 8, stride: 8 });
  const scaling = fitScaling(windows, [0], { tasks: [] });
  expect([...examplesOf(windows, [0], scaling).series]).toEqual([-1, -1, 1, 1, -1, 1, 1, -1]);
  expect(fitScaling(windows, [0], { tasks: [], perCondition: false }).mean[0]).toBe(52);
});

test("a condition without training rows is scaled like all rows together", () => {
  const base = tableOf([4], {
    channels: ["x"],
    valueAt: (row) => [1, 3, 5, 5][row] ?? 0,
    conditionAt: (row) => (row < 2 ? 0 : 1),
    conditionCount: 3,
  });
  const { mean } = fitScaling(windowsOf(base, { length: 2, stride: 2 }), [0], { tasks: [] });
  expect([...mean]).toEqual([2, 2, 2]);
});

test("unlabeled windows have a mask; fully labeled tasks have none", () => {
  const targets = [classTarget("state", [0, NaN_, 1, 1], ["ok", "worn"]), numberTarget("y", [1, 2, 3, 4])];
  const windows = windowsOf(column([1, 2, 3, 4], { targets }), { length: 1, stride: 1 });
  const all = [0, 1, 2, 3];
  const { labels, masks } = examplesOf(windows, all, fitScaling(windows, all, { tasks: ["state", "y"] }));
  expect([...(labels.get(parseTaskId("state")) ?? [])]).toEqual([0, 0, 1, 1]);
  expect([...masks].map(([id, mask]) => [id, [...mask]])).toEqual([["state", [1, 0, 1, 1]]]);
});

test("refuses tasks, channels and classes that are not there, with the nearest name", () => {
  const windows = windowsOf(column([1, 2], { targets: [classTarget("state", [0, 1], ["ok", "worn"])] }), {
    length: 1,
    stride: 1,
  });
  expect(() => fitScaling(windows, [0], { tasks: ["stat"] })).toThrow(
    /expected one of state, received "stat"; did you mean "state"/,
  );
  expect(() => fitScaling(windows, [0], { tasks: [], channels: ["X1"] })).toThrow(
    /channel of the made-up data: expected one of x, received "X1"/,
  );
  expect(() => fitScaling(windows, [], { tasks: [] })).toThrow(/no training window/);
  expect(() => selectWindows(windows, { where: { state: ["wornn"] } })).toThrow(/did you mean "worn"/);
  expect(() => selectWindows(windows, { time: { from: 0.5, to: 0.5 } })).toThrow(/0 ≤ from < to ≤ 1/);
});

test("plants own regimes: by class, by part of every unit's time, by units", () => {
  const targets = [classTarget("cooler", [0, 0, 1, 1, 0, 0, 2, 2], ["3", "20", "100"])];
  const windows = windowsOf(tableOf([4, 4], { targets }), { length: 1, stride: 1 });
  expect(selectWindows(windows, { where: { cooler: [3, "20"] } })).toEqual([0, 1, 2, 3, 4, 5]);
  expect(selectWindows(windows, { time: { from: 0, to: 0.5 } })).toEqual([0, 1, 4, 5]);
  expect(selectWindows(windows, { units: { from: 0.5, to: 1 } })).toEqual([4, 5, 6, 7]);
  expect(selectWindows(windows, { units: ["unit-0"], where: { cooler: [20] } })).toEqual([2, 3]);
});

test("a site's training and test windows are its own part of the common split", () => {
  const values = Array.from({ length: 120 }, (_, row) => (row * 7) % 11);
  const targets = [
    classTarget(
      "half",
      values.map((_, row) => (row < 60 ? 0 : 1)),
      ["first", "second"],
    ),
  ];
  const windows = windowsOf(column(values, { targets }), { length: 3, stride: 3 });
  const split = splitByBlocks(windows, { blockLength: 4, testShare: 0.25, rng: createRng(2) });
  const site = siteSeries(windows, split, { where: { half: ["second"] }, tasks: ["half"] });
  expect(site.trainWindows.every((w) => w >= 20 && split.side[w] === TRAIN_SIDE)).toBe(true);
  expect(site.testWindows.every((w) => w >= 20 && split.side[w] === TEST_SIDE)).toBe(true);
  expect([site.train.count, site.test.count]).toEqual([site.trainWindows.length, site.testWindows.length]);
  expect(site.train.count + site.test.count).toBe(20);
  const mean = site.train.series.reduce((sum, value) => sum + value, 0) / site.train.series.length;
  expect(Math.abs(mean)).toBeLessThan(1e-6);
});

test("gaps of training rows are filled from training rows only, those of test rows from both", () => {
  const blocks = (ofTest: number) => [1, 3, ofTest, NaN_, NaN_, 5];
  const targets = [classTarget("state", [0, 1, 0, 1, 0, 1], ["ok", "worn"])];
  const [one, other] = [7, 700].map((ofTest) => {
    const windows = windowsOf(column(blocks(ofTest), { targets }), { length: 1, stride: 1 });
    const split = { side: Uint8Array.of(0, 0, 1, 1, 0, 0), block: new Int32Array(6), blockCount: 1, notices: [] };
    return siteSeries(windows, split, { tasks: ["state"] });
  });
  expect(one?.scaling.mean[0]).toBe((1 + 3 + 3 + 5) / 4);
  expect(other?.scaling).toEqual(one?.scaling);
  expect(other?.train.series).toEqual(one?.train.series);
  expect(one?.test.series[1]).toBe(one?.test.series[0]);
});

test("a large number that changes little is scaled with all its digits", () => {
  const values = Float64Array.of(1e9, 1e9 + 1, 1e9, 1e9 + 1);
  const windows = windowsOf({ ...tableOf([4], { channels: ["x"] }), values }, { length: 1, stride: 1 });
  expect([...examplesOf(windows, [0, 1], fitScaling(windows, [0, 1], { tasks: [] })).series]).toEqual([-1, 1]);
});

test("says when all test windows of a site have one class", () => {
  const targets = [classTarget("state", [0, 1, 0, 1, 1, 1], ["ok", "worn"])];
  const windows = windowsOf(column([1, 2, 3, 4, 5, 6], { targets }), { length: 1, stride: 1 });
  const split = { side: Uint8Array.of(0, 0, 0, 0, 1, 1), block: new Int32Array(6), blockCount: 1, notices: [] };
  const notices: string[] = [];
  siteSeries(windows, split, { tasks: ["state"] }, (notice) => notices.push(notice));
  expect(notices).toEqual([expect.stringMatching(/^task state: every test window is of class worn/)]);
});

test("windows end at the last row of each unit; lastWindows keeps one per unit", () => {
  const windows = windowsOf(tableOf([5, 2, 4]), { length: 3, stride: 2 });
  expect([...windows.start]).toEqual([0, 2, 8]);
  expect([...windows.position]).toEqual([0, 1, 0]);
  expect([...lastWindows(windows).start]).toEqual([2, 8]);
  expect(() => windowsOf(tableOf([2]), { length: 3, stride: 1 })).toThrow(/window length 3: no stretch/);
});
