/**
 * Turbofan engines that run until they fail (NASA C-MAPSS, subsets FD001 to FD004): one row per flight, 21 sensors.
 * A. Saxena, K. Goebel, D. Simon, N. Eklund, "Damage Propagation Modeling for Aircraft Engine Run-to-Failure Simulation",
 * PHM08, Denver, 2008. Simulator output; US-government data.
 *
 * Targets of a row:
 *   rul     flights left, at most 125: before that, wear cannot be seen (the usual cap, Heimes, PHM08)
 *   health  flights left in three classes: above 125 `healthy`, 50 to 125 `worn`, below 50 `critical`
 *
 * FD002 and FD004 fly under six conditions (altitude 0, 10, 20, 25, 35, 42 thousand feet), which move the sensors far more
 * than wear does: scale them per condition. Units are engines; split by units, as flights of one engine are alike.
 *
 * Part `train`: `train_FD00x.txt`, engines up to their failure. Part `test`: `test_FD00x.txt`, cut off before it, with the flights
 * left after the last row in `RUL_FD00x.txt`; the published scores use the last window of each of these engines.
 *
 * Errors: DATA_FOLDER_MISSING, DATA_MALFORMED, FILE_UNREADABLE.
 */
import { parseTaskId } from "@kumiai/params";
import type { LoadFolderOptions } from "./hydraulic.js";
import { findDataFile, folderMissing, malformed, type PublicData, readNumberRows } from "./read-numbers.js";
import type { SeriesTable, SeriesTarget } from "./types.js";

export const CMAPSS_DATA: PublicData = {
  name: "C-MAPSS",
  source: 'the NASA Prognostics Data Repository, https://data.nasa.gov/, "CMAPSS Jet Engine Simulated Data"',
};

export const CMAPSS_SUBSETS = ["FD001", "FD002", "FD003", "FD004"] as const;
export type CmapssSubset = (typeof CMAPSS_SUBSETS)[number];

export const RUL_CAP = 125;
/** Below this many flights left an engine is `critical`. */
export const CRITICAL_RUL = 50;

const SENSORS = "T2 T24 T30 T50 P2 P15 P30 Nf Nc epr Ps30 phi NRf NRc BPR farB htBleed Nf_dmd PCNfR_dmd W31 W32".split(
  " ",
);
const SETTINGS = ["altitude", "mach", "throttle"];
const COLUMN_COUNT = 2 + SETTINGS.length + SENSORS.length;
const ALTITUDES = [0, 10, 20, 25, 35, 42];

export interface LoadCmapssOptions extends LoadFolderOptions {
  readonly part?: "train" | "test";
  /** Also the three operational settings as channels `altitude`, `mach`, `throttle`. Default: false. */
  readonly settings?: boolean;
}

export async function loadCmapss(
  folder: string,
  subset: CmapssSubset,
  options: LoadCmapssOptions = {},
): Promise<SeriesTable> {
  const { part = "train", settings = false } = options;
  const names = part === "train" ? [`train_${subset}.txt`] : [`test_${subset}.txt`, `RUL_${subset}.txt`];
  const found = await Promise.all(names.map((name) => findDataFile(folder, name)));
  const missing = names.filter((_, i) => found[i] === undefined);
  const [path, rulPath] = found;
  if (path === undefined || missing.length > 0) {
    throw folderMissing(CMAPSS_DATA, folder, missing, options.setting ?? "the data folder");
  }
  const flights = await readFlights(path);
  const left = rulPath === undefined ? flights.units.map(() => 0) : await readLeft(rulPath, flights.units.length);
  const channels = settings ? [...SENSORS, ...SETTINGS] : SENSORS;
  const columns = channels.map((name) =>
    SENSORS.includes(name) ? 5 + SENSORS.indexOf(name) : 2 + SETTINGS.indexOf(name),
  );
  const rowCount = flights.unitOf.length;
  const values = new Float32Array(rowCount * channels.length);
  for (let row = 0; row < rowCount; row++) {
    columns.forEach((column, c) => {
      values[row * channels.length + c] = flights.cells[row * COLUMN_COUNT + column] ?? Number.NaN;
    });
  }
  const manyConditions = subset === "FD002" || subset === "FD004";
  const unitOf = Int32Array.from(flights.unitOf);
  return {
    name: `${CMAPSS_DATA.name} ${subset} ${part}`,
    rowCount,
    channels,
    values,
    targets: targetsOf(flights, left),
    units: flights.units,
    unitOf,
    segmentOf: unitOf,
    time: flights.time,
    ...(manyConditions && { conditionOf: conditionsOf(flights) }),
    conditionCount: manyConditions ? ALTITUDES.length : 1,
  };
}

