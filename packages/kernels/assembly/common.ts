/** What several kernels use: see index.ts for the conventions. */

/** Elements that an inner product sums before it moves on; see index.ts for the order. */
export const BLOCK: i32 = 512;
/** BLOCK numbers of f64. */
export const BLOCK_BYTES: usize = 4096;
/**
 * Elements of which the differences of `rowCount` rows are held at a time, a multiple of BLOCK: many, since memory is fastest in
 * long runs, but all rows together 512 KB, so that they stay in the second-level cache. Does not change results.
 */
export function tileLength(rowCount: i32): i32 {
  return min(16384, max(BLOCK, (131072 / max(1, rowCount)) & ~(BLOCK - 1)));
}
/** Elements of a tile in which `rowCount` rows are sorted: all rows together stay in the first-level cache, if they are not hundreds. */
export function sortTile(rowCount: i32): i32 {
  return min(2048, max(64, (8192 / (rowCount + 1)) & ~15));
}
/** Exponent bits of an f32: all set in infinities and NaN. */
export const EXPONENT: i32 = 0x7f800000;

// @ts-expect-error: decorator
@inline
export function promoteLow(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

// @ts-expect-error: decorator
@inline
export function promoteHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3));
}

// @ts-expect-error: decorator
@inline
export function demote(low: v128, high: v128): v128 {
  return i32x4.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}
