/**
 * Which windows are for training and which for testing. Series of machines are alike from one moment to the next, so windows
 * dealt at random would show the test set to the model; here whole blocks of time, or whole units, go to one side.
 *
 * Blocks are drawn at random, of every unit its part, as a site may have one machine only, and then exchanged, one of each side of a
 * unit at a time, while that brings the share of every class (for numbers: of every quarter of their values) in the test set closer to
 * `testShare`:
 *
 *   cost = Σ_f (test_f / all_f − testShare)²  +  10 for every f that is absent from one side
 *
 * Training windows that share a row with a test window, or lie within `gap` windows of one in the same unit, belong to neither.
 */
import { KumiaiError, type Rng } from "@kumiai/params";
import type { SeriesTarget, WindowSet } from "./types.js";
import { labelOf, requireShare, requireWhole } from "./windows.js";

export const TRAIN_SIDE = 0;
export const TEST_SIDE = 1;
export const NO_SIDE = 2;

export interface SeriesSplit {
  /** [windows]: TRAIN_SIDE, TEST_SIDE or NO_SIDE. */
  readonly side: Uint8Array;
  /** [windows]: the block (or unit) a window belongs to. */
  readonly block: Int32Array;
  readonly blockCount: number;
  /** What the data did not allow, e.g. a class that is in one block only. */
  readonly notices: readonly string[];
}

export interface BlockSplitOptions {
  /** Windows of a block; the last one of a unit may be shorter. */
  readonly blockLength: number;
  /** Part of each unit's blocks that is for testing: at least one of two or more. */
  readonly testShare: number;
  /** Windows between training and test that belong to neither, besides those that share rows. Default: 0. */
  readonly gap?: number;
  readonly rng: Rng;
}

/** Blocks of windows that follow each other. Throws INVALID_CONFIG. */
export function splitByBlocks(windows: WindowSet, options: BlockSplitOptions): SeriesSplit {
  const { blockLength, testShare, gap = 0, rng } = options;
  requireWhole("blockLength", blockLength);
  requireWhole("gap", gap, 0);
  const block = new Int32Array(windows.count);
  for (let w = 1; w < windows.count; w++) {
    const begins = (windows.position[w] ?? 0) % blockLength === 0;
    block[w] = (block[w - 1] ?? 0) + (begins ? 1 : 0);
  }
  return splitOf(windows, block, { testShare, gap, rng, what: "block" });
}

export interface UnitSplitOptions {
  /** Part of the units that is for testing. */
  readonly testShare: number;
  readonly rng: Rng;
}

/** Whole units, e.g. engines. Throws INVALID_CONFIG. */
export function splitByUnits(windows: WindowSet, { testShare, rng }: UnitSplitOptions): SeriesSplit {
  const known = new Map<number, number>();
  const block = windows.unit.map((unit) => {
    const index = known.get(unit) ?? known.size;
    known.set(unit, index);
    return index;
  });
  return splitOf(windows, block, { testShare, gap: 0, rng, what: "unit" });
}

interface Drawing {
  readonly testShare: number;
  readonly gap: number;
  readonly rng: Rng;
  readonly what: "block" | "unit";
}

function splitOf(windows: WindowSet, block: Int32Array, drawing: Drawing): SeriesSplit {
  const { testShare, what } = drawing;
  requireShare("testShare", testShare);
  const blockCount = (block.at(-1) ?? 0) + 1;
  if (blockCount < 2) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `split: the ${windows.table.name} data has one ${what} only, so there is nothing to test on; ` +
        (what === "unit" ? "split by blocks of time" : "choose shorter blocks, or a shorter stride"),
    );
  }
  const features = featuresOf(windows, block, blockCount);
  const isTest = drawTestBlocks(features, groupsOf(windows, block, drawing), drawing);
  const side = block.map((b) => isTest[b] ?? 0);
  const sides = Uint8Array.from(side);
  dropNeighbors(windows, sides, drawing.gap);
  return { side: sides, block, blockCount, notices: absences(windows, sides) };
}

/** Per feature (a class of a target, a quarter of a number's values): its windows in each block. */
function featuresOf(windows: WindowSet, block: Int32Array, blockCount: number): readonly Int32Array[] {
  return windows.table.targets.flatMap((target) => {
    const classify = classifier(windows, target);
    const counts: Int32Array[] = [];
    for (let w = 0; w < windows.count; w++) {
      const found = classify(labelOf(windows, target, w));
      if (found === undefined) continue;
      while (counts.length <= found) counts.push(new Int32Array(blockCount));
      const ofClass = counts[found];
      const b = block[w] ?? 0;
      if (ofClass !== undefined) ofClass[b] = (ofClass[b] ?? 0) + 1;
    }
    return counts.filter((count) => count.some((n) => n > 0));
  });
}

function classifier(windows: WindowSet, target: SeriesTarget): (value: number) => number | undefined {
  if (target.label.kind !== "scalar") return (value) => (Number.isNaN(value) ? undefined : value);
  const sorted = Float64Array.from({ length: windows.count }, (_, w) => labelOf(windows, target, w))
    .filter((value) => !Number.isNaN(value))
    .sort();
  const edges = [0.25, 0.5, 0.75].map((share) => sorted[Math.floor(share * sorted.length)] ?? 0);
  return (value) => (Number.isNaN(value) ? undefined : edges.filter((edge) => value > edge).length);
}

