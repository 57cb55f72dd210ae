import { createRng } from "@kumiai/params";
import { describe, expect, test } from "vitest";
import { minimizeFromSupport, objectiveAt, type SimplexProblem } from "./simplex-support.js";
import { randomVector } from "./testing/federation.js";
import { gramOf } from "./testing/vectors.js";

/** G and b = Gu/√(uᵀGu), u the uniform weights. */
function problemOf(rows: readonly Float32Array[], radius: number): SimplexProblem {
  const count = rows.length;
  const gram = gramOf(rows);
  const sums = Float64Array.from(rows, (_, i) => gram.subarray(i * count, (i + 1) * count).reduce((a, b) => a + b, 0));
  const norm = Math.sqrt(sums.reduce((a, b) => a + b, 0));
  return { gram, linear: sums.map((sum) => sum / norm), radius };
}

function vertex(count: number, at: number): Float64Array {
  return new Float64Array(count).map((_, i) => (i === at ? 1 : 0));
}

/** F − min_j ⟨Δ_j, ĝ + ρ·Dw/‖Dw‖⟩: how far F(w) can be above the minimum. */
function gapOf(problem: SimplexProblem, weights: Float64Array): number {
  const { gram, linear, radius } = problem;
  const count = weights.length;
  const image = weights.map((_, i) =>
    gram.subarray(i * count, (i + 1) * count).reduce((sum, value, j) => sum + value * (weights[j] ?? 0), 0),
  );
  const norm = Math.sqrt(image.reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0));
  const gradient = linear.map((value, j) => value + (radius * (image[j] ?? 0)) / norm);
  return objectiveAt(problem, weights) - Math.min(...gradient);
}

describe("minimizeFromSupport", () => {
  test.each([0.1, 0.4, 0.9])(
    "closes the gap to 1e-12 from the uniform point and from every client, c = %d",
    (radius) => {
      const rng = createRng(`starts-${radius}`);
      const rows = Array.from({ length: 24 }, () => randomVector(rng, 10).map((value) => value + 0.2));
      const problem = problemOf(rows, radius);
      const starts = [new Float64Array(24).fill(1 / 24), ...rows.map((_, i) => vertex(24, i))];
      for (const start of starts) expect(gapOf(problem, minimizeFromSupport(problem, start))).toBeLessThan(1e-12);
    },
  );

  test("leaves the kink for where F is negative, gap closed to 1e-12: 40 opposed pairs in 60 dimensions and one more, c = 0.8", () => {
    const rng = createRng("leave-kink");
    const half = Array.from({ length: 40 }, () => randomVector(rng, 60));
    const last = randomVector(rng, 60, 10);
    const rows = [...half, ...half.map((row) => row.map((value) => -value)), last];
    const problem = problemOf(rows, 0.8);
    const kink = new Float64Array(81).map((_, i) => (i < 80 ? 1 / 80 : 0));
    expect(objectiveAt(problem, kink)).toBeCloseTo(0, 7);
    const weights = minimizeFromSupport(problem, kink);
    expect(objectiveAt(problem, weights)).toBeLessThan(0);
    expect(gapOf(problem, weights)).toBeLessThan(1e-12);
    // Enough entries that the walk of the cone is not a matter of a few steps.
    expect(weights.filter((weight) => weight > 0).length).toBeGreaterThan(20);
  });

  test("stays at the kink where F is negative nowhere: d, −d and others on one side of them, c = 0.4", () => {
    const rows = [
      [1, 0],
      [-1, 0],
      [0.1, 1],
      [-0.1, 1],
      [0, 2],
    ].map((row) => Float32Array.from(row));
    const problem = problemOf(rows, 0.4);
    for (const start of [Float64Array.of(0.5, 0.5, 0, 0, 0), new Float64Array(5).fill(0.2)]) {
      const weights = minimizeFromSupport(problem, start);
      expect(weights[0]).toBeCloseTo(0.5, 12);
      expect(weights[1]).toBeCloseTo(0.5, 12);
    }
  });

  test("starts on a zero update: stays there at c = 1, leaves it at c = 0.4 for opposed updates", () => {
    const rows = [
      [0, 0],
      [3, 1],
      [-2, 0.1],
    ].map((row) => Float32Array.from(row));
    expect(minimizeFromSupport(problemOf(rows, 1), vertex(3, 0))).toEqual(vertex(3, 0));
    const below = problemOf(rows, 0.4);
    const weights = minimizeFromSupport(below, vertex(3, 0));
    expect(objectiveAt(below, weights)).toBeLessThan(0);
    expect(gapOf(below, weights)).toBeLessThan(1e-12);
  });
});
