/**
 * Condition monitoring of a hydraulic test rig: 2,205 load cycles of 60 s, 17 sensors, five targets.
 * N. Helwig, E. Pignanelli, A. Schütze, "Condition Monitoring of a Complex Hydraulic System Using Multivariate Statistics",
 * I2MTC 2015, doi:10.1109/I2MTC.2015.7151267; UCI 447, CC BY 4.0.
 *
 * The table has 60 rows per cycle, one per second; each cycle is a segment of the one unit `rig`, so windows of length 60 and
 * stride 60 are the cycles, in the order of the experiment. Conditions change in runs of 10 cycles and more, and temperatures
 * drift: split by blocks, never at random.
 *
 * Files `<sensor>.txt`, plain or `.gz`, one line per cycle. Sensors that were sampled at 10 Hz (FS) and 100 Hz (PS, EPS) are
 * averaged over each second; a file `<sensor>_1hz_mean.txt` with the averages is taken where it is there.
 *
 * Errors: DATA_FOLDER_MISSING, DATA_MALFORMED, FILE_UNREADABLE.
 */
import { parseTaskId } from "@kumiai/params";
import { findDataFile, folderMissing, malformed, type PublicData, readNumberRows } from "./read-numbers.js";
import type { SeriesTable, SeriesTarget } from "./types.js";

export const HYDRAULIC_DATA: PublicData = {
  name: "hydraulic",
  source: "UCI 447, https://archive.ics.uci.edu/dataset/447",
};

/** Rows per cycle: seconds. */
export const HYDRAULIC_CYCLE_LENGTH = 60;

/** [name, samples per second in the original file] */
const SENSORS: readonly (readonly [name: string, rate: number])[] = [
  ...["TS1", "TS2", "TS3", "TS4", "VS1", "CE", "CP", "SE"].map((name) => [name, 1] as const),
  ...["FS1", "FS2"].map((name) => [name, 10] as const),
  ...["PS1", "PS2", "PS3", "PS4", "PS5", "PS6", "EPS1"].map((name) => [name, 100] as const),
];

export const HYDRAULIC_CHANNELS: readonly string[] = SENSORS.map(([name]) => name);

interface Condition {
  readonly id: string;
  readonly summary: string;
  /** Values in profile.txt, in the order of the classes. */
  readonly classes: readonly number[];
}

const CONDITIONS: readonly Condition[] = [
  { id: "cooler", summary: "cooler condition, % of full efficiency", classes: [3, 20, 100] },
  { id: "valve", summary: "valve condition, % of optimal switching", classes: [73, 80, 90, 100] },
  { id: "pump", summary: "internal pump leakage: none, weak, severe", classes: [0, 1, 2] },
  { id: "accumulator", summary: "gas pressure of the accumulator, bar", classes: [90, 100, 115, 130] },
  { id: "stable", summary: "1 where static conditions were perhaps not reached yet", classes: [0, 1] },
];

export interface LoadFolderOptions {
  /** What the user would change to name another folder; said when files are missing. Default: "the data folder". */
  readonly setting?: string;
}

export async function loadHydraulic(folder: string, options: LoadFolderOptions = {}): Promise<SeriesTable> {
  const { profile, sensors } = await locate(folder, options.setting ?? "the data folder");
  const conditions = await readProfile(profile);
  const cycleCount = conditions.length / CONDITIONS.length;
  const rowCount = cycleCount * HYDRAULIC_CYCLE_LENGTH;
  const values = new Float32Array(rowCount * SENSORS.length);
  for (const [channel, file] of sensors.entries()) {
    await readSensorInto(values, file, channel, cycleCount);
  }
  return {
    name: HYDRAULIC_DATA.name,
    rowCount,
    channels: HYDRAULIC_CHANNELS,
    values,
    targets: CONDITIONS.map((condition, column) => targetOf(condition, column, conditions, rowCount)),
    units: ["rig"],
    unitOf: new Int32Array(rowCount),
    segmentOf: Int32Array.from({ length: rowCount }, (_, row) => Math.floor(row / HYDRAULIC_CYCLE_LENGTH)),
    time: Float64Array.from({ length: rowCount }, (_, row) => row),
    conditionCount: 1,
  };
}

interface SensorFile {
  readonly path: string;
  /** Values per second in this file. */
  readonly rate: number;
}

async function locate(folder: string, setting: string): Promise<{ profile: string; sensors: readonly SensorFile[] }> {
  const missing: string[] = [];
  const profile = await findDataFile(folder, "profile.txt");
  if (profile === undefined) missing.push("profile.txt");
  const sensors: SensorFile[] = [];
  for (const [name, rate] of SENSORS) {
    const mean = rate === 1 ? undefined : await findDataFile(folder, `${name}_1hz_mean.txt`);
    const path = mean ?? (await findDataFile(folder, `${name}.txt`));
    if (path === undefined) missing.push(`${name}.txt`);
    else sensors.push({ path, rate: mean === undefined ? rate : 1 });
  }
  if (profile === undefined || missing.length > 0) throw folderMissing(HYDRAULIC_DATA, folder, missing, setting);
  return { profile, sensors };
}

/** [cycles, 5], class indices. */
async function readProfile(path: string): Promise<readonly number[]> {
  const out: number[] = [];
  await readNumberRows(path, CONDITIONS.length, (row, cycle) => {
    CONDITIONS.forEach(({ id, classes }, column) => {
      const value = row[column] ?? Number.NaN;
      const index = classes.indexOf(value);
      if (index < 0) {
        throw malformed(
          `${path}: row ${cycle + 1}: column ${column + 1} (${id})`,
          `one of ${classes.join(", ")}`,
          `${value}`,
        );
      }
      out.push(index);
    });
  });
  if (out.length === 0) throw malformed(path, "one row per cycle", "an empty file");
  return out;
}

async function readSensorInto(
  values: Float32Array,
  file: SensorFile,
  channel: number,
  cycleCount: number,
): Promise<void> {
  const { path, rate } = file;
  const width = HYDRAULIC_CHANNELS.length;
  const rows = await readNumberRows(path, HYDRAULIC_CYCLE_LENGTH * rate, (row, cycle) => {
    if (cycle >= cycleCount) return;
    for (let second = 0; second < HYDRAULIC_CYCLE_LENGTH; second++) {
      let sum = 0;
      for (let i = 0; i < rate; i++) sum += row[second * rate + i] ?? 0;
      values[(cycle * HYDRAULIC_CYCLE_LENGTH + second) * width + channel] = sum / rate;
    }
  });
  if (rows !== cycleCount) throw malformed(path, `${cycleCount} rows, as in profile.txt`, `${rows}`);
}

function targetOf(condition: Condition, column: number, conditions: readonly number[], rowCount: number): SeriesTarget {
  const values = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const cycle = Math.floor(row / HYDRAULIC_CYCLE_LENGTH);
    values[row] = conditions[cycle * CONDITIONS.length + column] ?? Number.NaN;
  }
  const binary = condition.id === "stable";
  return {
    id: parseTaskId(condition.id),
    label: binary ? { kind: "mask" } : { kind: "classes", classCount: condition.classes.length },
    summary: condition.summary,
    metric: binary ? "auroc" : "macro-f1",
    classNames: condition.classes.map(String),
    values,
  };
}