const ABSENT_COST = 10;
const EXCHANGES_PER_BLOCK = 50;

/** Blocks that may take each other's place; the first `testCount` are for testing. */
interface BlockGroup {
  readonly blocks: number[];
  readonly testCount: number;
}

/** Each unit's blocks in random order. Units of one block are together in one group, and all units where whole units are split. */
function groupsOf(
  { unit, count }: WindowSet,
  block: Int32Array,
  { testShare, rng, what }: Drawing,
): readonly BlockGroup[] {
  const blockCount = (block.at(-1) ?? 0) + 1;
  const unitOf = new Int32Array(blockCount);
  for (let w = 0; w < count; w++) unitOf[block[w] ?? 0] = unit[w] ?? 0;
  const sizes = new Map<number, number>();
  for (const u of unitOf) sizes.set(u, (sizes.get(u) ?? 0) + 1);
  const isApart = (u: number): boolean => what === "block" && (sizes.get(u) ?? 0) > 1;
  const groups = new Map<number, number[]>();
  for (const b of rng.shuffled(Array.from(unitOf, (_, b) => b))) {
    const u = unitOf[b] ?? 0;
    const key = isApart(u) ? u : -1;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(b);
  }
  let owed = 0;
  return [...groups.values()].map((blocks) => {
    owed += testShare * blocks.length;
    const testCount = Math.min(blocks.length - 1, Math.max(1, Math.round(owed)));
    owed -= testCount;
    return { blocks, testCount };
  });
}

/** [blocks], 1 for those that are for testing. Exchanges blocks within `groups`. */
function drawTestBlocks(
  features: readonly Int32Array[],
  groups: readonly BlockGroup[],
  { testShare, rng }: Drawing,
): Uint8Array {
  const slots = groups.flatMap((group) => Array.from({ length: group.testCount }, (_, at) => ({ ...group, at })));
  const isTest = new Uint8Array(groups.reduce((sum, { blocks }) => sum + blocks.length, 0));
  for (const { blocks, at } of slots) isTest[blocks[at] ?? 0] = TEST_SIDE;
  const all = features.map((counts) => counts.reduce((sum, n) => sum + n, 0));
  const inTest = features.map((counts) => counts.reduce((sum, n, b) => sum + n * (isTest[b] ?? 0), 0));
  const costWith = (leaves: number, enters: number): number =>
    features.reduce((cost, counts, f) => {
      const whole = all[f] ?? 0;
      const test = (inTest[f] ?? 0) - (counts[leaves] ?? 0) + (counts[enters] ?? 0);
      const absent = test === 0 || test === whole ? ABSENT_COST : 0;
      return cost + (test / whole - testShare) ** 2 + absent;
    }, 0);
  let cost = costWith(-1, -1);
  for (let turn = 0; turn < EXCHANGES_PER_BLOCK * isTest.length; turn++) {
    const { blocks, testCount, at } = slots[rng.int(slots.length)] as (typeof slots)[number];
    const to = testCount + rng.int(blocks.length - testCount);
    const [leaves = 0, enters = 0] = [blocks[at], blocks[to]];
    const after = costWith(leaves, enters);
    if (after >= cost) continue;
    cost = after;
    features.forEach((counts, f) => {
      inTest[f] = (inTest[f] ?? 0) - (counts[leaves] ?? 0) + (counts[enters] ?? 0);
    });
    blocks[at] = enters;
    blocks[to] = leaves;
    isTest[leaves] = TRAIN_SIDE;
    isTest[enters] = TEST_SIDE;
  }
  return isTest;
}

/** Takes training windows near test windows out of `side`. */
function dropNeighbors(windows: WindowSet, side: Uint8Array, gap: number): void {
  const { start, unit, length, stride, count } = windows;
  const reach = Math.max(gap, Math.ceil(length / stride) - 1);
  for (let w = 0; w < count; w++) {
    if (side[w] !== TEST_SIDE) continue;
    for (let v = Math.max(0, w - reach); v <= Math.min(count - 1, w + reach); v++) {
      if (side[v] !== TRAIN_SIDE || unit[v] !== unit[w]) continue;
      const sharesRows = Math.abs((start[v] ?? 0) - (start[w] ?? 0)) < length;
      if (sharesRows || Math.abs(v - w) <= gap) side[v] = NO_SIDE;
    }
  }
}

/** One sentence per class that is missing from a side. */
function absences(windows: WindowSet, side: Uint8Array): readonly string[] {
  return windows.table.targets.flatMap((target) =>
    target.classNames.flatMap((name, index) => {
      const seen = [0, 0, 0];
      for (let w = 0; w < windows.count; w++) {
        const s = side[w] ?? 0;
        if (labelOf(windows, target, w) === index) seen[s] = (seen[s] ?? 0) + 1;
      }
      const [train = 0, test = 0, none = 0] = seen;
      if ((train > 0 && test > 0) || train + test + none === 0) return [];
      const where = train > 0 ? "in training only" : test > 0 ? "in the test set only" : "in dropped windows only";
      return [`${target.id}: class ${name} is ${where}, as its windows lie too close together; choose shorter blocks`];
    }),
  );
}
