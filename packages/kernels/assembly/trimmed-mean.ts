/**
 * Per element: the rows' values in order, the lowest and the highest left out, the mean of the others. Conventions: index.ts.
 *
 * Rows are sorted against each other a tile at a time, by a network of exchanges that does not look at the numbers (Batcher's merge exchange, Knuth
 * vol. 3, algorithm 5.2.2M: any number of rows): each exchange is a minimum and a maximum of four elements at once.
 */
import { demote, promoteHigh, promoteLow, sortTile } from "./common";

/**
 * out ← mean of ranks [trim, rowCount − trim) of the rows, added up in f64 from the lowest on, from +0 on (so that the sign of a zero does not matter), divided
 * and rounded once; NaN where a row's number is not finite. `room`: for rowCount + 1 tiles of `sortTile(rowCount)` numbers.
 */
export function trimmedMean(out: usize, rows: usize, rowCount: i32, trim: i32, count: i32, room: usize): void {
  const tile = sortTile(rowCount);
  const stride = (<usize>tile) << 2;
  for (let start = 0; start < count; start += tile) {
    const length = min(tile, count - start);
    const offset = (<usize>start) << 2;
    gather(room, stride, rows, rowCount, offset, length);
    sortRows(room, stride, rowCount, length);
    meanOfRanks(out + offset, room, stride, rowCount, trim, length);
  }
}

/** Copies a tile of each row. The last tile of the room: +0, or NaN where a row's number is not finite. */
function gather(room: usize, stride: usize, rows: usize, rowCount: i32, offset: usize, length: i32): void {
  const poison = room + <usize>rowCount * stride;
  memory.fill(poison, 0, (<usize>length) << 2);
  const zero = f32x4.splat(0);
  for (let r = 0; r < rowCount; r++) {
    const from = <usize>load<u32>(rows + ((<usize>r) << 2)) + offset;
    const to = room + <usize>r * stride;
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      const at = (<usize>i) << 2;
      const x = v128.load(from + at);
      v128.store(to + at, x);
      v128.store(poison + at, f32x4.add(v128.load(poison + at), f32x4.mul(x, zero)));
    }
    for (; i < length; i++) {
      const at = (<usize>i) << 2;
      const x = load<f32>(from + at);
      store<f32>(to + at, x);
      store<f32>(poison + at, load<f32>(poison + at) + x * 0);
    }
  }
}

/** Afterwards row r of the room holds the numbers of rank r. */
function sortRows(room: usize, stride: usize, rowCount: i32, length: i32): void {
  let top = 1;
  while (top * 2 < rowCount) top *= 2;
  for (let p = top; p > 0; p >>= 1) {
    let q = top;
    let r = 0;
    let d = p;
    while (true) {
      for (let i = 0; i < rowCount - d; i++) {
        if ((i & p) == r) exchange(room + <usize>i * stride, room + <usize>(i + d) * stride, length);
      }
      if (q == p) break;
      d = q - p;
      q >>= 1;
      r = p;
    }
  }
}

/** The lower of each pair to `low`, the higher to `high`. Goes on to a multiple of 4: tiles have room for that. */
function exchange(low: usize, high: usize, length: i32): void {
  for (let i = 0; i < length; i += 4) {
    const at = (<usize>i) << 2;
    const x = v128.load(low + at);
    const y = v128.load(high + at);
    v128.store(low + at, f32x4.pmin(x, y));
    v128.store(high + at, f32x4.pmax(x, y));
  }
}

function meanOfRanks(out: usize, room: usize, stride: usize, rowCount: i32, trim: i32, length: i32): void {
  const poison = room + <usize>rowCount * stride;
  const kept = <f64>(rowCount - 2 * trim);
  const first = room + <usize>trim * stride;
  const end = room + <usize>(rowCount - trim) * stride;
  const divisor = f64x2.splat(kept);
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const at = (<usize>i) << 2;
    const start = v128.load(poison + at);
    let low = promoteLow(start);
    let high = promoteHigh(start);
    for (let row = first; row < end; row += stride) {
      const x = v128.load(row + at);
      low = f64x2.add(low, promoteLow(x));
      high = f64x2.add(high, promoteHigh(x));
    }
    v128.store(out + at, demote(f64x2.div(low, divisor), f64x2.div(high, divisor)));
  }
  for (; i < length; i++) {
    const at = (<usize>i) << 2;
    let sum = <f64>load<f32>(poison + at);
    for (let row = first; row < end; row += stride) sum += <f64>load<f32>(row + at);
    store<f32>(out + at, <f32>(sum / kept));
  }
}
