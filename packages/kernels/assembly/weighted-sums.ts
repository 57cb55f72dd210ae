/** Sums of many rows into many outputs. Conventions: index.ts. */
import { demote, promoteHigh, promoteLow } from "./common";

/** outs_m ← Σ_r factors[m·rowCount + r]·rows_r, in f64 from the first row on, rounded once. */
export function weightedSums(outs: usize, outCount: i32, factors: usize, rows: usize, rowCount: i32, count: i32): void {
  let m = 0;
  for (; m + 4 <= outCount; m += 4) {
    weightedSums4(outs + ((<usize>m) << 2), factors + ((<usize>(m * rowCount)) << 3), rows, rowCount, count);
  }
  for (; m < outCount; m++) {
    weightedSum(load<u32>(outs + ((<usize>m) << 2)), factors + ((<usize>(m * rowCount)) << 3), rows, rowCount, count);
  }
}

function weightedSum(out: usize, factors: usize, rows: usize, rowCount: i32, count: i32): void {
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const at = (<usize>i) << 2;
    let s0 = f64x2.splat(0);
    let s1 = f64x2.splat(0);
    let s2 = f64x2.splat(0);
    let s3 = f64x2.splat(0);
    for (let r = 0; r < rowCount; r++) {
      const row = <usize>load<u32>(rows + ((<usize>r) << 2)) + at;
      const factor = v128.load64_splat(factors + ((<usize>r) << 3));
      const x0 = v128.load(row);
      const x1 = v128.load(row, 16);
      s0 = f64x2.add(s0, f64x2.mul(factor, promoteLow(x0)));
      s1 = f64x2.add(s1, f64x2.mul(factor, promoteHigh(x0)));
      s2 = f64x2.add(s2, f64x2.mul(factor, promoteLow(x1)));
      s3 = f64x2.add(s3, f64x2.mul(factor, promoteHigh(x1)));
    }
    v128.store(out + at, demote(s0, s1));
    v128.store(out + at, demote(s2, s3), 16);
  }
  for (; i < count; i++) {
    const at = (<usize>i) << 2;
    let sum: f64 = 0;
    for (let r = 0; r < rowCount; r++) {
      const x = <f64>load<f32>(<usize>load<u32>(rows + ((<usize>r) << 2)) + at);
      sum += load<f64>(factors + ((<usize>r) << 3)) * x;
    }
    store<f32>(out + at, <f32>sum);
  }
}

/** Four outputs at once: each row is loaded and widened once for all of them. */
function weightedSums4(outs: usize, factors: usize, rows: usize, rowCount: i32, count: i32): void {
  const stride = (<usize>rowCount) << 3;
  const out0 = <usize>load<u32>(outs);
  const out1 = <usize>load<u32>(outs, 4);
  const out2 = <usize>load<u32>(outs, 8);
  const out3 = <usize>load<u32>(outs, 12);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const at = (<usize>i) << 2;
    let a0 = f64x2.splat(0);
    let a1 = f64x2.splat(0);
    let b0 = f64x2.splat(0);
    let b1 = f64x2.splat(0);
    let c0 = f64x2.splat(0);
    let c1 = f64x2.splat(0);
    let d0 = f64x2.splat(0);
    let d1 = f64x2.splat(0);
    let factor = factors;
    for (let r = 0; r < rowCount; r++) {
      const x = v128.load(<usize>load<u32>(rows + ((<usize>r) << 2)) + at);
      const low = promoteLow(x);
      const high = promoteHigh(x);
      const fa = v128.load64_splat(factor);
      a0 = f64x2.add(a0, f64x2.mul(fa, low));
      a1 = f64x2.add(a1, f64x2.mul(fa, high));
      const fb = v128.load64_splat(factor + stride);
      b0 = f64x2.add(b0, f64x2.mul(fb, low));
      b1 = f64x2.add(b1, f64x2.mul(fb, high));
      const fc = v128.load64_splat(factor + 2 * stride);
      c0 = f64x2.add(c0, f64x2.mul(fc, low));
      c1 = f64x2.add(c1, f64x2.mul(fc, high));
      const fd = v128.load64_splat(factor + 3 * stride);
      d0 = f64x2.add(d0, f64x2.mul(fd, low));
      d1 = f64x2.add(d1, f64x2.mul(fd, high));
      factor += 8;
    }
    v128.store(out0 + at, demote(a0, a1));
    v128.store(out1 + at, demote(b0, b1));
    v128.store(out2 + at, demote(c0, c1));
    v128.store(out3 + at, demote(d0, d1));
  }
  for (; i < count; i++) {
    const at = (<usize>i) << 2;
    for (let m = 0; m < 4; m++) {
      let sum: f64 = 0;
      for (let r = 0; r < rowCount; r++) {
        const x = <f64>load<f32>(<usize>load<u32>(rows + ((<usize>r) << 2)) + at);
        sum += load<f64>(factors + <usize>m * stride + ((<usize>r) << 3)) * x;
      }
      store<f32>(<usize>load<u32>(outs + ((<usize>m) << 2)) + at, <f32>sum);
    }
  }
}

/** sums (f64) ← sums + factor·x: a weighted sum of more rows than memory holds, row by row. */
export function addWeighted(sums: usize, factor: f64, x: usize, count: i32): void {
  const splat = f64x2.splat(factor);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const xs = v128.load(x + ((<usize>i) << 2));
    const at = sums + ((<usize>i) << 3);
    v128.store(at, f64x2.add(v128.load(at), f64x2.mul(splat, promoteLow(xs))));
    v128.store(at, f64x2.add(v128.load(at, 16), f64x2.mul(splat, promoteHigh(xs))), 16);
  }
  for (; i < count; i++) {
    const at = sums + ((<usize>i) << 3);
    store<f64>(at, load<f64>(at) + factor * <f64>load<f32>(x + ((<usize>i) << 2)));
  }
}

/** out (f32) ← sums (f64), rounded. */
export function roundSums(out: usize, sums: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const at = sums + ((<usize>i) << 3);
    v128.store(out + ((<usize>i) << 2), demote(v128.load(at), v128.load(at, 16)));
  }
  for (; i < count; i++) store<f32>(out + ((<usize>i) << 2), <f32>load<f64>(sums + ((<usize>i) << 3)));
}
