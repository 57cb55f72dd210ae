import type { SeriesTable } from "./types.js";

export interface SuggestedWindows {
  readonly length: number;
  readonly stride: number;
  readonly blockLength: number;
  readonly gap: number;
  /** A step in time that is far longer than usual, where there are some; in the unit of the time. */
  readonly maxTimeStep?: number;
}

/** Steps beyond this many usual ones are breaks. */
const BREAK = 10;
/** Windows of a starter config, at most about so many: enough to learn from, few enough to wait for. */
const MANY_WINDOWS = 3000;
const BLOCKS = 30;
const UNIT_BLOCKS = 4;
const MANY_UNITS = 20;
/** Windows that the rarest class should have. */
const RARE = 30;

/**
 * Windows and blocks to start with: a window of up to 64 rows, at most an eighth of a usual stretch; strides of a quarter of it, down to an
 * eighth where a class is rare, longer where there would be very many windows; about 30 blocks, each twice as long as what is lost at a border,
 * but four in a usual unit, unless there are so many units that they can be split whole.
 */
export function suggestWindows(table: SeriesTable, hasTime: boolean): SuggestedWindows {
  const maxTimeStep = hasTime ? breakStep(table) : undefined;
  const stretch = median(stretches(table, maxTimeStep ?? Number.POSITIVE_INFINITY));
  const length = [64, 48, 32, 24, 16, 12, 8, 6, 4, 2].find((rows) => rows * 8 <= stretch) ?? 1;
  const short = Math.max(length / 8, Math.min(length / 4, rarestCount(table) / RARE));
  const stride = Math.max(1, Math.floor(short), Math.ceil(table.rowCount / MANY_WINDOWS));
  const overlap = Math.ceil(length / stride) - 1;
  const windowCount = table.rowCount / stride;
  const longest = Math.max(3 * overlap, Math.floor(windowCount / BLOCKS));
  const most = table.units.length < MANY_UNITS ? Math.floor(windowCount / table.units.length / UNIT_BLOCKS) : longest;
  const blockLength = Math.max(1, Math.min(longest, most));
  return { length, stride, blockLength, gap: overlap, ...(maxTimeStep !== undefined && { maxTimeStep }) };
}

/** Rows of the class that has the fewest. */
function rarestCount(table: SeriesTable): number {
  const counts = table.targets.flatMap(({ classNames, values }) =>
    classNames.map((_, index) => values.reduce((sum, value) => sum + (value === index ? 1 : 0), 0)),
  );
  return Math.min(table.rowCount, ...counts.filter((count) => count > 0));
}

/** A limit for steps in time, if some are so long that the machine must have stood still. */
function breakStep(table: SeriesTable): number | undefined {
  const steps = stepsOf(table).filter((step) => step > 0);
  const limit = BREAK * median(steps);
  return steps.some((step) => step > limit) ? limit : undefined;
}

function stepsOf({ time, unitOf, rowCount }: SeriesTable): readonly number[] {
  return Array.from({ length: rowCount }, (_, row) =>
    row > 0 && unitOf[row] === unitOf[row - 1] ? (time[row] ?? 0) - (time[row - 1] ?? 0) : 0,
  );
}

/** Rows between breaks. */
function stretches(table: SeriesTable, maxTimeStep: number): readonly number[] {
  const steps = stepsOf(table);
  const lengths: number[] = [];
  for (let row = 0; row < table.rowCount; row++) {
    const goesOn = row > 0 && table.unitOf[row] === table.unitOf[row - 1] && (steps[row] ?? 0) <= maxTimeStep;
    if (goesOn) lengths[lengths.length - 1] = (lengths.at(-1) ?? 0) + 1;
    else lengths.push(1);
  }
  return lengths;
}

/** The lower of the two in the middle. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}
