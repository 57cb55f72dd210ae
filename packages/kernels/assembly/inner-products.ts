/** Inner products of many rows, blocked so that rows stay in the cache. Conventions and order of sums: index.ts. */
import { BLOCK, BLOCK_BYTES, promoteHigh, promoteLow, tileLength } from "./common";
import { subtract } from "./elementwise";

/**
 * gram (packed upper triangle, row-major, f64) ← gram + ⟨rows_i, rows_j⟩; cross [extraCount, rowCount] ← cross + ⟨extras_d, rows_r⟩.
 * `rows` is a table of the rows, then the extras. `wide`: room for (rowCount + extraCount)·BLOCK f64.
 */
export function addGram(
  gram: usize,
  rowCount: i32,
  cross: usize,
  extraCount: i32,
  rows: usize,
  count: i32,
  wide: usize,
): void {
  if (rowCount <= 2) {
    addFewProducts(gram, rowCount, cross, extraCount, rows, count);
    return;
  }
  for (let start = 0; start < count; start += BLOCK) {
    const length = min(BLOCK, count - start);
    const pairs = (length + 1) >> 1;
    widenRows(wide, rows, rowCount + extraCount, start, length);
    addTriangle(gram, rowCount, wide, pairs);
    for (let d = 0; d < extraCount; d++) {
      const x = wide + <usize>(rowCount + d) * BLOCK_BYTES;
      addStrip(cross + ((<usize>(d * rowCount)) << 3), x, wide, rowCount, pairs);
    }
  }
}

/**
 * The same for the differences rows − befores, in f32, tile after tile: memory is read in long runs, which it is fastest at. `table`:
 * room for rowCount + extraCount addresses; `deltas`: for rowCount tiles, or rows if they are shorter. Returns the first row with a
 * difference that is not finite, else −1.
 */
export function addDeltaGram(
  gram: usize,
  rowCount: i32,
  cross: usize,
  extraCount: i32,
  rows: usize,
  befores: usize,
  count: i32,
  table: usize,
  deltas: usize,
  wide: usize,
): i32 {
  const tile = min(tileLength(rowCount), count);
  const stride = (<usize>tile) << 2;
  let first = -1;
  for (let start = 0; start < count; start += tile) {
    const length = min(tile, count - start);
    const offset = (<usize>start) << 2;
    for (let r = 0; r < rowCount; r++) {
      const delta = deltas + <usize>r * stride;
      store<u32>(table + ((<usize>r) << 2), <u32>delta);
      const bad = subtract(delta, rowAt(rows, r) + offset, rowAt(befores, r) + offset, length);
      if (bad >= 0 && (first < 0 || r < first)) first = r;
    }
    for (let d = rowCount; d < rowCount + extraCount; d++) {
      store<u32>(table + ((<usize>d) << 2), <u32>(rowAt(rows, d) + offset));
    }
    addGram(gram, rowCount, cross, extraCount, table, length, wide);
  }
  return first;
}

/** sums_r ← sums_r + ⟨rows_r, rows_r⟩, with the same bits as the diagonal of `addGram`. */
export function addNorms(sums: usize, rows: usize, rowCount: i32, count: i32): void {
  for (let r = 0; r < rowCount; r++) {
    const row = rowAt(rows, r);
    addProduct(sums + ((<usize>r) << 3), row, row, count);
  }
}

// @ts-expect-error: decorator
@inline
function rowAt(rows: usize, r: i32): usize {
  return <usize>load<u32>(rows + ((<usize>r) << 2));
}

/** `addGram` for one or two rows: nothing is used often enough to be worth a block of its own. */
function addFewProducts(gram: usize, rowCount: i32, cross: usize, extraCount: i32, rows: usize, count: i32): void {
  for (let i = 0; i < rowCount; i++) {
    for (let j = i; j < rowCount; j++) addProduct(packed(gram, rowCount, i, j), rowAt(rows, i), rowAt(rows, j), count);
  }
  for (let d = 0; d < extraCount; d++) {
    for (let r = 0; r < rowCount; r++) {
      addProduct(cross + ((<usize>(d * rowCount + r)) << 3), rowAt(rows, rowCount + d), rowAt(rows, r), count);
    }
  }
}

