import { createRng, KumiaiError } from "@kumiai/params";
import { describe, expect, test } from "vitest";
import { drawClass, drawClassShares, drawLogGamma } from "./shares.js";

/** A mean of n draws is off by more than 5 standard errors once in 1.7 million seeds; the seed is fixed. */
const ERRORS = 5;
const DRAWS = 40_000;

describe.each([0.1, 0.5, 0.9, 1, 1.5, 7, 100])("Gamma(%f)", (shape) => {
  const rng = createRng("gamma").split(shape);
  const values = Array.from({ length: DRAWS }, () => Math.exp(drawLogGamma(shape, rng)));
  const mean = values.reduce((sum, value) => sum + value, 0) / DRAWS;

  test(`has mean ${shape} within ${ERRORS} standard errors`, () => {
    expect(Math.abs(mean - shape)).toBeLessThan(ERRORS * Math.sqrt(shape / DRAWS));
  });

  test(`has variance ${shape} within ${ERRORS} standard errors`, () => {
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (DRAWS - 1);
    // Fourth central moment of Gamma(a): 3a² + 6a.
    const standardError = Math.sqrt((3 * shape * shape + 6 * shape - shape * shape) / DRAWS);
    expect(Math.abs(variance - shape)).toBeLessThan(ERRORS * standardError);
  });
});

test("the logarithm of Gamma(0.01) has mean ψ(0.01) and variance ψ′(0.01), within 5 standard errors", () => {
  const rng = createRng("log-gamma");
  const logs = Array.from({ length: DRAWS }, () => drawLogGamma(0.01, rng));
  const mean = logs.reduce((sum, log) => sum + log, 0) / DRAWS;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (DRAWS - 1);
  // ψ(0.01) and ψ′(0.01), Abramowitz & Stegun 6.3 and 6.4. Nearly exponential: the fourth moment is 9 variances squared.
  expect(Math.abs(mean - -100.56088545786868)).toBeLessThan(5 * Math.sqrt(10001.62 / DRAWS));
  expect(Math.abs(variance - 10001.6212135283)).toBeLessThan(5 * 10001.62 * Math.sqrt(8 / DRAWS));
});

describe.each([0.05, 0.5, 1, 20])("Dirichlet(%f, …) over ten classes", (concentration) => {
  const rng = createRng("dirichlet").split(concentration);
  const drawn = Array.from({ length: 5000 }, () => drawClassShares(10, concentration, rng));

  test("every share has mean 1/10, within 5 standard errors", () => {
    const variance = 0.09 / (10 * concentration + 1);
    for (let k = 0; k < 10; k++) {
      const mean = drawn.reduce((sum, shares) => sum + (shares[k] ?? 0), 0) / drawn.length;
      expect(Math.abs(mean - 0.1)).toBeLessThan(5 * Math.sqrt(variance / drawn.length));
    }
  });

  test("the sum of squared shares has mean (a + 1)/(10·a + 1), within 5 standard errors", () => {
    const squares = drawn.map((shares) => shares.reduce((sum, share) => sum + share * share, 0));
    const mean = squares.reduce((sum, one) => sum + one, 0) / squares.length;
    const variance = squares.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (squares.length - 1);
    const expected = (concentration + 1) / (10 * concentration + 1);
    expect(Math.abs(mean - expected)).toBeLessThan(5 * Math.sqrt(variance / squares.length));
  });
});

test.each([Number.MIN_VALUE, 1e-300, 1e-6, 0.01, 1e6])("a = %f: shares are finite and sum to 1 within 1e-12", (a) => {
  const rng = createRng(3).split(a);
  for (let i = 0; i < 500; i++) {
    const shares = drawClassShares(10, a, rng);
    expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
    expect(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1)).toBeLessThan(1e-12);
    if (a <= 1e-6) expect(shares.filter((share) => share === 1)).toHaveLength(1);
    if (a === 1e6) expect(Math.max(...shares.map((share) => Math.abs(share - 0.1)))).toBeLessThan(0.001);
  }
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("a = %f is refused", (a) => {
  expect(() => drawClassShares(10, a, createRng(1))).toThrow(KumiaiError);
});

test("classes are drawn by their shares, within 5 standard errors; those without a share never", () => {
  const shares = [0, 0.7, 0, 0.3, 0];
  const rng = createRng(8);
  const counts = shares.map(() => 0);
  for (let i = 0; i < DRAWS; i++) counts[drawClass(shares, rng)]++;
  expect([counts[0], counts[2], counts[4]]).toEqual([0, 0, 0]);
  expect(Math.abs(counts[1] / DRAWS - 0.7)).toBeLessThan(5 * Math.sqrt(0.21 / DRAWS));
});

test("shares whose sum rounding left below 1 still give a class", () => {
  const highest = { ...createRng(1), uniform: () => 1 - 2 ** -32 };
  expect(drawClass([0.5, 0.49999, 0], highest)).toBe(1);
});
