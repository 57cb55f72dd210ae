import fc from "fast-check";
import { expect, test } from "vitest";
import { createRng, type Rng } from "./rng.js";

const draw = (rng: Rng, count: number): number[] => Array.from({ length: count }, () => rng.uniform());

test("the stream of a seed is fixed: these are the first numbers of seed 7, for good", () => {
  // Every published number of the project hangs on them; a change here is a change of all results.
  expect(draw(createRng(7), 3)).toMatchInlineSnapshot(`
    [
      0.2166385983582586,
      0.7919939574785531,
      0.4116711432579905,
    ]
  `);
  expect(draw(createRng(7).split("round-3").split("client-a"), 2)).toMatchInlineSnapshot(`
    [
      0.967519698664546,
      0.8160698669962585,
    ]
  `);
});

test("equal paths give equal streams; other seeds, labels and orders of labels give others", () => {
  fc.assert(
    fc.property(fc.integer(), fc.string(), fc.string(), (seed, a, b) => {
      const stream = (path: readonly string[], from = seed): string =>
        draw(
          path.reduce((rng: Rng, label) => rng.split(label), createRng(from)),
          4,
        ).join();
      expect(stream([a, b])).toBe(stream([a, b]));
      expect(stream([a], seed)).not.toBe(stream([a], seed + 1));
      expect(stream([a])).not.toBe(stream([]));
      if (a !== b) {
        expect(stream([a])).not.toBe(stream([b]));
        expect(stream([a, b])).not.toBe(stream([b, a]));
      }
    }),
  );
});

test("a number and its text are different labels", () => {
  expect(draw(createRng(1).split(3), 2)).not.toEqual(draw(createRng(1).split("3"), 2));
});

test("splitting does not depend on how much was drawn, and drawing from a child moves no parent", () => {
  const fresh = createRng("s");
  const used = createRng("s");
  draw(used, 100);
  used.normal();
  expect(draw(used.split("x"), 5)).toEqual(draw(fresh.split("x"), 5));
  draw(fresh.split("x"), 50);
  expect(draw(fresh, 5)).toEqual(draw(createRng("s"), 5));
});

test("uniform numbers lie in [0, 1), with mean 1/2 and variance 1/12 within five standard errors", () => {
  const count = 100_000;
  const values = draw(createRng(11), count);
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  expect(Math.abs(mean - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / count));
  expect(Math.abs(variance - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / count));
});

test("normal numbers have mean 0, variance 1 and kurtosis 3 within five standard errors", () => {
  const count = 100_000;
  const rng = createRng(12);
  const values = Array.from({ length: count }, () => rng.normal());
  const moment = (power: number): number => values.reduce((sum, value) => sum + value ** power, 0) / count;
  expect(values.every(Number.isFinite)).toBe(true);
  expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(count));
  expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
  expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
});

test("siblings are uncorrelated within five standard errors", () => {
  const count = 20_000;
  const [a, b] = ["client-a", "client-b"].map((label) => draw(createRng(3).split(label), count)) as [
    number[],
    number[],
  ];
  const covariance = a.reduce((sum, value, i) => sum + (value - 0.5) * ((b[i] ?? 0) - 0.5), 0) / count;
  expect(Math.abs(covariance)).toBeLessThan(5 / 12 / Math.sqrt(count));
});

test("int reaches every value below its bound and none else", () => {
  const rng = createRng(5);
  const seen = new Set(Array.from({ length: 1000 }, () => rng.int(7)));
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test("a shuffle is a permutation, leaves its input alone, and every order of three comes up about equally often", () => {
  const rng = createRng(9);
  const items = ["a", "b", "c"];
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = rng.shuffled(items).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(items).toEqual(["a", "b", "c"]);
  expect(counts.size).toBe(6);
  // Binomial with p = 1/6: standard deviation 28.9; five of them.
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(145);
  expect(rng.shuffled([])).toEqual([]);
});