/** at ← at + ⟨x, y⟩: four blocks at once, since each addition waits for the one before it in its block. */
function addProduct(at: usize, x: usize, y: usize, count: i32): void {
  let i = 0;
  for (; i + 4 * BLOCK <= count; i += 4 * BLOCK) {
    let s0 = f64x2.splat(0);
    let s1 = f64x2.splat(0);
    let s2 = f64x2.splat(0);
    let s3 = f64x2.splat(0);
    const end = x + 4 * BLOCK;
    for (; x < end; x += 16, y += 16) {
      s0 = addFour(s0, v128.load(x), v128.load(y));
      s1 = addFour(s1, v128.load(x, 2048), v128.load(y, 2048));
      s2 = addFour(s2, v128.load(x, 4096), v128.load(y, 4096));
      s3 = addFour(s3, v128.load(x, 6144), v128.load(y, 6144));
    }
    x += 3 * 4 * BLOCK;
    y += 3 * 4 * BLOCK;
    addLanes(at, s0);
    addLanes(at, s1);
    addLanes(at, s2);
    addLanes(at, s3);
  }
  for (; i < count; i += BLOCK) {
    const length = min(BLOCK, count - i);
    let sum = f64x2.splat(0);
    let k = 0;
    for (; k + 4 <= length; k += 4, x += 16, y += 16) sum = addFour(sum, v128.load(x), v128.load(y));
    let even = f64x2.extract_lane(sum, 0);
    let odd = f64x2.extract_lane(sum, 1);
    for (; k < length; k++, x += 4, y += 4) {
      const product = <f64>load<f32>(x) * <f64>load<f32>(y);
      if (k & 1) odd += product;
      else even += product;
    }
    store<f64>(at, load<f64>(at) + (even + odd));
  }
}

// @ts-expect-error: decorator
@inline
function addFour(sum: v128, x: v128, y: v128): v128 {
  const low = f64x2.add(sum, f64x2.mul(promoteLow(x), promoteLow(y)));
  return f64x2.add(low, f64x2.mul(promoteHigh(x), promoteHigh(y)));
}

/** A block of each row as f64, filled up with one zero to an even length. */
// @ts-expect-error: decorator
@inline
function widenRows(wide: usize, rows: usize, rowCount: i32, start: i32, length: i32): void {
  for (let r = 0; r < rowCount; r++) {
    const row = <usize>load<u32>(rows + ((<usize>r) << 2)) + ((<usize>start) << 2);
    const out = wide + <usize>r * BLOCK_BYTES;
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      const x = v128.load(row + ((<usize>i) << 2));
      const at = out + ((<usize>i) << 3);
      v128.store(at, promoteLow(x));
      v128.store(at, promoteHigh(x), 16);
    }
    for (; i < length; i++) store<f64>(out + ((<usize>i) << 3), <f64>load<f32>(row + ((<usize>i) << 2)));
    if (length & 1) store<f64>(out + ((<usize>length) << 3), 0);
  }
}

/** Place of (i, j), i ≤ j, in the packed upper triangle. */
// @ts-expect-error: decorator
@inline
function packed(gram: usize, rowCount: i32, i: i32, j: i32): usize {
  return gram + ((<usize>(i * rowCount - ((i * (i - 1)) >> 1) + j - i)) << 3);
}

function addTriangle(gram: usize, rowCount: i32, wide: usize, pairs: i32): void {
  let i = 0;
  for (; i + 3 <= rowCount; i += 3) {
    const x = wide + <usize>i * BLOCK_BYTES;
    const row0 = packed(gram, rowCount, i, i);
    const row1 = packed(gram, rowCount, i + 1, i + 1);
    const row2 = packed(gram, rowCount, i + 2, i + 2);
    tileDiagonal(x, pairs, row0, row1, row2);
    let j = i + 3;
    for (; j + 3 <= rowCount; j += 3) {
      const at = (<usize>(j - i)) << 3;
      tile33(x, wide + <usize>j * BLOCK_BYTES, pairs, row0 + at, row1 + at - 8, row2 + at - 16);
    }
    for (; j < rowCount; j++) {
      const y = wide + <usize>j * BLOCK_BYTES;
      tile31(x, y, pairs, packed(gram, rowCount, i, j), packed(gram, rowCount, i + 1, j), packed(gram, rowCount, i + 2, j));
    }
  }
  for (; i < rowCount; i++) {
    for (let j = i; j < rowCount; j++) {
      tile11(wide + <usize>i * BLOCK_BYTES, wide + <usize>j * BLOCK_BYTES, pairs, packed(gram, rowCount, i, j));
    }
  }
}

