/**
 * The plain backend: one loop per kernel, obviously right, the yardstick of faster ones. Sums run from the first element
 * to the last in one f64 accumulator.
 */
import type { KernelBackend } from "./backend.js";

function dot(x: Float32Array, y: Float32Array): number {
  assertSameLength("dot", x.length, y.length);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

function gram(rows: readonly Float32Array[]): Float64Array {
  const count = rows.length;
  const out = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = i; j < count; j++) {
      const value = dot(rows[i], rows[j]);
      out[i * count + j] = value;
      out[j * count + i] = value;
    }
  }
  return out;
}

function subtractInto(out: Float32Array, after: Float32Array, before: Float32Array): void {
  assertSameLength("subtractInto", out.length, after.length);
  assertSameLength("subtractInto", out.length, before.length);
  for (let i = 0; i < out.length; i++) out[i] = after[i] - before[i];
}

function addScaledInto(y: Float32Array, a: number, x: Float32Array): void {
  assertSameLength("addScaledInto", y.length, x.length);
  for (let i = 0; i < y.length; i++) y[i] = y[i] + a * x[i];
}

function weightedSumInto(out: Float32Array, factors: ArrayLike<number>, rows: readonly Float32Array[]): void {
  assertSameLength("weightedSumInto: factors", rows.length, factors.length);
  for (const row of rows) assertSameLength("weightedSumInto", out.length, row.length);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let r = 0; r < rows.length; r++) sum += factors[r] * rows[r][i];
    out[i] = sum;
  }
}

function findNonFinite(x: Float32Array): number {
  for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i])) return i;
  return -1;
}

function assertSameLength(kernel: string, expected: number, received: number): void {
  if (expected !== received) throw new RangeError(`${kernel}: expected length ${expected}, received ${received}`);
}

export const referenceKernels: KernelBackend = {
  name: "reference",
  dot,
  norm: (x) => Math.sqrt(dot(x, x)),
  gram,
  subtractInto,
  addScaledInto,
  weightedSumInto,
  findNonFinite,
};
