/** 16-bit floats from and to f32. Conventions: index.ts. */
import { EXPONENT } from "./common";

/** IEEE binary16 → f32, exact; a NaN keeps its payload. */
export function fromHalf(out: usize, bits: usize, count: i32): void {
  const magnitude = i32x4.splat(0x7fff);
  const infinite = i32x4.splat(0x7c00);
  // 2¹¹² moves the exponent of binary16 to that of f32; subnormals come out right, since the product is exact.
  const rebias = f32x4.splat(5192296858534827628530496329220096.0);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const half = v128.load16x4_u(bits + ((<usize>i) << 1));
    const rest = v128.and(half, magnitude);
    const sign = i32x4.shl(v128.xor(half, rest), 16);
    const shifted = i32x4.shl(rest, 13);
    const special = v128.and(i32x4.ge_s(rest, infinite), i32x4.splat(EXPONENT));
    v128.store(out + ((<usize>i) << 2), v128.or(v128.or(f32x4.mul(shifted, rebias), special), sign));
  }
  for (; i < count; i++) store<f32>(out + ((<usize>i) << 2), halfValue(load<u16>(bits + ((<usize>i) << 1))));
}

function halfValue(half: u32): f32 {
  const rest = half & 0x7fff;
  const special: u32 = rest >= 0x7c00 ? EXPONENT : 0;
  const value = reinterpret<u32>(reinterpret<f32>(rest << 13) * <f32>5192296858534827628530496329220096.0);
  return reinterpret<f32>(value | special | ((half & 0x8000) << 16));
}

/** f32 → IEEE binary16, to nearest, ties to even; beyond its range an infinity, NaN becomes 0x7e00. */
export function toHalf(bits: usize, x: usize, count: i32): void {
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const at = x + ((<usize>i) << 2);
    v128.store(bits + ((<usize>i) << 1), i16x8.narrow_i32x4_u(halfBits4(v128.load(at)), halfBits4(v128.load(at, 16))));
  }
  for (; i < count; i++) {
    store<u16>(bits + ((<usize>i) << 1), <u16>halfBits(load<u32>(x + ((<usize>i) << 2))));
  }
}

/** As `halfBits`, of four numbers. */
// @ts-expect-error: decorator
@inline
function halfBits4(value: v128): v128 {
  const magnitude = v128.and(value, i32x4.splat(0x7fffffff));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, i32x4.splat(0xc8000fff)), odd), 13);
  const small = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000));
  let rounded = v128.bitselect(small, normal, i32x4.lt_s(magnitude, i32x4.splat(0x38800000)));
  rounded = v128.bitselect(i32x4.splat(0x7c00), rounded, i32x4.ge_s(magnitude, i32x4.splat(0x477ff000)));
  const sign = v128.and(i32x4.shr_u(value, 16), i32x4.splat(0x8000));
  return v128.bitselect(i32x4.splat(0x7e00), v128.or(rounded, sign), i32x4.gt_s(magnitude, i32x4.splat(EXPONENT)));
}

// @ts-expect-error: decorator
@inline
function halfBits(value: u32): u32 {
  const magnitude = value & 0x7fffffff;
  const sign = (value >> 16) & 0x8000;
  if (magnitude > <u32>EXPONENT) return 0x7e00;
  // 65520, half way beyond the largest number.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2⁻¹⁴: adding 0.5 makes the adder round at a multiple of 2⁻²⁴.
  if (magnitude < 0x38800000) return sign | (reinterpret<u32>(reinterpret<f32>(magnitude) + <f32>0.5) - 0x3f000000);
  const odd = (magnitude >> 13) & 1;
  return sign | ((magnitude + 0xc8000fff + odd) >> 13);
}

/** bfloat16 → f32: the upper half of its bits. */
export function fromBrain(out: usize, bits: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    v128.store(out + ((<usize>i) << 2), i32x4.shl(v128.load16x4_u(bits + ((<usize>i) << 1)), 16));
  }
  for (; i < count; i++) store<u32>(out + ((<usize>i) << 2), (<u32>load<u16>(bits + ((<usize>i) << 1))) << 16);
}

/** f32 → bfloat16, to nearest, ties to even; NaN becomes 0x7fc0. */
export function toBrain(bits: usize, x: usize, count: i32): void {
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const at = x + ((<usize>i) << 2);
    v128.store(bits + ((<usize>i) << 1), i16x8.narrow_i32x4_u(brainBits4(v128.load(at)), brainBits4(v128.load(at, 16))));
  }
  for (; i < count; i++) {
    const value = load<u32>(x + ((<usize>i) << 2));
    const isNaN = (value & 0x7fffffff) > <u32>EXPONENT;
    const rounded = (value + 0x7fff + ((value >> 16) & 1)) >> 16;
    store<u16>(bits + ((<usize>i) << 1), <u16>(isNaN ? 0x7fc0 : rounded));
  }
}

// @ts-expect-error: decorator
@inline
function brainBits4(value: v128): v128 {
  const odd = v128.and(i32x4.shr_u(value, 16), i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(value, i32x4.splat(0x7fff)), odd), 16);
  const magnitude = v128.and(value, i32x4.splat(0x7fffffff));
  return v128.bitselect(i32x4.splat(0x7fc0), rounded, i32x4.gt_s(magnitude, i32x4.splat(EXPONENT)));
}