/** sums_r ← sums_r + ⟨x, rows_r⟩ over one block. */
function addStrip(sums: usize, x: usize, wide: usize, rowCount: i32, pairs: i32): void {
  let r = 0;
  for (; r + 3 <= rowCount; r += 3) {
    const at = sums + ((<usize>r) << 3);
    tile31(wide + <usize>r * BLOCK_BYTES, x, pairs, at, at + 8, at + 16);
  }
  for (; r < rowCount; r++) tile11(x, wide + <usize>r * BLOCK_BYTES, pairs, sums + ((<usize>r) << 3));
}

// @ts-expect-error: decorator
@inline
function addLanes(at: usize, sum: v128): void {
  store<f64>(at, load<f64>(at) + (f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)));
}

/** Three rows from `x` on against three from `y` on. */
function tile33(x: usize, y: usize, pairs: i32, out0: usize, out1: usize, out2: usize): void {
  let s00 = f64x2.splat(0);
  let s01 = f64x2.splat(0);
  let s02 = f64x2.splat(0);
  let s10 = f64x2.splat(0);
  let s11 = f64x2.splat(0);
  let s12 = f64x2.splat(0);
  let s20 = f64x2.splat(0);
  let s21 = f64x2.splat(0);
  let s22 = f64x2.splat(0);
  for (let k = 0; k < pairs; k++) {
    const y0 = v128.load(y);
    const y1 = v128.load(y, 4096);
    const y2 = v128.load(y, 8192);
    const x0 = v128.load(x);
    s00 = f64x2.add(s00, f64x2.mul(x0, y0));
    s01 = f64x2.add(s01, f64x2.mul(x0, y1));
    s02 = f64x2.add(s02, f64x2.mul(x0, y2));
    const x1 = v128.load(x, 4096);
    s10 = f64x2.add(s10, f64x2.mul(x1, y0));
    s11 = f64x2.add(s11, f64x2.mul(x1, y1));
    s12 = f64x2.add(s12, f64x2.mul(x1, y2));
    const x2 = v128.load(x, 8192);
    s20 = f64x2.add(s20, f64x2.mul(x2, y0));
    s21 = f64x2.add(s21, f64x2.mul(x2, y1));
    s22 = f64x2.add(s22, f64x2.mul(x2, y2));
    x += 16;
    y += 16;
  }
  addLanes(out0, s00);
  addLanes(out0 + 8, s01);
  addLanes(out0 + 16, s02);
  addLanes(out1, s10);
  addLanes(out1 + 8, s11);
  addLanes(out1 + 16, s12);
  addLanes(out2, s20);
  addLanes(out2 + 8, s21);
  addLanes(out2 + 16, s22);
}

/** The six inner products among three rows from `x` on. */
function tileDiagonal(x: usize, pairs: i32, out0: usize, out1: usize, out2: usize): void {
  let s00 = f64x2.splat(0);
  let s01 = f64x2.splat(0);
  let s02 = f64x2.splat(0);
  let s11 = f64x2.splat(0);
  let s12 = f64x2.splat(0);
  let s22 = f64x2.splat(0);
  for (let k = 0; k < pairs; k++) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 4096);
    const x2 = v128.load(x, 8192);
    s00 = f64x2.add(s00, f64x2.mul(x0, x0));
    s01 = f64x2.add(s01, f64x2.mul(x0, x1));
    s02 = f64x2.add(s02, f64x2.mul(x0, x2));
    s11 = f64x2.add(s11, f64x2.mul(x1, x1));
    s12 = f64x2.add(s12, f64x2.mul(x1, x2));
    s22 = f64x2.add(s22, f64x2.mul(x2, x2));
    x += 16;
  }
  addLanes(out0, s00);
  addLanes(out0 + 8, s01);
  addLanes(out0 + 16, s02);
  addLanes(out1, s11);
  addLanes(out1 + 8, s12);
  addLanes(out2, s22);
}

/** Three rows from `x` on against the one at `y`. */
function tile31(x: usize, y: usize, pairs: i32, out0: usize, out1: usize, out2: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let s2 = f64x2.splat(0);
  for (let k = 0; k < pairs; k++) {
    const y0 = v128.load(y);
    s0 = f64x2.add(s0, f64x2.mul(v128.load(x), y0));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(x, 4096), y0));
    s2 = f64x2.add(s2, f64x2.mul(v128.load(x, 8192), y0));
    x += 16;
    y += 16;
  }
  addLanes(out0, s0);
  addLanes(out1, s1);
  addLanes(out2, s2);
}

function tile11(x: usize, y: usize, pairs: i32, out: usize): void {
  let sum = f64x2.splat(0);
  for (let k = 0; k < pairs; k++) {
    sum = f64x2.add(sum, f64x2.mul(v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
  }
  addLanes(out, sum);
}
