import { ITEM_PIXELS, ITEM_SIZE } from "../items/item-images.js";
import type { DomainLook } from "./look.js";
import { smoothInPlace } from "./noise.js";

/** One source image made ready for scenes; planes of 28×28. */
export interface Sprite {
  /** 1 on the item, 0 beside it. */
  readonly mask: Float32Array;
  /** 0 to 1. */
  readonly brightness: Float32Array;
  /** Height over the item's rim in source pixels, smooth. */
  readonly relief: Float32Array;
}

/** `pixels`: the source images; `item`: which. */
export function spriteOf(pixels: Uint8Array, item: number, look: DomainLook): Sprite {
  const mask = new Float32Array(ITEM_PIXELS);
  const brightness = new Float32Array(ITEM_PIXELS);
  const first = item * ITEM_PIXELS;
  for (let i = 0; i < ITEM_PIXELS; i++) {
    brightness[i] = pixels[first + i] / 255;
    mask[i] = pixels[first + i] >= look.maskThreshold ? 1 : 0;
  }
  fillSpots(mask, look.largestSpot);
  const dome = mask.slice();
  smoothInPlace(dome, ITEM_SIZE, ITEM_SIZE, 5);
  const relief = brightness.slice();
  smoothInPlace(relief, ITEM_SIZE, ITEM_SIZE, 2);
  for (let i = 0; i < ITEM_PIXELS; i++) relief[i] = look.bulge * dome[i] + look.brightnessRelief * relief[i];
  return { mask, brightness, relief };
}

/** Puts dark spots of up to `largest` pixels (joined at sides) that do not touch the image's border on the item. */
function fillSpots(mask: Float32Array, largest: number): void {
  const seen = new Uint8Array(ITEM_PIXELS);
  for (let start = 0; start < ITEM_PIXELS; start++) {
    if (mask[start] === 1 || seen[start] === 1) continue;
    const spot = [start];
    let open = false;
    seen[start] = 1;
    for (let next = 0; next < spot.length; next++) {
      const at = spot[next];
      const x = at % ITEM_SIZE;
      open ||= x === 0 || x === ITEM_SIZE - 1 || at < ITEM_SIZE || at >= ITEM_PIXELS - ITEM_SIZE;
      for (const to of [x > 0 ? at - 1 : at, x < ITEM_SIZE - 1 ? at + 1 : at, at - ITEM_SIZE, at + ITEM_SIZE]) {
        if (to < 0 || to >= ITEM_PIXELS || seen[to] === 1 || mask[to] === 1) continue;
        seen[to] = 1;
        spot.push(to);
      }
    }
    if (!open && spot.length <= largest) for (const at of spot) mask[at] = 1;
  }
}

/** `plane` 28×28 drawn bilinearly into side×side; outside the source image there is 0. */
export function resample(plane: Float32Array, side: number): Float32Array {
  const out = new Float32Array(side * side);
  const step = ITEM_SIZE / side;
  const value = (y: number, x: number): number =>
    y >= 0 && y < ITEM_SIZE && x >= 0 && x < ITEM_SIZE ? plane[y * ITEM_SIZE + x] : 0;
  for (let y = 0; y < side; y++) {
    const v = (y + 0.5) * step - 0.5;
    const row = Math.floor(v);
    const fy = v - row;
    for (let x = 0; x < side; x++) {
      const u = (x + 0.5) * step - 0.5;
      const column = Math.floor(u);
      const fx = u - column;
      const above = value(row, column) * (1 - fx) + value(row, column + 1) * fx;
      const below = value(row + 1, column) * (1 - fx) + value(row + 1, column + 1) * fx;
      out[y * side + x] = above * (1 - fy) + below * fy;
    }
  }
  return out;
}
