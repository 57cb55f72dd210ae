import { createRng } from "@kumiai/params";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createGrowingCholesky, type GrowingCholesky } from "./growing-cholesky.js";
import { maxDifference, randomVector } from "./testing/federation.js";
import { gramOf } from "./testing/vectors.js";

const COUNT = 12;

/** Adds and removals: a number below COUNT adds that entry, others remove a position. */
const steps = fc.array(fc.nat(2 * COUNT - 1), { maxLength: 40 });

function follow(cholesky: GrowingCholesky, moves: readonly number[]): void {
  for (const move of moves) {
    const { members } = cholesky;
    if (move < COUNT && !members.includes(move)) cholesky.append(move);
    else if (move >= COUNT && members.length > 0) cholesky.removeAt(move % members.length);
  }
}

function pick(values: Float64Array, members: readonly number[]): number[] {
  return members.map((i) => values[i] ?? Number.NaN);
}

test("after any adds and removals, solving G_SS x = G_SS z gives z to 1e-9, and the halves give the squares 1ᵀG⁻¹1, 1ᵀG⁻¹b, bᵀG⁻¹b", () => {
  fc.assert(
    fc.property(fc.nat(), steps, (seed, moves) => {
      const rng = createRng(seed);
      const rows = Array.from({ length: COUNT }, () => randomVector(rng, 2 * COUNT));
      const gram = gramOf(rows);
      const linear = Float64Array.from(randomVector(rng, COUNT));
      const cholesky = createGrowingCholesky(gram, linear);
      follow(cholesky, moves);
      const { members } = cholesky;
      expect(new Set(members).size).toBe(members.length);
      const solve = (right: ArrayLike<number>): Float64Array => {
        const x = Float64Array.from(right);
        cholesky.solveLowerInto(x);
        cholesky.solveUpperInto(x);
        return x;
      };
      const apply = (z: ArrayLike<number>): number[] =>
        members.map((i) => members.reduce((sum, j, at) => sum + (gram[i * COUNT + j] ?? 0) * (z[at] ?? 0), 0));
      const z = randomVector(rng, members.length);
      expect(maxDifference(solve(apply(z)), z)).toBeLessThan(1e-9);

      const inner = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
        members.reduce((sum, _, i) => sum + (x[i] ?? 0) * (y[i] ?? 0), 0);
      const [ones, own] = [members.map(() => 1), pick(linear, members)];
      const { halfOnes, halfLinear } = cholesky;
      expect(inner(halfOnes, halfOnes)).toBeCloseTo(inner(ones, solve(ones)), 9);
      expect(inner(halfOnes, halfLinear)).toBeCloseTo(inner(ones, solve(own)), 9);
      expect(inner(halfLinear, halfLinear)).toBeCloseTo(inner(own, solve(own)), 9);
    }),
  );
});

test("an update that depends on the members stays out and names its coefficients to 1e-9", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: COUNT - 1 }), (seed, size) => {
      const rng = createRng(seed);
      const rows = Array.from({ length: size }, () => Float64Array.from(randomVector(rng, 3 * COUNT)));
      const coefficients = Float64Array.from(randomVector(rng, size));
      const mix = Float64Array.from({ length: 3 * COUNT }, (_, p) =>
        rows.reduce((sum, row, i) => sum + (coefficients[i] ?? 0) * (row[p] ?? 0), 0),
      );
      const all = [...rows, mix];
      const gram = Float64Array.from(
        all.flatMap((x) => all.map((y) => x.reduce((sum, v, p) => sum + v * (y[p] ?? 0), 0))),
      );
      const cholesky = createGrowingCholesky(gram, new Float64Array(size + 1));
      for (let j = 0; j < size; j++) expect(cholesky.append(j)).toBeUndefined();
      const found = cholesky.append(size);
      expect(cholesky.members).toHaveLength(size);
      expect(maxDifference(found ?? [], coefficients)).toBeLessThan(1e-9);
    }),
  );
});

test("a zero update depends on nothing", () => {
  const cholesky = createGrowingCholesky(Float64Array.of(0, 0, 0, 1), Float64Array.of(0, 1));
  expect(cholesky.append(0)).toEqual(new Float64Array(0));
  expect(cholesky.append(1)).toBeUndefined();
  expect(cholesky.append(0)).toEqual(Float64Array.of(0));
  expect(cholesky.members).toEqual([1]);
});
