import { expect, test } from "vitest";
import { pairedBootstrap95, signTestP } from "./paired.js";

test("the sign test equals binomial tails worked by hand to 1e-12", () => {
  expect(signTestP([1, 2, 3, 4, 5])).toBeCloseTo(2 / 32, 12);
  expect(signTestP([-1, 2, 3, 4, 5])).toBeCloseTo((2 * (1 + 5)) / 32, 12);
  expect(signTestP([1, -1])).toBe(1);
  expect(signTestP([0, 3, 0, 1])).toBeCloseTo(0.5, 12);
  expect(signTestP([0, 0])).toBeNull();
  expect(signTestP([])).toBeNull();
});

test("with two seeds the bootstrap knows three means: the extremes have a quarter each, so they are the interval", () => {
  expect(pairedBootstrap95([1, 5])).toEqual([1, 5]);
  expect(pairedBootstrap95([1])).toBeNull();
});

test("four seeds by hand: the mean 0 has 1/256 of all draws, the mean 1 has 12/256, so 2.5 % are reached at 1", () => {
  expect(pairedBootstrap95([0, 4, 4, 4])).toEqual([1, 4]);
});

test("the interval moves with the data, mirrors with its sign, and ignores the order of seeds, to 1e-12", () => {
  for (const values of [
    [0.3, -1.2, 2.5, 0.1, 0.9],
    [0.3, -1.2, 2.5, 0.1, 0.9, 4, -2, 0.5, 1.5, 0.7, 1.1],
  ]) {
    const [low, high] = pairedBootstrap95(values) ?? [0, 0];
    const mean = values.reduce((a, b) => a + b) / values.length;
    expect(low).toBeLessThan(mean);
    expect(high).toBeGreaterThan(mean);
    const moved = pairedBootstrap95(values.map((value) => 3 * value + 10)) ?? [0, 0];
    expect(moved[0]).toBeCloseTo(3 * low + 10, 12);
    expect(moved[1]).toBeCloseTo(3 * high + 10, 12);
    const mirrored = pairedBootstrap95(values.map((value) => -value)) ?? [0, 0];
    expect(mirrored[0]).toBeCloseTo(-high, 12);
    expect(mirrored[1]).toBeCloseTo(-low, 12);
  }
  const exact = [0.3, -1.2, 2.5, 0.1, 0.9];
  const [low, high] = pairedBootstrap95(exact) ?? [0, 0];
  const turned = pairedBootstrap95(exact.toReversed()) ?? [0, 0];
  expect(turned[0]).toBeCloseTo(low, 12);
  expect(turned[1]).toBeCloseTo(high, 12);
});

test("the random resamples of 8 seeds agree with the normal approximation within 15 % of its length", () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8];
  const [low, high] = pairedBootstrap95(values) ?? [0, 0];
  // The bootstrap's standard error of the mean is √(Σ(x − 4.5)²)/n = √42/8 = 0.810.
  expect(Math.abs(high - low - 2 * 1.96 * 0.81)).toBeLessThan(0.15 * 2 * 1.96 * 0.81);
});
