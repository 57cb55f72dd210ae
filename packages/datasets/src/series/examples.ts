import type { TaskId } from "@kumiai/params";
import { sharedFloats } from "../scenes/compose.js";
import { fillForward, rowsIn } from "./fill.js";
import { fitScaling, type ScalingOptions, type SeriesScaling } from "./scaling.js";
import { getTarget, type SeriesSelection, selectWindows } from "./select.js";
import { type SeriesSplit, TEST_SIDE, TRAIN_SIDE } from "./split.js";
import type { OnNotice, SeriesExamples, SeriesTask, SeriesValues, WindowSet } from "./types.js";
import { labelOf } from "./windows.js";

/**
 * The windows `chosen`, in that order, scaled. `windows` may be of another table than the scaling was fitted on. `isTestRow`: as in
 * `ScalingOptions`.
 */
export function examplesOf(
  windows: WindowSet,
  chosen: readonly number[],
  scaling: SeriesScaling,
  isTestRow: Uint8Array = new Uint8Array(windows.table.rowCount),
): SeriesExamples {
  const channels = scaling.channels.length + scaling.indicators.length;
  const { length } = windows;
  const series = sharedFloats(chosen.length * channels * length);
  const filled = fillForward(windows.table, isTestRow);
  chosen.forEach((w, i) => {
    const out = series.subarray(i * channels * length, (i + 1) * channels * length);
    writeWindow(out, windows, windows.start[w] ?? 0, filled, scaling);
  });
  const labels = new Map<TaskId, Uint8Array | Float32Array>();
  const masks = new Map<TaskId, Uint8Array>();
  for (const task of scaling.tasks) {
    const { values, mask } = labelsOf(windows, chosen, task);
    labels.set(task.id, values);
    if (mask.includes(0)) masks.set(task.id, mask);
  }
  return { count: chosen.length, channels, length, series, labels, masks };
}

/** [channels, length] */
function writeWindow(
  out: Float32Array,
  { table, length }: WindowSet,
  start: number,
  filled: SeriesValues,
  scaling: SeriesScaling,
): void {
  const width = table.channels.length;
  const ownCount = scaling.channels.length;
  for (let t = 0; t < length; t++) {
    const row = start + t;
    const condition = scaling.conditionCount > 1 ? (table.conditionOf?.[row] ?? 0) : 0;
    for (let c = 0; c < ownCount; c++) {
      const value = filled[row * width + (scaling.channels[c] ?? 0)] ?? Number.NaN;
      const at = condition * ownCount + c;
      const scaled = (value - (scaling.mean[at] ?? 0)) * (scaling.inverseStd[at] ?? 0);
      // Nothing known before, or a channel made of zeros (which would be −0 below its mean).
      out[c * length + t] = Number.isNaN(scaled) || scaled === 0 ? 0 : scaled;
    }
    scaling.indicators.forEach((column, k) => {
      out[(ownCount + k) * length + t] = Number.isNaN(table.values[row * width + column]) ? 1 : 0;
    });
  }
}

interface TaskLabels {
  readonly values: Uint8Array | Float32Array;
  readonly mask: Uint8Array;
}

function labelsOf(windows: WindowSet, chosen: readonly number[], task: SeriesTask): TaskLabels {
  const target = getTarget(windows.table, task.id);
  const count = chosen.length;
  const values = task.label.kind === "scalar" ? sharedFloats(count) : new Uint8Array(new SharedArrayBuffer(count));
  const mask = new Uint8Array(new SharedArrayBuffer(count));
  chosen.forEach((w, i) => {
    const value = labelOf(windows, target, w);
    if (Number.isNaN(value)) return;
    mask[i] = 1;
    values[i] = (value - task.offset) / task.scale;
  });
  return { values, mask };
}

/** A site's part of a data set. */
export interface SiteSeriesOptions extends SeriesSelection, Omit<ScalingOptions, "isTestRow"> {
  /** Where the test windows come from, if not from the windows that are split: an official test set. All of them are taken. */
  readonly official?: WindowSet;
}

export interface SiteSeries {
  readonly train: SeriesExamples;
  readonly test: SeriesExamples;
  /** Indices of the windows, for reports and for checks that nothing leaks. */
  readonly trainWindows: readonly number[];
  readonly testWindows: readonly number[];
  readonly tasks: readonly SeriesTask[];
  readonly scaling: SeriesScaling;
}

/**
 * What one site trains and tests on. All sites of a data set must be given the same `split`, so that no site trains on what
 * another one is tested on. Throws INVALID_CONFIG, UNKNOWN_TASK.
 */
export function siteSeries(
  windows: WindowSet,
  split: SeriesSplit,
  options: SiteSeriesOptions,
  onNotice: OnNotice = () => {},
): SiteSeries {
  const selected = selectWindows(windows, options);
  const trainWindows = selected.filter((w) => split.side[w] === TRAIN_SIDE);
  const { official } = options;
  const testSource = official ?? windows;
  const testWindows =
    official === undefined
      ? selected.filter((w) => split.side[w] === TEST_SIDE)
      : Array.from({ length: official.count }, (_, w) => w);
  // Of all sites: another plant's test windows may lie between this one's training windows.
  const isTestRow = rowsIn(
    windows,
    [...split.side.keys()].filter((w) => split.side[w] === TEST_SIDE),
  );
  const scaling = fitScaling(windows, trainWindows, { ...options, isTestRow }, onNotice);
  if (testWindows.length === 0) onNotice("no test window is selected: choose more of the data or shorter blocks");
  const train = examplesOf(windows, trainWindows, scaling, isTestRow);
  const test = examplesOf(testSource, testWindows, scaling, official === undefined ? isTestRow : undefined);
  for (const task of scaling.tasks) {
    if (testWindows.length > 0) reportTestLabels(task, test, onNotice);
  }
  return {
    train,
    test,
    trainWindows,
    testWindows,
    tasks: scaling.tasks,
    scaling,
  };
}

/** Where all test windows have one label AUROC is not defined, and other scores say little. */
function reportTestLabels(
  { id, label, classNames, metric }: SeriesTask,
  test: SeriesExamples,
  onNotice: OnNotice,
): void {
  const labels = test.labels.get(id);
  const mask = test.masks.get(id);
  const seen = new Set(labels?.filter((_, i) => mask === undefined || mask[i] === 1));
  const advice = "choose more of the data, shorter strides, or another seed";
  if (seen.size === 0)
    onNotice(`task ${id}: no test window has a label, so it has no score and is left out of Δ%; ${advice}`);
  else if (seen.size === 1 && label.kind !== "scalar") {
    const effect = metric === "auroc" ? "AUROC has no value and the task is left out of Δ%" : "its score says little";
    onNotice(`task ${id}: every test window is of class ${classNames[[...seen][0] ?? 0]}, so ${effect}; ${advice}`);
  }
}
