import { createRng } from "@kumiai/params";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { symmetricEigen } from "./symmetric-eigen.js";

/** XXᵀ − YYᵀ with `rank` columns each: of deficient rank, definite or not. */
function randomSymmetric(seed: number, count: number, rank: number, scale: number): Float64Array {
  const rng = createRng(seed);
  const draw = (): readonly number[][] =>
    Array.from({ length: count }, () => Array.from({ length: rank }, () => scale * rng.normal()));
  const [x, y] = [draw(), seed % 2 === 0 ? [] : draw()];
  const product = (m: readonly number[][], i: number, j: number): number =>
    (m[i] ?? []).reduce((sum, value, k) => sum + value * (m[j]?.[k] ?? 0), 0);
  return Float64Array.from({ length: count * count }, (_, k) => {
    const [i, j] = [Math.floor(k / count), k % count];
    return product(x, Math.max(i, j), Math.min(i, j)) - product(y, Math.max(i, j), Math.min(i, j));
  });
}

const multiply = (count: number, f: (i: number, j: number, k: number) => number): Float64Array =>
  Float64Array.from({ length: count * count }, (_, index) => {
    let sum = 0;
    for (let k = 0; k < count; k++) sum += f(Math.floor(index / count), index % count, k);
    return sum;
  });

describe("symmetricEigen", () => {
  test("puts the matrix together again to 1e-13 of its largest eigenvalue, with orthonormal vectors to 1e-13", () => {
    fc.assert(
      fc.property(
        fc.nat(10_000),
        fc.integer({ min: 1, max: 24 }),
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom(1e-8, 1, 1e8),
        (seed, count, rank, scale) => {
          const matrix = randomSymmetric(seed, count, rank, scale);
          const { values, vectors } = symmetricEigen(matrix, count);
          const v = (i: number, k: number): number => vectors[i * count + k] ?? Number.NaN;
          const again = multiply(count, (i, j, k) => v(i, k) * (values[k] ?? Number.NaN) * v(j, k));
          const largest = Math.max(...values.map(Math.abs));
          again.forEach((value, k) => {
            expect(Math.abs(value - (matrix[k] ?? 0))).toBeLessThanOrEqual(1e-13 * largest);
          });
          const inner = multiply(count, (i, j, k) => v(k, i) * v(k, j));
          inner.forEach((value, k) => {
            expect(Math.abs(value - Number(k % (count + 1) === 0))).toBeLessThan(1e-13);
          });
          expect([...values]).toEqual([...values].sort((a, b) => a - b));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("by hand: [[2, 1], [1, 2]] has eigenvalues 1 and 3, to 1e-15", () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
    expect(values[0]).toBeCloseTo(1, 15);
    expect(values[1]).toBeCloseTo(3, 15);
    expect(Math.abs((vectors[1] ?? 0) - (vectors[3] ?? 0))).toBeLessThan(1e-15);
  });

  test("takes zeros, diagonals and nothing at all", () => {
    expect([...symmetricEigen(new Float64Array(9), 3).values]).toEqual([0, 0, 0]);
    expect([...symmetricEigen(Float64Array.of(5, 0, 0, 0, -1, 0, 0, 0, 2), 3).values]).toEqual([-1, 2, 5]);
    expect(symmetricEigen(new Float64Array(0), 0).values).toHaveLength(0);
  });

  test("refuses entries that are not finite, and a matrix of another size", () => {
    expect(() => symmetricEigen(Float64Array.of(Number.NaN), 1)).toThrow(RangeError);
    expect(() => symmetricEigen(new Float64Array(3), 2)).toThrow(RangeError);
  });
});
