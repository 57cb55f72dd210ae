/**
 * Sensor series: what a table of measurements is, how windows lie in it, and what a site trains and tests on.
 *
 *   rows R      in time order within each unit (a machine, an engine, a rig)
 *   channels C  sensors
 *   length L    rows of one window
 *   windows N   a window is a stretch of L rows inside one segment; its labels are those of its last row
 */
import type { TaskId } from "@kumiai/params";
import type { LabelKind } from "../types.js";

/** How a task is scored unless the scenario says otherwise, by the names that metrics have everywhere. `phm08` is the asymmetric score of remaining useful life. */
export type SeriesMetric = "macro-f1" | "auroc" | "mae" | "rmse" | "phm08";

/** The kinds of labels that a series can have: one class, one yes or no, or one number per window. */
export type SeriesLabelKind = Extract<LabelKind, { readonly kind: "classes" | "mask" | "scalar" }>;

/** One thing that is to be predicted, with its true value for every row. */
export interface SeriesTarget {
  readonly id: TaskId;
  readonly label: SeriesLabelKind;
  /** One line for people. */
  readonly summary: string;
  readonly metric: SeriesMetric;
  /** What class 0, 1, … are called, as a scenario's `where` names them; two names for `mask`, none for `scalar`. */
  readonly classNames: readonly string[];
  /** [rows]: class index, 0 or 1, or a number in real units; NaN where it is not known. */
  readonly values: Float64Array;
}

/** f64 where a file has more digits than f32 holds: a large number that changes little, such as a pressure in Pa. */
export type SeriesValues = Float32Array | Float64Array;

export interface SeriesTable {
  /** For messages, e.g. `hydraulic`. */
  readonly name: string;
  readonly rowCount: number;
  readonly channels: readonly string[];
  /** [rows, channels], in real units; NaN where nothing was measured. */
  readonly values: SeriesValues;
  readonly targets: readonly SeriesTarget[];
  readonly units: readonly string[];
  /** [rows], index into `units`; rows of a unit are contiguous. */
  readonly unitOf: Int32Array;
  /** [rows], 0, 1, …: no window and no filling of gaps crosses from one segment to the next; a segment lies in one unit. */
  readonly segmentOf: Int32Array;
  /** [rows], never falling within a unit. */
  readonly time: Float64Array;
  /** [rows], index of the operating condition, if the table knows several; scaling can be fitted per condition. */
  readonly conditionOf?: Uint8Array;
  readonly conditionCount: number;
}

/** Where windows lie in a table. Values are copied only when examples are made. */
export interface WindowSet {
  readonly table: SeriesTable;
  readonly count: number;
  readonly length: number;
  readonly stride: number;
  /** [count], first row of each window; rising. */
  readonly start: Int32Array;
  /** [count], index into `table.units`. */
  readonly unit: Int32Array;
  /** [count], 0, 1, … in time order within the unit. */
  readonly position: Int32Array;
}

/** A task of a site: a target with the numbers that lead from what a model says back to real units. */
export interface SeriesTask {
  readonly id: TaskId;
  readonly label: SeriesLabelKind;
  readonly summary: string;
  readonly metric: SeriesMetric;
  readonly classNames: readonly string[];
  /** real = label · scale + offset. 1 and 0 unless the label is `scalar`. */
  readonly scale: number;
  readonly offset: number;
}

/** `count` windows of one site, scaled, without missing values. All arrays lie over SharedArrayBuffers. */
export interface SeriesExamples {
  readonly count: number;
  readonly channels: number;
  readonly length: number;
  /** [count, channels, length] */
  readonly series: Float32Array;
  /** Per task [count]: Uint8 for `classes` and `mask`, Float32 (standardized) for `scalar`; 0 where there is no label. */
  readonly labels: ReadonlyMap<TaskId, Uint8Array | Float32Array>;
  /** Per task [count]: 1 labeled, 0 not; only tasks with a window that has no label are here. */
  readonly masks: ReadonlyMap<TaskId, Uint8Array>;
}

/** Told in one sentence what the data do not allow, e.g. a sensor that never changes. */
export type OnNotice = (message: string) => void;
