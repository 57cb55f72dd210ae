import { KumiaiError } from "@kumiai/params";
import type { SeriesTable, SeriesTarget, WindowSet } from "./types.js";

export interface WindowOptions {
  /** Rows of a window. */
  readonly length: number;
  /** Rows from one window's start to the next. */
  readonly stride: number;
}

/**
 * Every window of a table. In each segment windows are laid from its last row backwards, so that the latest state of a machine
 * is always the end of a window; what is left over is at the segment's start. Segments shorter than a window have none.
 * Throws INVALID_CONFIG.
 */
export function windowsOf(table: SeriesTable, options: WindowOptions): WindowSet {
  const { length, stride } = options;
  requireWhole("window length", length);
  requireWhole("window stride", stride);
  const start: number[] = [];
  const { segmentOf, rowCount } = table;
  for (let first = 0; first < rowCount; ) {
    let end = first + 1;
    while (end < rowCount && segmentOf[end] === segmentOf[first]) end++;
    for (let at = first + ((end - first - length) % stride); at + length <= end && at >= first; at += stride)
      start.push(at);
    first = end;
  }
  if (start.length === 0) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `window length ${length}: no stretch of the ${table.name} data is that long; choose a shorter window`,
    );
  }
  return withPositions(table, options, Int32Array.from(start));
}

function withPositions(table: SeriesTable, { length, stride }: WindowOptions, start: Int32Array): WindowSet {
  const unit = start.map((row) => table.unitOf[row] ?? 0);
  const position = new Int32Array(start.length);
  for (let w = 1; w < start.length; w++) {
    position[w] = unit[w] === unit[w - 1] ? (position[w - 1] ?? 0) + 1 : 0;
  }
  return { table, count: start.length, length, stride, start, unit, position };
}

/** The target's value at the last row of a window; NaN where it is not known. */
export function labelOf(windows: WindowSet, target: SeriesTarget, window: number): number {
  return target.values[(windows.start[window] ?? 0) + windows.length - 1] ?? Number.NaN;
}

export function requireWhole(name: string, value: number, low = 1): void {
  if (!Number.isSafeInteger(value) || value < low) {
    throw new KumiaiError("INVALID_CONFIG", `${name}: expected a whole number of ${low} or more, received ${value}`);
  }
}

export function requireShare(name: string, value: number): void {
  if (!(value > 0 && value < 1)) {
    throw new KumiaiError("INVALID_CONFIG", `${name}: expected a number between 0 and 1, received ${value}`);
  }
}

/** Only the last window of each unit, e.g. of engines of an official test set. */
export function lastWindows(windows: WindowSet): WindowSet {
  const isLast = (w: number): boolean => windows.unit[w] !== windows.unit[w + 1];
  const chosen = Array.from({ length: windows.count }, (_, w) => w).filter(isLast);
  const pick = (values: Int32Array): Int32Array => Int32Array.from(chosen, (w) => values[w] ?? 0);
  const { start, unit, position } = windows;
  return { ...windows, count: chosen.length, start: pick(start), unit: pick(unit), position: pick(position) };
}
