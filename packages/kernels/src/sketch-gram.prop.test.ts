import fc from "fast-check";
import { expect, test } from "vitest";
import { planSketch, sketchOf } from "./sketch.js";
import { shrinkSketchGram } from "./sketch-gram.js";

const LONG = 100_000;
const plan = (size: number) => planSketch(LONG, { size, seed: 0 });

function gramOf(rows: readonly Float32Array[]): Float64Array {
  return Float64Array.from(rows.flatMap((x) => rows.map((y) => x.reduce((sum, value, k) => sum + value * y[k], 0))));
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

function form(gram: Float64Array, x: readonly number[]): number {
  return x.reduce((total, xi, i) => total + xi * x.reduce((row, xj, j) => row + gram[i * x.length + j] * xj, 0), 0);
}

/** Grams of 2 to 6 vectors, zeros and equal ones among them. */
const grams = fc
  .tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 4 }))
  .chain(([count, length]) =>
    fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: length, maxLength: length }), {
      minLength: count,
      maxLength: count,
    }),
  )
  .map((rows) => gramOf(rows.map((row) => Float32Array.from(row))));

test("norms stay bit for bit, the matrix stays symmetric, the input stays as it was", () => {
  fc.assert(
    fc.property(grams, fc.integer({ min: 1, max: 4096 }), (gram, size) => {
      const before = gram.slice();
      const shrunk = shrinkSketchGram(gram, plan(size));
      const count = Math.sqrt(gram.length);
      expect(gram).toEqual(before);
      for (let i = 0; i < count; i++) {
        expect(shrunk[i * (count + 1)]).toBe(gram[i * (count + 1)]);
        for (let j = 0; j < i; j++) expect(shrunk[i * count + j]).toBe(shrunk[j * count + i]);
      }
    }),
  );
});

test("it stays positive semidefinite, to 1e-9 of the trace", () => {
  const factors = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(grams, fc.integer({ min: 1, max: 64 }), factors, (gram, size, x) => {
      const shrunk = shrinkSketchGram(gram, plan(size));
      const count = Math.sqrt(gram.length);
      const trace = sum(shrunk.filter((_, i) => i % (count + 1) === 0));
      expect(form(shrunk, x.slice(0, count))).toBeGreaterThanOrEqual(-1e-9 * (1 + trace));
    }),
  );
});

test("the norm of the sum of equally long vectors is not touched, to 1e-12 of the trace", () => {
  const angles = fc.array(fc.float({ min: 0, max: 6, noNaN: true }), { minLength: 2, maxLength: 7 });
  fc.assert(
    fc.property(angles, fc.integer({ min: 1, max: 64 }), (turns, size) => {
      const gram = Float64Array.from(turns.flatMap((a) => turns.map((b) => Math.cos(a - b))));
      expect(Math.abs(sum(shrinkSketchGram(gram, plan(size))) - sum(gram))).toBeLessThan(1e-12 * turns.length);
    }),
  );
});

test("equal cosines stay as they are, whatever the norms, within 1e-12", () => {
  const gram = Float64Array.of(1, 0.5, 1, 0.5, 1, 1, 1, 1, 4);
  const shrunk = shrinkSketchGram(gram, plan(16));
  shrunk.forEach((value, i) => {
    expect(value).toBeCloseTo(gram[i], 12);
  });
});

test("numbers worked by hand: three unit vectors with cosines 0.5, 0 and 0.1, m = 10", () => {
  // r = 0.2; noise = (0.5625 + 1 + 0.9801)/10 = 0.25426 is above what is seen, 0.14: all cosines become r.
  const gram = Float64Array.of(1, 0.5, 0, 0.5, 1, 0.1, 0, 0.1, 1);
  const merged = [1, 0.2, 0.2, 0.2, 1, 0.2, 0.2, 0.2, 1];
  shrinkSketchGram(gram, plan(10)).forEach((value, i) => {
    expect(value).toBeCloseTo(merged[i], 12);
  });
  // m = 100: γ = 0.025426/0.14.
  const share = 0.025426 / 0.14;
  const off = [0.5, 0, 0.1].map((cosine) => cosine + share * (0.2 - cosine));
  const shrunk = shrinkSketchGram(gram, plan(100));
  expect(shrunk[1]).toBeCloseTo(off[0], 12);
  expect(shrunk[2]).toBeCloseTo(off[1], 12);
  expect(shrunk[5]).toBeCloseTo(off[2], 12);
});

test("an exact plan's Gram, one vector, none: unchanged; a matrix that is not square: RangeError", () => {
  const gram = Float64Array.of(1, 0.5, 0.5, 1);
  expect(shrinkSketchGram(gram, planSketch(10, { seed: 1 }))).toEqual(gram);
  expect(shrinkSketchGram(Float64Array.of(3), plan(16))).toEqual(Float64Array.of(3));
  expect(shrinkSketchGram(new Float64Array(), plan(16))).toHaveLength(0);
  expect(shrinkSketchGram(new Float64Array(9), plan(16))).toEqual(new Float64Array(9));
  expect(() => shrinkSketchGram(new Float64Array(5), plan(16))).toThrow(RangeError);
});

test("sixty orthogonal vectors: the Gram's error falls to less than a quarter; opposed pairs: it does not grow by 1 %", () => {
  const count = 60;
  const block = 100;
  const size = 256;
  const own = (i: number, sign = 1) => {
    const x = new Float32Array(count * block);
    for (let k = 0; k < block; k++) x[i * block + k] = sign * Math.sin(1 + i + k * k);
    return x;
  };
  const errors = (rows: readonly Float32Array[]) => {
    const exact = gramOf(rows);
    const sketched = gramOf(rows.map((row) => sketchOf(row, { size, seed: 3 })));
    const offDiagonal = (gram: Float64Array) =>
      Math.hypot(...gram.map((value, i) => (i % (rows.length + 1) === 0 ? 0 : value - exact[i])));
    return [offDiagonal(sketched), offDiagonal(shrinkSketchGram(sketched, plan(size)))];
  };
  const orthogonal = errors(Array.from({ length: count }, (_, i) => own(i)));
  expect(orthogonal[1]).toBeLessThan(orthogonal[0] / 4);
  const opposed = errors(Array.from({ length: 16 }, (_, i) => own(i % 8, i < 8 ? 1 : -1)));
  expect(opposed[1]).toBeLessThan(1.01 * opposed[0]);
});