interface Flights {
  /** [rows, 26] */
  readonly cells: readonly number[];
  readonly units: readonly string[];
  readonly unitOf: readonly number[];
  readonly time: Float64Array;
}

async function readFlights(path: string): Promise<Flights> {
  const cells: number[] = [];
  const units: string[] = [];
  const unitOf: number[] = [];
  await readNumberRows(path, COLUMN_COUNT, (row, index) => {
    const [unit = 0, time = 0] = row;
    const previous = cells[(index - 1) * COLUMN_COUNT];
    const expectedTime = unit === previous ? (cells[(index - 1) * COLUMN_COUNT + 1] ?? 0) + 1 : 1;
    if (unit !== previous) {
      if (unit !== units.length + 1)
        throw malformed(`${path}: row ${index + 1}: column 1`, `unit ${units.length + 1}`, `${unit}`);
      units.push(`engine-${unit}`);
    }
    if (time !== expectedTime)
      throw malformed(`${path}: row ${index + 1}: column 2`, `cycle ${expectedTime}`, `${time}`);
    unitOf.push(units.length - 1);
    for (const value of row) cells.push(value);
  });
  if (units.length === 0) throw malformed(path, "one row per flight", "an empty file");
  return { cells, units, unitOf, time: Float64Array.from(unitOf, (_, row) => cells[row * COLUMN_COUNT + 1] ?? 0) };
}

/** Flights left after the last row of each engine. */
async function readLeft(path: string, unitCount: number): Promise<readonly number[]> {
  const left: number[] = [];
  await readNumberRows(path, 1, ([value = 0], row) => {
    if (!Number.isSafeInteger(value) || value < 0)
      throw malformed(`${path}: row ${row + 1}`, "a count of cycles", `${value}`);
    left.push(value);
  });
  if (left.length !== unitCount)
    throw malformed(path, `${unitCount} rows, one per engine of the test file`, `${left.length}`);
  return left;
}

function targetsOf(flights: Flights, left: readonly number[]): readonly SeriesTarget[] {
  const last = new Float64Array(flights.units.length);
  flights.unitOf.forEach((unit, row) => {
    last[unit] = flights.time[row] ?? 0;
  });
  const rul = Float64Array.from(
    flights.unitOf,
    (unit, row) => (last[unit] ?? 0) + (left[unit] ?? 0) - (flights.time[row] ?? 0),
  );
  return [
    {
      id: parseTaskId("rul"),
      label: { kind: "scalar" },
      summary: `remaining useful life in flights, at most ${RUL_CAP}`,
      metric: "rmse",
      classNames: [],
      values: rul.map((value) => Math.min(value, RUL_CAP)),
    },
    {
      id: parseTaskId("health"),
      label: { kind: "classes", classCount: 3 },
      summary: `more than ${RUL_CAP} flights left, ${CRITICAL_RUL} to ${RUL_CAP}, fewer than ${CRITICAL_RUL}`,
      metric: "macro-f1",
      classNames: ["healthy", "worn", "critical"],
      values: rul.map((value) => (value > RUL_CAP ? 0 : value >= CRITICAL_RUL ? 1 : 2)),
    },
  ];
}

/** Index of the nearest altitude. */
function conditionsOf({ cells, unitOf }: Flights): Uint8Array {
  return Uint8Array.from(unitOf, (_, row) => {
    const altitude = cells[row * COLUMN_COUNT + 2] ?? 0;
    const distances = ALTITUDES.map((center) => Math.abs(center - altitude));
    return distances.indexOf(Math.min(...distances));
  });
}
