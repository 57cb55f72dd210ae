/**
 * Which coordinates a sparse update keeps, and how their places are told.
 *
 * The k largest magnitudes, k = ⌈share·n⌉ and at least 1 (Aji and Heafield 2017, 1704.05021); among equals the first ones, so that
 * a vector has one answer. Two passes over magnitudes as 31-bit numbers, no sorting: O(n).
 * Places are told as gaps to the place before (LEB128: 7 bits a byte, the top bit says that more follow), or as a bitmap
 * of n bits, whichever is shorter.
 *
 * Errors: FRAME_MALFORMED for bytes that are no places of a vector of n.
 */
import { malformed } from "./frame.js";

/** Ascending. `values` are finite. */
export function largestPlaces(values: Float32Array, count: number): Uint32Array {
  if (count >= values.length) return Uint32Array.from(values, (_, i) => i);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const high = new Uint32Array(1 << 15);
  for (let i = 0; i < bits.length; i++) (high[((bits[i] as number) & 0x7fffffff) >>> 16] as number)++;
  const [upper, aboveUpper] = binOf(high, count);
  const low = new Uint32Array(1 << 16);
  for (let i = 0; i < bits.length; i++) {
    const magnitude = (bits[i] as number) & 0x7fffffff;
    if (magnitude >>> 16 === upper) (low[magnitude & 0xffff] as number)++;
  }
  const [lower, aboveLower] = binOf(low, count - aboveUpper);
  const threshold = upper * 65536 + lower;
  let equalsLeft = count - aboveUpper - aboveLower;
  const places = new Uint32Array(count);
  let at = 0;
  for (let i = 0; i < bits.length; i++) {
    const magnitude = (bits[i] as number) & 0x7fffffff;
    if (magnitude > threshold || (magnitude === threshold && equalsLeft-- > 0)) places[at++] = i;
  }
  return places;
}

/** The bin in which the `count`-th from above lies, and how many lie in bins above it. */
function binOf(histogram: Uint32Array, count: number): readonly [number, number] {
  let above = 0;
  for (let bin = histogram.length - 1; bin > 0; bin--) {
    const here = histogram[bin] as number;
    if (above + here >= count) return [bin, above];
    above += here;
  }
  return [0, above];
}

export interface WrittenPlaces {
  readonly bytes: Uint8Array;
  readonly isBitmap: boolean;
}

export function writePlaces(places: Uint32Array, elementCount: number): WrittenPlaces {
  const bitmapLength = Math.ceil(elementCount / 8);
  const gaps = new Uint8Array(bitmapLength + 5);
  let length = 0;
  let before = -1;
  for (let j = 0; j < places.length && length < bitmapLength; j++) {
    const place = places[j] as number;
    let gap = place - before - 1;
    before = place;
    for (; gap > 127; gap = Math.floor(gap / 128)) gaps[length++] = (gap % 128) + 128;
    gaps[length++] = gap;
  }
  if (length < bitmapLength || places.length === 0) return { bytes: gaps.subarray(0, length), isBitmap: false };
  const bitmap = new Uint8Array(bitmapLength);
  for (const place of places) bitmap[place >>> 3] = (bitmap[place >>> 3] as number) | (1 << (place & 7));
  return { bytes: bitmap, isBitmap: true };
}

/** The places and how many bytes they took. */
export function readPlaces(
  bytes: Uint8Array,
  isBitmap: boolean,
  count: number,
  elementCount: number,
): { readonly places: Uint32Array; readonly byteLength: number } {
  // Each place takes a bit at least: nothing is set aside for more than the bytes can say.
  if (count > 8 * bytes.length) malformed(`${count} places`, `${bytes.length} bytes`);
  return isBitmap ? readBitmap(bytes, count, elementCount) : readGaps(bytes, count, elementCount);
}

function readBitmap(bytes: Uint8Array, count: number, elementCount: number) {
  const byteLength = Math.ceil(elementCount / 8);
  if (bytes.length < byteLength) malformed(`a bitmap of ${byteLength} bytes`, `${bytes.length}`);
  const places = new Uint32Array(count);
  let at = 0;
  for (let i = 0; i < 8 * byteLength; i++) {
    if (((bytes[i >>> 3] as number) & (1 << (i & 7))) === 0) continue;
    if (at === count || i >= elementCount) malformed(`${count} places below ${elementCount}`, "more");
    places[at++] = i;
  }
  if (at < count) malformed(`${count} places`, String(at));
  return { places, byteLength };
}

function readGaps(bytes: Uint8Array, count: number, elementCount: number) {
  const places = new Uint32Array(count);
  let at = 0;
  let before = -1;
  for (let j = 0; j < count; j++) {
    let gap = 0;
    let factor = 1;
    for (let isMore = true; isMore; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) malformed(`${count} places`, `${j}`);
      if (factor > 2 ** 28) malformed("a gap of five bytes at most", "more");
      gap += (byte & 127) * factor;
      isMore = byte > 127;
    }
    before += gap + 1;
    if (before >= elementCount) malformed(`places below ${elementCount}`, String(before));
    places[j] = before;
  }
  return { places, byteLength: at };
}
