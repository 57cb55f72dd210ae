/** Differences, axpy and the search for numbers that are not finite. Conventions: index.ts. */
import { demote, EXPONENT, promoteHigh, promoteLow } from "./common";

/** out ← after − before; index of the first difference that is not finite, −1 where there is none. */
export function subtract(out: usize, after: usize, before: usize, count: i32): i32 {
  const exponent = i32x4.splat(EXPONENT);
  let found = v128.splat<i32>(0);
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const at = (<usize>i) << 2;
    const low = f32x4.sub(v128.load(after + at), v128.load(before + at));
    const high = f32x4.sub(v128.load(after + at, 16), v128.load(before + at, 16));
    v128.store(out + at, low);
    v128.store(out + at, high, 16);
    found = v128.or(
      found,
      v128.or(i32x4.eq(v128.and(low, exponent), exponent), i32x4.eq(v128.and(high, exponent), exponent)),
    );
  }
  let bad = v128.any_true(found);
  for (; i < count; i++) {
    const at = (<usize>i) << 2;
    const value = load<f32>(after + at) - load<f32>(before + at);
    store<f32>(out + at, value);
    if (!isFinite(value)) bad = true;
  }
  return bad ? findNonFinite(out, count) : -1;
}

/** Index of the first NaN or infinity, −1 where there is none. */
export function findNonFinite(x: usize, count: i32): i32 {
  const exponent = i32x4.splat(EXPONENT);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const bits = v128.and(v128.load(x + ((<usize>i) << 2)), exponent);
    if (v128.any_true(i32x4.eq(bits, exponent))) break;
  }
  for (; i < count; i++) {
    if ((load<i32>(x + ((<usize>i) << 2)) & EXPONENT) == EXPONENT) return i;
  }
  return -1;
}

/** y ← y + a·x, in f64, rounded once. */
export function addScaled(y: usize, a: f64, x: usize, count: i32): void {
  const factor = f64x2.splat(a);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const at = (<usize>i) << 2;
    const xs = v128.load(x + at);
    const ys = v128.load(y + at);
    const low = f64x2.add(promoteLow(ys), f64x2.mul(factor, promoteLow(xs)));
    const high = f64x2.add(promoteHigh(ys), f64x2.mul(factor, promoteHigh(xs)));
    v128.store(y + at, demote(low, high));
  }
  for (; i < count; i++) {
    const at = (<usize>i) << 2;
    store<f32>(y + at, <f32>(<f64>load<f32>(y + at) + a * <f64>load<f32>(x + at)));
  }
}
