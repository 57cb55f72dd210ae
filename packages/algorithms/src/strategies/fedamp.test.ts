import { createRng } from "@kumiai/params";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createStrategy } from "../registry.js";
import { specOf } from "../testing/federation.js";
import { mixingOf, roundOfLevels } from "../testing/levels.js";
import { attentiveWeights } from "./fedamp.js";

const E1 = Math.exp(-1);

/** Symmetric, zero on the diagonal. */
function distances(seed: number, count: number): Float64Array {
  const rng = createRng(seed);
  const out = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const distance = rng.uniform();
      out[i * count + j] = distance;
      out[j * count + i] = distance;
    }
  }
  return out;
}

test("by hand: two clients are one mean distance apart, so each takes pull/e of the other, to f32", () => {
  const { encoders, output } = roundOfLevels("fedamp", { pull: 0.5 }, [0, 10]);
  expect(encoders[0]).toBeCloseTo(5 * E1, 5);
  expect(encoders[1]).toBeCloseTo(10 - 5 * E1, 5);
  expect(mixingOf(output, "a")).toEqual([1 - 0.5 * E1, 0.5 * E1]);
});

test("by hand: the paper's σ; an encoder has 8 params, so clients 1 apart have squared distance 8", () => {
  const { output } = roundOfLevels("fedamp", { pull: 1, sigma: 4, sigmaUnit: "absolute" }, [0, 1]);
  expect(mixingOf(output, "a")[1]).toBeCloseTo(Math.exp(-2), 12);
});

test("who is near counts, who is far does not: of 0, 1 and 100, the first two move towards each other only", () => {
  const { encoders } = roundOfLevels("fedamp", { pull: 1, sigma: 0.1 }, [0, 1, 100]);
  expect(encoders[0]).toBeGreaterThan(0.4);
  expect(encoders[0]).toBeLessThan(0.5);
  expect(encoders[2]).toBeCloseTo(100, 3);
});

test("rows sum to 1 and columns do, to 1e-12: the mean of all encoders stays; weights are those of distances of any scale", () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.integer({ min: 1, max: 9 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (seed, count, pull) => {
        const own = distances(seed, count);
        const options = { sigma: 0.7, sigmaUnit: "mean-distance", pull } as const;
        const weights = attentiveWeights(own, count, options);
        for (let i = 0; i < count; i++) {
          const all = Array.from({ length: count }, (_, j) => j);
          const row = all.reduce((sum, j) => sum + (weights[i * count + j] ?? 0), 0);
          const column = all.reduce((sum, j) => sum + (weights[j * count + i] ?? 0), 0);
          expect(Math.abs(row - 1)).toBeLessThan(1e-12);
          expect(Math.abs(column - 1)).toBeLessThan(1e-12);
          expect(weights[i * count + i]).toBeGreaterThanOrEqual(1 - pull - 1e-12);
        }
        const scaled = attentiveWeights(
          own.map((distance) => distance * 2 ** 20),
          count,
          options,
        );
        expect(scaled).toEqual(weights);
      },
    ),
  );
});

test("pull 0 and equal encoders leave everybody as they are; training is asked to stay near its start", () => {
  expect(roundOfLevels("fedamp", { pull: 0 }, [1, 2, 3]).encoders).toEqual([1, 2, 3]);
  expect(roundOfLevels("fedamp", {}, [4, 4, 4]).encoders).toEqual([4, 4, 4]);
  const strategy = createStrategy("fedamp", { proximalWeight: 0.25 });
  expect(strategy.assignment(null, specOf({ id: "a" }))).toMatchObject({ proximalWeight: 0.25, frozen: [] });
});
