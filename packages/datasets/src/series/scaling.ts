/**
 * Scaling of a site's series, fitted on its training windows only.
 *
 *   x̂ = (x − mean) / std    per channel, and per operating condition where the table knows several
 *   ŷ = (y − offset) / scale per target that is a number
 *
 * A row that lies in several windows counts once. Gaps are filled (fill.ts); where nothing came before, a missing value is the mean of
 * the training rows, which is 0 after scaling. A channel that does not change in training becomes zeros: its noise
 * in the test windows would otherwise be divided by nothing. Sums in f64; two passes.
 */
import { KumiaiError, type TaskId } from "@kumiai/params";
import { fillForward, rowsIn } from "./fill.js";
import { getTarget, unknownName } from "./select.js";
import type { OnNotice, SeriesTable, SeriesTarget, SeriesTask, SeriesValues, WindowSet } from "./types.js";
import { labelOf } from "./windows.js";

export interface ScalingOptions {
  /** Channels of the site, by name and in this order. Default: all of the table. */
  readonly channels?: readonly string[];
  /** The site's tasks: ids of targets. */
  readonly tasks: readonly (TaskId | string)[];
  /** Scale channels within each operating condition. Default: true where the table knows several. */
  readonly perCondition?: boolean;
  /** One more channel, 1 where a value was missing, for every channel with gaps in training. Default: false. */
  readonly missingIndicators?: boolean;
  /** [rows], 1 where a row lies in a test window: nothing is filled from it into training. Default: none does. */
  readonly isTestRow?: Uint8Array;
}

/** Plain data: what it takes to make examples for a site from any windows of tables with the same channels. */
export interface SeriesScaling {
  /** Columns of the table. */
  readonly channels: readonly number[];
  /** Columns of the table that have an indicator channel after all others. */
  readonly indicators: readonly number[];
  readonly conditionCount: number;
  /** [conditions, channels] */
  readonly mean: Float64Array;
  /** [conditions, channels], 1 / std; 0 makes zeros of the channel. */
  readonly inverseStd: Float64Array;
  readonly tasks: readonly SeriesTask[];
}

/** Names of the channels of examples, indicators last. */
export function channelNames(table: SeriesTable, scaling: SeriesScaling): readonly string[] {
  const nameOf = (column: number): string => table.channels[column] ?? "";
  return [...scaling.channels.map(nameOf), ...scaling.indicators.map((column) => `${nameOf(column)} missing`)];
}

/** Throws INVALID_CONFIG, UNKNOWN_TASK. */
export function fitScaling(
  windows: WindowSet,
  training: readonly number[],
  options: ScalingOptions,
  onNotice: OnNotice = () => {},
): SeriesScaling {
  const { table } = windows;
  if (training.length === 0) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `no training window of the ${table.name} data is left, all lie in test blocks or too near to one; select more of it, or choose shorter windows or blocks`,
    );
  }
  const channels = (options.channels ?? table.channels).map((name) => columnOf(table, name));
  const perCondition = options.perCondition ?? table.conditionCount > 1;
  const conditionCount = perCondition ? table.conditionCount : 1;
  const rows = [...rowsIn(windows, training).entries()].flatMap(([row, isIn]) => (isIn === 1 ? [row] : []));
  const filled = fillForward(table, options.isTestRow ?? new Uint8Array(table.rowCount));
  const mean = new Float64Array(conditionCount * channels.length);
  const inverseStd = new Float64Array(conditionCount * channels.length);
  channels.forEach((column, c) => {
    const fits = fitChannel(filled, table, column, rows, conditionCount);
    if (fits.every((fit) => fit.inverseStd === 0)) {
      const where = conditionCount > 1 ? "within any operating condition of" : "in";
      onNotice(`channel ${table.channels[column]} does not change ${where} the training windows: it becomes zeros`);
    }
    fits.forEach((fit, condition) => {
      mean[condition * channels.length + c] = fit.mean;
      inverseStd[condition * channels.length + c] = fit.inverseStd;
    });
  });
  const width = table.channels.length;
  const hasGaps = (column: number): boolean => rows.some((row) => Number.isNaN(table.values[row * width + column]));
  return {
    channels,
    indicators: options.missingIndicators === true ? channels.filter(hasGaps) : [],
    conditionCount,
    mean,
    inverseStd,
    tasks: options.tasks.map((id) => fitTask(windows, training, getTarget(table, id), onNotice)),
  };
}

function columnOf(table: SeriesTable, name: string): number {
  const column = table.channels.indexOf(name);
  if (column < 0) throw unknownName("INVALID_CONFIG", `channel of the ${table.name} data`, name, table.channels);
  return column;
}

interface ChannelFit {
  readonly mean: number;
  readonly inverseStd: number;
}

/** One fit per condition; a condition without training rows takes the fit of all rows. */
function fitChannel(
  filled: SeriesValues,
  table: SeriesTable,
  column: number,
  rows: readonly number[],
  conditionCount: number,
): readonly ChannelFit[] {
  const width = table.channels.length;
  const valueAt = (row: number): number => filled[row * width + column] ?? Number.NaN;
  const known = rows.filter((row) => !Number.isNaN(valueAt(row)));
  const ofAll = fitValues(known.map(valueAt));
  if (conditionCount === 1) return [ofAll];
  return Array.from({ length: conditionCount }, (_, condition) => {
    const own = known.filter((row) => table.conditionOf?.[row] === condition);
    return own.length === 0 ? ofAll : fitValues(own.map(valueAt));
  });
}

function fitValues(values: readonly number[]): ChannelFit {
  const [first] = values;
  if (first === undefined) return { mean: 0, inverseStd: 0 };
  if (values.every((value) => value === first)) return { mean: first, inverseStd: 0 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, inverseStd: 1 / Math.sqrt(variance) };
}

function fitTask(
  windows: WindowSet,
  training: readonly number[],
  target: SeriesTarget,
  onNotice: OnNotice,
): SeriesTask {
  const known = training.map((w) => labelOf(windows, target, w)).filter((value) => !Number.isNaN(value));
  const [first] = known;
  if (first === undefined) {
    throw new KumiaiError("INVALID_CONFIG", `task ${target.id}: no training window has a label; select other windows`);
  }
  const { mean, inverseStd } = fitValues(known);
  if (inverseStd === 0) {
    const value = target.classNames[first] ?? String(first);
    onNotice(`task ${target.id}: every training window has the same label, ${value}; nothing can be learned from it`);
  }
  const { id, label, summary, metric, classNames } = target;
  const isNumber = label.kind === "scalar";
  const scale = isNumber && inverseStd > 0 ? 1 / inverseStd : 1;
  return { id, label, summary, metric, classNames, scale, offset: isNumber ? mean : 0 };
}
