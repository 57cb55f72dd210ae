/**
 * The loops in which the conflict-averse solve spends its time. The order of every sum is fixed, so results are the same on every run.
 *
 * `as number` stands for what the callers' indices guarantee: `?? 0` and destructuring make these loops two to three times as slow.
 */

/** y ← y + a·x over `length` entries, those of x from `start` on. */
export function addScaled(y: Float64Array, a: number, x: Float64Array, start: number, length: number): void {
  for (let i = 0; i < length; i++) y[i] = (y[i] as number) + a * (x[start + i] as number);
}

/** Four running sums: the order is fixed, and the sums do not wait for each other. */
export function dot(x: Float64Array, xStart: number, y: Float64Array, yStart: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    s0 += (x[xStart + i] as number) * (y[yStart + i] as number);
    s1 += (x[xStart + i + 1] as number) * (y[yStart + i + 1] as number);
    s2 += (x[xStart + i + 2] as number) * (y[yStart + i + 2] as number);
    s3 += (x[xStart + i + 3] as number) * (y[yStart + i + 3] as number);
  }
  for (; i < length; i++) s0 += (x[xStart + i] as number) * (y[yStart + i] as number);
  return s0 + s1 + (s2 + s3);
}

/** Σ_i factors_i · (row members_i of the matrix), four rows at a time. */
export function combineRowsInto(
  out: Float64Array,
  matrix: Float64Array,
  members: readonly number[],
  factors: Float64Array,
): void {
  const count = out.length;
  out.fill(0);
  let i = 0;
  for (; i + 3 < members.length; i += 4) {
    const f0 = factors[i] as number;
    const f1 = factors[i + 1] as number;
    const f2 = factors[i + 2] as number;
    const f3 = factors[i + 3] as number;
    const r0 = (members[i] as number) * count;
    const r1 = (members[i + 1] as number) * count;
    const r2 = (members[i + 2] as number) * count;
    const r3 = (members[i + 3] as number) * count;
    for (let j = 0; j < count; j++) {
      const left = f0 * (matrix[r0 + j] as number) + f1 * (matrix[r1 + j] as number);
      const right = f2 * (matrix[r2 + j] as number) + f3 * (matrix[r3 + j] as number);
      out[j] = (out[j] as number) + (left + right);
    }
  }
  for (; i < members.length; i++) addScaled(out, factors[i] ?? 0, matrix, (members[i] ?? 0) * count, count);
}

/** wᵀGw for w ≥ 0; rounding may leave it below 0. */
export function quadraticForm(gram: Float64Array, weights: Float64Array): number {
  const count = weights.length;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const weight = weights[i] as number;
    if (weight > 0) sum += weight * dot(gram, i * count, weights, 0, count);
  }
  return sum;
}
