/**
 * The hash is good enough for the theory to hold: means, variances and uniformity over many seeds. Every sample is fixed, so the
 * tests never waver; bounds are 5 standard errors, which a true statement passes by far.
 */
import { describe, expect, test } from "vitest";
import { addSketchInto, planSketch, sketchOf } from "./sketch.js";

const SEEDS = 4000;

function dot(x: Float32Array, y: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

const LENGTH = 2000;
/** Nearly normal: twelve numbers of mulberry32 (Ettinger), summed. */
function normals(label: "a" | "b"): Float32Array {
  let state = label === "a" ? 1 : 2 ** 20;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Float32Array.from({ length: LENGTH }, () => Array.from({ length: 12 }, uniform).reduce((a, b) => a + b) - 6);
}
const heavyTailed = (label: "a" | "b"): Float32Array => normals(label).map((value) => value ** 5);
const mixed = (x: Float32Array, a: number, y: Float32Array): Float32Array => x.map((value, i) => value + a * y[i]);
/** Constant along layers of 100, as weights that move together. */
const blocks = Float32Array.from({ length: LENGTH }, (_, i) => 1 + Math.floor(i / 100));
const strided = Float32Array.from({ length: LENGTH }, (_, i) => (i % 64 === 0 ? 1 : 0));

const CASES: readonly (readonly [string, Float32Array, Float32Array])[] = [
  ["independent normals", normals("a"), normals("b")],
  ["a vector with itself", normals("a"), normals("a")],
  ["a vector with its negative, nearly", normals("a"), mixed(normals("b"), -5, normals("a"))],
  ["heavy tails, common part", heavyTailed("a"), mixed(heavyTailed("b"), 0.5, heavyTailed("a"))],
  ["constant along blocks", blocks, blocks],
  ["every 64th element", strided, strided],
];

describe.each([256, 100])("size %d", (size) => {
  test.each(CASES)(
    "%s: ⟨Sx, Sy⟩ has mean ⟨x, y⟩ and the variance of the theory within 5 standard errors",
    (_, x, y) => {
      const estimates = Array.from({ length: SEEDS }, (_, seed) =>
        dot(sketchOf(x, { size, seed }), sketchOf(y, { size, seed })),
      );
      const exact = dot(x, y);
      const shared = x.reduce((sum, value, i) => sum + (value * y[i]) ** 2, 0);
      const theory = (dot(x, x) * dot(y, y) + exact ** 2 - 2 * shared) / size;

      const mean = estimates.reduce((sum, value) => sum + value, 0) / SEEDS;
      expect(Math.abs(mean - exact)).toBeLessThan(5 * Math.sqrt(theory / SEEDS));

      const squares = estimates.map((value) => (value - exact) ** 2);
      const variance = squares.reduce((sum, value) => sum + value, 0) / SEEDS;
      const spread = Math.sqrt(squares.reduce((sum, value) => sum + (value - variance) ** 2, 0) / SEEDS);
      expect(Math.abs(variance - theory)).toBeLessThan((5 * spread) / Math.sqrt(SEEDS));
      // The bound above means something: it is below a quarter of the variance.
      expect((5 * spread) / Math.sqrt(SEEDS)).toBeLessThan(0.25 * theory);
    },
  );
});

/** bucket + size·(sign < 0) of one element. */
function openPlaces(size: number): (seed: number, index: number) => number {
  const sums = new Float64Array(size);
  const one = Float32Array.of(1);
  const length = 2 ** 40;
  return (seed, index) => {
    addSketchInto(sums, planSketch(length, { size, seed }), one, index);
    for (let b = 0; b < size; b++) {
      if (sums[b] === 0) continue;
      const isNegative = sums[b] < 0;
      sums[b] = 0;
      return isNegative ? b + size : b;
    }
    return Number.NaN;
  };
}

/** [seed, index] of the i-th draw. */
const DRAWS: readonly (readonly [string, (i: number) => readonly [number, number]])[] = [
  ["consecutive elements", (i) => [0, i]],
  ["consecutive elements across 2³²", (i) => [0, 2 ** 32 - 50_000 + i]],
  ["every 64th element", (i) => [1, 64 * i]],
  ["every 2¹⁸th element", (i) => [2, 2 ** 18 * i]],
  ["one element, consecutive seeds", (i) => [i, 12_345]],
  ["one element, seeds 2³² apart", (i) => [2 ** 32 * i, 12_345]],
];

test.each(DRAWS)("%s: buckets and signs are uniform by a chi-square test within 5 standard deviations", (_, draw) => {
  const count = 100_000;
  const size = 64;
  const placeOf = openPlaces(size);
  const found = new Float64Array(2 * size);
  for (let i = 0; i < count; i++) found[placeOf(...draw(i))]++;
  const expected = count / (2 * size);
  const chiSquare = found.reduce((sum, value) => sum + (value - expected) ** 2 / expected, 0);
  const freedom = 2 * size - 1;
  expect(Math.abs(chiSquare - freedom)).toBeLessThan(5 * Math.sqrt(2 * freedom));
});

test.each([1, 2, 64, 4096, 2 ** 20, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 39])(
  "elements %d apart share a bucket in 1/m of the seeds, with independent signs, within 5 standard errors",
  (distance) => {
    const count = 60_000;
    const size = 16;
    const placeOf = openPlaces(size);
    let [collisions, signs, signsOfCollisions] = [0, 0, 0];
    for (let seed = 0; seed < count; seed++) {
      const first = placeOf(seed, 1000);
      const second = placeOf(seed, 1000 + distance);
      const product = first < size === second < size ? 1 : -1;
      signs += product;
      if (first % size !== second % size) continue;
      collisions++;
      signsOfCollisions += product;
    }
    const rate = 1 / size;
    expect(Math.abs(collisions - rate * count)).toBeLessThan(5 * Math.sqrt(count * rate * (1 - rate)));
    expect(Math.abs(signs)).toBeLessThan(5 * Math.sqrt(count));
    expect(Math.abs(signsOfCollisions)).toBeLessThan(5 * Math.sqrt(count * rate));
  },
);
