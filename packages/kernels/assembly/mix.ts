/** A whole mix, tile by tile, so that everything a tile needs stays in the cache. Conventions: index.ts. */
import { tileLength } from "./common";
import { findNonFinite, subtract } from "./elementwise";
import { trimmedMean } from "./trimmed-mean";
import { weightedSums } from "./weighted-sums";

/**
 * Runs a program over `count` elements; the number of the first result with a value that is not finite, −1 where there is none.
 * `table`: room for the addresses of the largest block, outputs and operands.
 *
 * program, in u32 words:
 *   deltaCount, blockCount
 *   for each delta: address of a tile's numbers, after, before
 *   for each block: outCount, rowCount, trim, factors, outCount × out, rowCount × (address, 1 if it moves on with the tile, else 0)
 * trim: −1 for weighted sums; else what a trimmed mean leaves out on each side, and `factors` is its room.
 */
export function mix(program: usize, count: i32, table: usize): i32 {
  let first = -1;
  const tile = tileLength(load<i32>(program));
  for (let start = 0; start < count; start += tile) {
    const length = min(tile, count - start);
    const bad = mixTile(program, (<usize>start) << 2, length, table);
    if (bad >= 0 && (first < 0 || bad < first)) first = bad;
  }
  return first;
}

function mixTile(program: usize, offset: usize, length: i32, table: usize): i32 {
  let next = program + 8;
  for (let d = load<u32>(program); d > 0; d--) {
    subtract(<usize>load<u32>(next), <usize>load<u32>(next, 4) + offset, <usize>load<u32>(next, 8) + offset, length);
    next += 12;
  }
  let result = 0;
  for (let b = load<u32>(program, 4); b > 0; b--) {
    const outCount = load<i32>(next);
    const rowCount = load<i32>(next, 4);
    const trim = load<i32>(next, 8);
    const factors = <usize>load<u32>(next, 12);
    next += 16;
    let at = table;
    for (let m = 0; m < outCount; m++) {
      store<u32>(at, load<u32>(next) + <u32>offset);
      at += 4;
      next += 4;
    }
    const rows = at;
    for (let r = 0; r < rowCount; r++) {
      store<u32>(at, load<u32>(next) + load<u32>(next, 4) * <u32>offset);
      at += 4;
      next += 8;
    }
    if (trim < 0) weightedSums(table, outCount, factors, rows, rowCount, length);
    else trimmedMean(load<u32>(table), rows, rowCount, trim, length, factors);
    for (let m = 0; m < outCount; m++) {
      if (findNonFinite(<usize>load<u32>(table + ((<usize>m) << 2)), length) >= 0) return result + m;
    }
    result += outCount;
  }
  return -1;
}
