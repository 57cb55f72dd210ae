/**
 * Gaps of a table, filled: a missing value is the last one before it in its segment, NaN where there is none. What was measured in a test
 * row is not taken into a training row, as a site that trains does not have it; test rows take from both.
 */
import type { SeriesTable, SeriesValues, WindowSet } from "./types.js";

/** [rows], 1 where the row lies in one of the windows `chosen`. */
export function rowsIn({ table, start, length }: WindowSet, chosen: Iterable<number>): Uint8Array {
  const isIn = new Uint8Array(table.rowCount);
  for (const w of chosen) isIn.fill(1, start[w] ?? 0, (start[w] ?? 0) + length);
  return isIn;
}

interface Fill {
  readonly isTestRow: Uint8Array;
  readonly filled: SeriesValues;
}

/** Sites that share a table and its test rows share its copy without gaps. */
const latestFills = new WeakMap<SeriesTable, Fill>();

/** The table's values [rows, channels] without gaps; the values themselves where there are none. `isTestRow`: [rows]. */
export function fillForward(table: SeriesTable, isTestRow: Uint8Array): SeriesValues {
  const latest = latestFills.get(table);
  if (latest !== undefined && Buffer.compare(latest.isTestRow, isTestRow) === 0) return latest.filled;
  const filled = table.values.some(Number.isNaN) ? filledFrom(table, isTestRow) : table.values;
  latestFills.set(table, { isTestRow, filled });
  return filled;
}

function filledFrom({ values, segmentOf, rowCount, channels }: SeriesTable, isTestRow: Uint8Array): SeriesValues {
  const width = channels.length;
  const out = values.slice();
  /** Rows that gaps are filled from: of any row so far, and of the rows so far that are not for testing. */
  const last = new Int32Array(width).fill(-1);
  const lastInTraining = new Int32Array(width).fill(-1);
  for (let row = 0; row < rowCount; row++) {
    if (row > 0 && segmentOf[row] !== segmentOf[row - 1]) {
      last.fill(-1);
      lastInTraining.fill(-1);
    }
    const isTest = isTestRow[row] === 1;
    const known = isTest ? last : lastInTraining;
    for (let c = 0; c < width; c++) {
      const at = row * width + c;
      if (Number.isNaN(values[at])) out[at] = values[(known[c] ?? -1) * width + c] ?? Number.NaN;
      else {
        last[c] = row;
        if (!isTest) lastInTraining[c] = row;
      }
    }
  }
  return out;
}
