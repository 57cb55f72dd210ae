import { KumiaiError, nearestWord, type TaskId } from "@kumiai/params";
import type { SeriesTable, SeriesTarget, WindowSet } from "./types.js";
import { labelOf } from "./windows.js";

/** A part of a whole, both in [0, 1], `to` excluded (unless it is 1). */
export interface ShareRange {
  readonly from: number;
  readonly to: number;
}

/** Which windows belong to a plant; conditions are combined with "and". */
export interface SeriesSelection {
  /** By target: the classes (names or values) that the window's label may have, e.g. `{ cooler: [3, 20] }`. */
  readonly where?: Readonly<Record<string, readonly (string | number)[]>>;
  /** Part of each unit's windows in time order: `{ from: 0, to: 0.5 }` is the first half of every unit's life. */
  readonly time?: ShareRange;
  /** Part of the units in the table's order, or their names. */
  readonly units?: ShareRange | readonly string[];
}

/** Indices of the windows of `among` (default: all) that the selection takes, rising. Throws INVALID_CONFIG. */
export function selectWindows(windows: WindowSet, selection: SeriesSelection, among?: readonly number[]): number[] {
  const tests = [
    ...whereTests(windows, selection.where ?? {}),
    timeTest(windows, selection),
    unitTest(windows, selection),
  ];
  const candidates = among ?? Array.from({ length: windows.count }, (_, w) => w);
  return candidates.filter((w) => tests.every((test) => test(w)));
}

type WindowTest = (window: number) => boolean;

function whereTests(windows: WindowSet, where: NonNullable<SeriesSelection["where"]>): readonly WindowTest[] {
  return Object.entries(where).map(([id, wanted]) => {
    const target = getTarget(windows.table, id);
    if (target.label.kind === "scalar") {
      throw new KumiaiError(
        "INVALID_CONFIG",
        `expected a target with classes, received ${id}, which is a number; remove it, or choose among period, blocks and units`,
      );
    }
    const classes = new Set(wanted.map((name) => classIndex(target, String(name))));
    return (w) => classes.has(labelOf(windows, target, w));
  });
}

export function getTarget(table: SeriesTable, id: string): SeriesTarget {
  const target = table.targets.find((candidate) => candidate.id === id);
  if (target !== undefined) return target;
  throw unknownName(
    "UNKNOWN_TASK",
    `target of the ${table.name} data`,
    id,
    table.targets.map((candidate) => candidate.id),
  );
}

/** Those of `among` that have a label of some of the tasks; the others teach nothing. Throws UNKNOWN_TASK. */
export function labeledWindows(
  windows: WindowSet,
  tasks: readonly (TaskId | string)[],
  among: readonly number[],
): readonly number[] {
  const targets = tasks.map((id) => getTarget(windows.table, id));
  return among.filter((w) => targets.some((target) => !Number.isNaN(labelOf(windows, target, w))));
}

function classIndex(target: SeriesTarget, name: string): number {
  const index = target.classNames.indexOf(name);
  if (index < 0) throw unknownName("INVALID_CONFIG", `class of ${target.id}`, name, target.classNames);
  return index;
}

export function unknownName(
  code: "INVALID_CONFIG" | "UNKNOWN_TASK",
  what: string,
  name: string,
  known: readonly string[],
): KumiaiError {
  const nearest = nearestWord(name, known);
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new KumiaiError(code, `${what}: expected one of ${known.join(", ")}, received "${name}"${hint}`, {
    received: name,
  });
}

function timeTest(windows: WindowSet, { time }: SeriesSelection): WindowTest {
  if (time === undefined) return () => true;
  const isIn = shareTest("time", time);
  const counts = new Int32Array(windows.table.units.length);
  for (const unit of windows.unit) counts[unit] = (counts[unit] ?? 0) + 1;
  return (w) => isIn((windows.position[w] ?? 0) / (counts[windows.unit[w] ?? 0] ?? 1));
}

function unitTest(windows: WindowSet, { units }: SeriesSelection): WindowTest {
  if (units === undefined) return () => true;
  const known = windows.table.units;
  if ("from" in units) {
    const isIn = shareTest("units", units);
    return (w) => isIn((windows.unit[w] ?? 0) / known.length);
  }
  const chosen = new Set(
    units.map((name) => {
      const index = known.indexOf(name);
      if (index < 0) throw unknownName("INVALID_CONFIG", `unit of the ${windows.table.name} data`, name, known);
      return index;
    }),
  );
  return (w) => chosen.has(windows.unit[w] ?? -1);
}

function shareTest(name: string, { from, to }: ShareRange): (share: number) => boolean {
  if (!(from >= 0 && from < to && to <= 1)) {
    throw new KumiaiError("INVALID_CONFIG", `${name}: expected 0 ≤ from < to ≤ 1, received from ${from} to ${to}`);
  }
  return (share) => share >= from && share < to;
}
