import { createRng } from "@kumiai/params";
import fc from "fast-check";
import { expect, test } from "vitest";
import { maxDifference, randomVector } from "../testing/federation.js";
import { mixingOf, roundOfLevels } from "../testing/levels.js";
import { regularizedWeights } from "./fedmtl.js";

test("by hand: two clients have one way to differ; strength 1 halves their distance, to f32", () => {
  for (const relationships of ["learned", "uniform"]) {
    const { encoders, output } = roundOfLevels("fedmtl", { relationships }, [0, 8]);
    expect(maxDifference(encoders, [2, 6])).toBeLessThan(1e-6);
    expect(maxDifference(mixingOf(output, "a"), [0.75, 0.25])).toBeLessThan(1e-12);
  }
});

test("strength 0 leaves everybody alone, a very large one gives the plain mean, to 1e-5 of the levels", () => {
  const levels = [1, -2, 6, 11];
  expect(maxDifference(roundOfLevels("fedmtl", { strength: 0 }, levels).encoders, levels)).toBeLessThan(1e-5);
  expect(maxDifference(roundOfLevels("fedmtl", { strength: 1e9 }, levels).encoders, [4, 4, 4, 4])).toBeLessThan(1e-5);
});

/** Rows of params in the plane: two groups far apart along x, a little noise along y. */
const GROUPS = [
  [0, 1],
  [0, -1],
  [40, 1],
  [40, -1],
] as const;

function weightsOf(
  rows: readonly ArrayLike<number>[],
  options: Parameters<typeof regularizedWeights>[2],
): Float64Array {
  const far = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
    Array.from(a).reduce((sum, x, p) => sum + (x - (b[p] ?? 0)) ** 2, 0);
  return regularizedWeights(Float64Array.from(rows.flatMap((a) => rows.map((b) => far(a, b)))), rows.length, options);
}

function mixed(rows: readonly ArrayLike<number>[], weights: Float64Array): readonly (readonly number[])[] {
  return rows.map((_, i) =>
    Array.from(rows[0] ?? [], (_, p) =>
      rows.reduce((sum, row, j) => sum + (weights[i * rows.length + j] ?? 0) * (row[p] ?? 0), 0),
    ),
  );
}

test("learned relationships keep groups apart and smooth what is not shared; uniform ones shrink both alike", () => {
  const spread = (relationships: "learned" | "uniform"): readonly [number, number] => {
    const [a, , c] = mixed(GROUPS, weightsOf(GROUPS, { strength: 1, relationships }));
    return [((c?.[0] ?? 0) - (a?.[0] ?? 0)) / 40, (a?.[1] ?? 0) / 1];
  };
  const [across, within] = spread("learned");
  // Eigenvalues of B: 1600 along x, 4 along y: σ = 40/42 and 2/42, σ̄ = 1/3.
  expect(across).toBeCloseTo(40 / 42 / (40 / 42 + 1 / 3), 10);
  expect(within).toBeCloseTo(2 / 42 / (2 / 42 + 1 / 3), 10);
  const [acrossUniform, withinUniform] = spread("uniform");
  expect(acrossUniform).toBeCloseTo(0.5, 10);
  expect(withinUniform).toBeCloseTo(0.5, 10);
});

test("rows sum to 1, weights are symmetric, and neither scale, shift nor rotation matters, to 1e-7", () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.integer({ min: 1, max: 8 }),
      fc.double({ min: 0, max: 10, noNaN: true }),
      (seed, count, strength) => {
        const rows = Array.from({ length: count }, (_, i) => randomVector(createRng(seed).split(i), 6));
        const options = { strength, relationships: "learned" } as const;
        const weights = weightsOf(rows, options);
        for (let i = 0; i < count; i++) {
          const sum = weights.subarray(i * count, (i + 1) * count).reduce((total, weight) => total + weight, 0);
          expect(Math.abs(sum - 1)).toBeLessThan(1e-9);
          for (let j = 0; j < i; j++) {
            expect(Math.abs((weights[i * count + j] ?? 0) - (weights[j * count + i] ?? 0))).toBeLessThan(1e-9);
          }
        }
        // Eigenvalues that are 0 in truth come out as some 1e-16, of which the root is taken.
        const elsewhere = rows.map(([x = 0, y = 0, ...others]) => [3 + 8 * y, 1 - 8 * x, ...others.map((z) => 8 * z)]);
        expect(maxDifference(weightsOf(elsewhere, options), weights)).toBeLessThan(1e-7);
      },
    ),
    { examples: [[543, 7, 0]] },
  );
});

test("the result minimizes ½‖V − W‖² + λσ̄/2·tr((V − w̄1ᵀ)Σ⁻¹(V − w̄1ᵀ)ᵀ): its gradient is 0, to 1e-9", () => {
  // Along x and y, Σ⁻¹ acts as 42/40 and 42/2 on the ways in which the rows differ; λσ̄ = 2/3.
  const V = mixed(GROUPS, weightsOf(GROUPS, { strength: 2, relationships: "learned" }));
  V.forEach(([x = 0, y = 0], i) => {
    const [wx = 0, wy = 0] = GROUPS[i] ?? [];
    expect(x - wx + (2 / 3) * (42 / 40) * (x - 20)).toBeCloseTo(0, 9);
    expect(y - wy + (2 / 3) * (42 / 2) * y).toBeCloseTo(0, 9);
  });
});
