/** Which items stand where: the geometry of a scene, before anything is painted. */
import type { Rng } from "@kumiai/params";
import type { ItemImages } from "../items/item-images.js";
import type { ItemPool } from "../items/pools.js";
import { type Color, type DomainLook, drawTint } from "./look.js";
import { drawClass } from "./shares.js";
import { resample, spriteOf } from "./sprite.js";

const MIN_ITEMS = 2;
const MAX_ITEMS = 4;
const PLACE_TRIES = 10;
/** An item further back is placed where at least this part of it can be seen, if one of the tries finds such a place. */
const WANTED_VISIBLE = 0.7;

/** An item in its box of side×side pixels. */
export interface PlacedItem {
  readonly itemIndex: number;
  readonly itemClass: number;
  /** 0 is nearest to the viewer, 1 is the background's distance. */
  readonly depth: number;
  readonly tint: Color;
  readonly side: number;
  /** Where the box's first pixel stands in the scene; may be negative. */
  readonly left: number;
  readonly top: number;
  /** [side, side], 1 on the item. */
  readonly mask: Uint8Array;
  readonly brightness: Float32Array;
  /** Height over the item's rim in scene pixels. */
  readonly relief: Float32Array;
  /** First and last row of the box with a mask pixel. */
  readonly firstRow: number;
  readonly lastRow: number;
}

export interface Arrangement {
  /** Nearest first. */
  readonly items: readonly PlacedItem[];
  /** [size, size]: 0 on the background, k + 1 where `items[k]` is seen. */
  readonly owner: Uint8Array;
}

export interface ArrangeOptions {
  readonly source: ItemImages;
  readonly pool: ItemPool;
  readonly look: DomainLook;
  /** How often each item class is drawn; sums to 1. Default: all alike. */
  readonly classShares?: readonly number[];
  /** Side of the scene in pixels. */
  readonly size: number;
}

/** Draws 2 to 4 items and places them from the nearest back. */
export function arrange(options: ArrangeOptions, rng: Rng): Arrangement {
  const { size } = options;
  const owner = new Uint8Array(size * size);
  const count = MIN_ITEMS + rng.int(MAX_ITEMS - MIN_ITEMS + 1);
  const items: PlacedItem[] = [];
  for (let k = 0; k < count; k++) {
    const depth = 0.05 + (0.75 * (k + 0.25 + 0.5 * rng.uniform())) / count;
    const item = placed(drawItem(options, depth, rng), owner, size, rng);
    stamp(item, k + 1, owner, size);
    items.push(item);
  }
  return { items, owner };
}

type FreeItem = Omit<PlacedItem, "left" | "top">;

function drawItem(options: ArrangeOptions, depth: number, rng: Rng): FreeItem {
  const { source, pool, look, classShares, size } = options;
  const classPool = pool[classShares === undefined ? rng.int(pool.length) : drawClass(classShares, rng)];
  const itemIndex = classPool[rng.int(classPool.length)];
  const stretch = look.nearSide + (look.farSide - look.nearSide) * depth;
  const side = Math.max(8, Math.round(size * stretch * (0.92 + 0.16 * rng.uniform())));
  const sprite = spriteOf(source.pixels, itemIndex, look);
  const coverage = resample(sprite.mask, side);
  const mask = new Uint8Array(side * side);
  let firstRow = side;
  let lastRow = -1;
  for (let i = 0; i < mask.length; i++) {
    if (coverage[i] < 0.5) continue;
    mask[i] = 1;
    const row = Math.floor(i / side);
    if (row < firstRow) firstRow = row;
    lastRow = row;
  }
  const relief = resample(sprite.relief, side);
  for (let i = 0; i < relief.length; i++) relief[i] *= side / 28;
  return {
    itemIndex,
    itemClass: source.classes[itemIndex],
    depth,
    tint: drawTint(look, rng),
    side,
    mask,
    brightness: resample(sprite.brightness, side),
    relief,
    firstRow,
    lastRow,
  };
}

/** Tries places until enough of the item can be seen; else takes the best of them. */
function placed(item: FreeItem, owner: Uint8Array, size: number, rng: Rng): PlacedItem {
  const span = Math.max(1, Math.round(size - 0.7 * item.side));
  let best = { left: 0, top: 0, visible: -1 };
  for (let attempt = 0; attempt < PLACE_TRIES && best.visible < WANTED_VISIBLE; attempt++) {
    const left = rng.int(span) - Math.round(0.15 * item.side);
    const top = rng.int(span) - Math.round(0.15 * item.side);
    const visible = visiblePart(item, left, top, owner, size);
    if (visible > best.visible) best = { left, top, visible };
  }
  return { ...item, left: best.left, top: best.top };
}

function visiblePart(item: FreeItem, left: number, top: number, owner: Uint8Array, size: number): number {
  let all = 0;
  let seen = 0;
  for (let row = 0; row < item.side; row++) {
    const y = top + row;
    for (let column = 0; column < item.side; column++) {
      if (item.mask[row * item.side + column] === 0) continue;
      all++;
      const x = left + column;
      if (y >= 0 && y < size && x >= 0 && x < size && owner[y * size + x] === 0) seen++;
    }
  }
  return all === 0 ? 0 : seen / all;
}

function stamp(item: PlacedItem, mark: number, owner: Uint8Array, size: number): void {
  forEachInside(item, size, (pixel, inBox) => {
    if (item.mask[inBox] === 1 && owner[pixel] === 0) owner[pixel] = mark;
  });
}

/** Visits the box's pixels that lie in the scene: index in the scene, index in the box. */
export function forEachInside(item: PlacedItem, size: number, visit: (pixel: number, inBox: number) => void): void {
  const firstRow = Math.max(0, -item.top);
  const endRow = Math.min(item.side, size - item.top);
  const firstColumn = Math.max(0, -item.left);
  const endColumn = Math.min(item.side, size - item.left);
  for (let row = firstRow; row < endRow; row++) {
    for (let column = firstColumn; column < endColumn; column++) {
      visit((item.top + row) * size + item.left + column, row * item.side + column);
    }
  }
}
