import { createRng } from "@kumiai/params";
import fc from "fast-check";
import { expect, test } from "vitest";
import { solveConflictAverse } from "./conflict-averse.js";
import { maxDifference } from "./testing/federation.js";
import { gramOf, norm } from "./testing/vectors.js";

const entry = fc.float({ min: -100, max: 100, noNaN: true, noDefaultInfinity: true });
const deltaSets = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 7 })).chain(([count, size]) =>
  fc.array(
    fc.array(entry, { minLength: size, maxLength: size }).map((row) => Float32Array.from(row)),
    { minLength: count, maxLength: count },
  ),
);
const radii = fc.double({ min: 0, max: 2, noNaN: true });

function direction(deltas: readonly Float32Array[], factors: Float64Array): Float64Array {
  return Float64Array.from(deltas[0] ?? [], (_, p) =>
    deltas.reduce((sum, delta, i) => sum + (factors[i] ?? 0) * (delta[p] ?? 0), 0),
  );
}

function largestNorm(deltas: readonly Float32Array[]): number {
  return Math.max(...deltas.map((delta) => norm(delta)));
}

test("weights lie on the simplex to 1e-12", () => {
  fc.assert(
    fc.property(deltaSets, radii, (deltas, radius) => {
      const { weights } = solveConflictAverse(gramOf(deltas), radius);
      expect(weights.every((weight) => weight >= 0)).toBe(true);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    }),
  );
});

test("weights are at least as good as uniform ones and as every single client, to 1e-6 of the largest term", () => {
  fc.assert(
    fc.property(deltaSets, radii, (deltas, radius) => {
      const count = deltas.length;
      const gram = gramOf(deltas);
      const { weights } = solveConflictAverse(gram, radius);
      const form = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
        gram.reduce((sum, value, at) => sum + value * (x[Math.floor(at / count)] ?? 0) * (y[at % count] ?? 0), 0);
      const uniform = new Float64Array(count).fill(1 / count);
      const meanNorm = Math.sqrt(Math.max(0, form(uniform, uniform)));
      const objective = (x: ArrayLike<number>): number =>
        form(uniform, x) + radius * meanNorm * Math.sqrt(Math.max(0, form(x, x)));
      const noise = 1e-6 * (1 + radius) * largestNorm(deltas) ** 2;
      const rivals = [uniform, ...deltas.map((_, i) => uniform.map((__, j) => (i === j ? 1 : 0)))];
      for (const rival of rivals) expect(objective(weights)).toBeLessThanOrEqual(objective(rival) + noise);
    }),
  );
});

test("radius 0 gives the mean to 1e-6 of the longest update", () => {
  fc.assert(
    fc.property(deltaSets, (deltas) => {
      const { factors } = solveConflictAverse(gramOf(deltas), 0);
      const mean = direction(deltas, new Float64Array(deltas.length).fill(1 / deltas.length));
      expect(maxDifference(direction(deltas, factors), mean)).toBeLessThanOrEqual(1e-6 * largestNorm(deltas));
    }),
  );
});

test("scaling all updates by a power of two leaves weights and factors as they are, bit for bit", () => {
  fc.assert(
    fc.property(deltaSets, radii, fc.integer({ min: -40, max: 40 }), (deltas, radius, exponent) => {
      const scaled = deltas.map((delta) => delta.map((value) => value * 2 ** exponent));
      const isNormal = (value: number): boolean => value === 0 || Math.abs(value) > 2 ** -80;
      fc.pre(deltas.every((delta) => delta.every(isNormal)));
      expect(solveConflictAverse(gramOf(scaled), radius)).toEqual(solveConflictAverse(gramOf(deltas), radius));
    }),
  );
});

test("the direction stays within c·‖g₀‖ of g₀ before rescaling, to 1e-4 relative", () => {
  fc.assert(
    fc.property(deltaSets, radii, (deltas, radius) => {
      const { factors } = solveConflictAverse(gramOf(deltas), radius);
      const mean = direction(deltas, new Float64Array(deltas.length).fill(1 / deltas.length));
      const unscaled = direction(deltas, factors).map((value) => value * (1 + radius * radius));
      const distance = Math.hypot(...unscaled.map((value, p) => value - (mean[p] ?? 0)));
      expect(distance).toBeLessThanOrEqual(radius * Math.hypot(...mean) * (1 + 1e-4) + 1e-6 * largestNorm(deltas));
    }),
  );
});

test("Grams of updates from 1e-150 to 1e150 give weights on the simplex and finite factors", () => {
  const exponent = fc.integer({ min: -150, max: 150 });
  const signs = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 2, maxLength: 2 });
  fc.assert(
    fc.property(fc.array(fc.tuple(exponent, signs), { minLength: 1, maxLength: 8 }), radii, (updates, radius) => {
      const rows = updates.map(([power, row]) => row.map((value) => value * 10 ** power));
      const gram = Float64Array.from(
        rows.flatMap((x) => rows.map((y) => x.reduce((sum, v, p) => sum + v * (y[p] ?? 0), 0))),
      );
      const { weights, factors } = solveConflictAverse(gram, radius);
      expect(weights.every((weight) => weight >= 0)).toBe(true);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
      expect(factors.every(Number.isFinite)).toBe(true);
    }),
  );
});

test("Grams that errors of 10 % made indefinite give weights on the simplex and finite factors", () => {
  fc.assert(
    fc.property(deltaSets, radii, fc.nat(), (deltas, radius, seed) => {
      const count = deltas.length;
      const rng = createRng(seed);
      const gram = gramOf(deltas);
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < i; j++) {
          const error = 0.1 * rng.normal() * Math.sqrt((gram[i * count + i] ?? 0) * (gram[j * count + j] ?? 0));
          gram[i * count + j] = gram[j * count + i] = (gram[i * count + j] ?? 0) + error;
        }
      }
      const { weights, factors } = solveConflictAverse(gram, radius);
      expect(weights.every((weight) => weight >= 0)).toBe(true);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
      expect(factors.every(Number.isFinite)).toBe(true);
    }),
  );
});
