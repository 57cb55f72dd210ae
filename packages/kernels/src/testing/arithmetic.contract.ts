/** Differences, axpy, weighted sums and the search for numbers that are not finite; called by kernels.contract.ts. */
import { expect, test } from "vitest";
import type { KernelBackend, Kernels } from "../backend.js";
import { firstDifference, hasGuards, put, put64, putWritable, RAGGED, room } from "./vectors.js";

const LARGEST = 2 ** 128 - 2 ** 104;
const SMALLEST = 2 ** -149;
const NOT_FINITE = [Number.NaN, Infinity, -Infinity];

export function arithmeticContract(backend: KernelBackend): void {
  differencesContract(backend);
  searchContract(backend);
  weightedSumsContract(backend);
}

function differencesContract(backend: KernelBackend): void {
  const open = (): Kernels => backend.open(1 << 20);

  test.each(RAGGED)("%d elements: after − before, also in place", (length) => {
    const kernels = open();
    const before = put(
      kernels,
      new Float32Array(length).map((_, i) => i),
    );
    const after = put(
      kernels,
      new Float32Array(length).map((_, i) => 3 * i + 0.5),
    );
    const expected = new Float32Array(length).map((_, i) => 2 * i + 0.5);
    for (const out of [room(kernels, length), putWritable(kernels, after)]) {
      const first = out[1] === 3.5 ? out : after;
      expect(kernels.subtractInto(out, first, before)).toBe(-1);
      expect(firstDifference(out, expected)).toBeUndefined();
      expect([out, after, before].every(hasGuards)).toBe(true);
    }
    expect(kernels.subtractInto(before, after, before)).toBe(-1);
    expect(firstDifference(before, expected)).toBeUndefined();
    expect(kernels.subtractInto(after, after, after)).toBe(-1);
    expect(firstDifference(after, new Float32Array(length))).toBeUndefined();
  });

  test("differences at the ends of the range", () => {
    const kernels = open();
    const after = put(kernels, [-0, 0, -0, SMALLEST, LARGEST, 1, 2 ** 24 + 2, LARGEST, 2 ** -126]);
    const before = put(kernels, [0, 0, -0, -SMALLEST, LARGEST, 2 ** -25, -1, 2 ** 102, SMALLEST]);
    const out = room(kernels, 9);
    expect(kernels.subtractInto(out, after, before)).toBe(-1);
    // Ties go to even: 1 − 2⁻²⁵ down to 1, 2²⁴ + 3 up to 2²⁴ + 4, and LARGEST − 2¹⁰² up to LARGEST.
    const expected = [-0, 0, 0, 2 * SMALLEST, 0, 1, 2 ** 24 + 4, LARGEST, 2 ** -126 - SMALLEST];
    expect(firstDifference(out, expected)).toBeUndefined();
  });

  test.each(RAGGED)("%d elements: y + a·x, rounded once", (length) => {
    const kernels = open();
    const x = put(
      kernels,
      new Float32Array(length).map((_, i) => i - 3),
    );
    const y = putWritable(
      kernels,
      new Float32Array(length).map((_, i) => 100 - i),
    );
    kernels.addScaledInto(y, -2.5, x);
    const expected = new Float32Array(length).map((_, i) => 107.5 - 3.5 * i);
    expect(firstDifference(y, expected)).toBeUndefined();
    expect([x, y].every(hasGuards)).toBe(true);
    kernels.addScaledInto(y, -1, y);
    expect(firstDifference(y, new Float32Array(length))).toBeUndefined();
  });

  test("y + a·x is taken in f64: neither the product nor the factor is rounded to f32", () => {
    const kernels = open();
    const y = putWritable(kernels, [-1, -(2 ** 127), -0, 1, 0, 1, 1, 1, 1]);
    const x = put(kernels, [1 + 2 ** -23, 2 ** 127, -0, NaN, SMALLEST, 1, 1, 1, 1 + 2 ** -23]);
    kernels.addScaledInto(y, 1 - 2 ** -23, x);
    // (1 + e)(1 − e) − 1 = −e², e = 2⁻²³; 2¹²⁷·(1 − e) − 2¹²⁷ = −2¹⁰⁴; 2 − e is an f32, 2 − e² rounds to 2.
    const less = 2 - 2 ** -23;
    const expected = [-(2 ** -46), -(2 ** 104), -0, NaN, SMALLEST, less, less, less, 2];
    expect(firstDifference(y, expected)).toBeUndefined();
    // A factor beyond the range of f32.
    const z = putWritable(kernels, [1, 0, 0, 1, 1]);
    kernels.addScaledInto(z, 2 ** 200, put(kernels, [2 ** -149, -0, 1, -1, 2 ** -120]));
    expect(firstDifference(z, [2 ** 51, 0, Infinity, -Infinity, 2 ** 80])).toBeUndefined();
  });
}

function searchContract(backend: KernelBackend): void {
  const open = (): Kernels => backend.open(1 << 20);

  test.each(RAGGED)("%d elements: the first NaN or infinity is found wherever it stands", (length) => {
    const kernels = open();
    const x = put(kernels, new Float32Array(length).fill(LARGEST));
    const before = room(kernels, length);
    const out = room(kernels, length);
    expect(kernels.findNonFinite(x)).toBe(-1);
    const places = length <= 67 ? [...x.keys()] : [0, 1, 2, 3, 255, 256, length - 9, length - 2, length - 1];
    for (const at of places) {
      for (const bad of NOT_FINITE) {
        x[length - 1] = Number.NaN;
        x[at] = bad;
        expect(kernels.findNonFinite(x)).toBe(at);
        expect(kernels.subtractInto(out, x, before)).toBe(at);
        expect(Object.is(out[at], bad)).toBe(true);
        expect(kernels.subtractInto(out, before, x)).toBe(at);
        x[at] = -LARGEST;
        x[length - 1] = -LARGEST;
      }
    }
    expect(kernels.findNonFinite(x)).toBe(-1);
  });

  test.each(RAGGED)("%d elements: a difference that overflows is found", (length) => {
    const kernels = open();
    const [low, high] = [-LARGEST, LARGEST].map((value) => put(kernels, new Float32Array(length).fill(value)));
    const out = room(kernels, length);
    expect(kernels.subtractInto(out, high as Float32Array, low as Float32Array)).toBe(length === 0 ? -1 : 0);
    expect(firstDifference(out, new Float32Array(length).fill(Infinity))).toBeUndefined();
  });
}

/** Row r has the digit (i + 3r) mod 10 at i: weighted by powers of ten, the rows spell numbers. */
function digits(length: number, rowCount: number): Float32Array[] {
  return Array.from({ length: rowCount }, (_, r) => new Float32Array(length).map((_, i) => (i + 3 * r) % 10));
}

function spelled(rows: readonly Float32Array[], i: number): number {
  return Number(rows.map((row) => String(row[i])).join("") || "0");
}

function weightedSumsContract(backend: KernelBackend): void {
  const open = (): Kernels => backend.open(1 << 20);

  test.each(RAGGED)("%d elements: 0 to 9 weighted sums of 0 to 6 rows spell the rows' digits", (length) => {
    for (const rowCount of [0, 1, 2, 3, 6]) {
      for (const outCount of length === 0 || rowCount === 0 ? [1, 4, 5] : [1, 2, 3, 4, 5, 8, 9]) {
        const kernels = open();
        const rows = digits(length, rowCount).map((row) => put(kernels, row));
        const outs = Array.from({ length: outCount }, () => putWritable(kernels, new Float32Array(length).fill(7)));
        const factors = Float64Array.from(
          { length: outCount * rowCount },
          (_, k) => 10 ** (rowCount - 1 - (k % rowCount)) * (1 + Math.floor(k / rowCount)),
        );
        for (const given of [put64(kernels, factors), factors]) {
          for (const out of outs) out.fill(7);
          kernels.weightedSumsInto(outs, given, rows);
          outs.forEach((out, m) => {
            const expected = out.map((_, i) => (m + 1) * spelled(rows, i));
            expect(firstDifference(out, expected)).toBeUndefined();
          });
          expect([...outs, ...rows].every(hasGuards)).toBe(true);
        }
      }
    }
  });

  test("no outputs, no rows", () => {
    const kernels = open();
    kernels.weightedSumsInto([], new Float64Array(), []);
    const out = putWritable(kernels, [7, 7]);
    kernels.weightedSumsInto([out], new Float64Array(), []);
    expect([...out]).toEqual([0, 0]);
  });

  test.each([1, 4, 5])("%d weighted sums are in f64, from the first row on, and rounded once", (outCount) => {
    const kernels = open();
    for (const length of [1, 4, 8, 13]) {
      const rows = [2 ** 24, 1, -(2 ** 24), LARGEST, 2 ** 53, 1].map((value) =>
        put(kernels, new Float32Array(length).fill(value)),
      );
      const outs = Array.from({ length: outCount }, () => room(kernels, length));
      const expectSum = (weights: readonly number[], expected: number): void => {
        kernels.weightedSumsInto(
          outs,
          Float64Array.from({ length: 6 * outCount }, (_, k) => weights[k % 6] as number),
          rows,
        );
        for (const out of outs) expect(firstDifference(out, new Float32Array(length).fill(expected))).toBeUndefined();
      };
      expectSum([1, 1, 1, 0, 0, 0], 1);
      expectSum([0, 0, 0, 10, -1, 0], Infinity);
      expectSum([0, 0, 0, 0.5, 0, 0], LARGEST / 2);
      expectSum([0, 1, 0, 0, 1, -1], 2 ** 53);
      expectSum([0, -1, 0, 0, 1, 1], 2 ** 53);
      // 2⁵³ comes first and swallows the one after it: 1 + 2⁵³ = 2⁵³, then −1.
      expectSum([2 ** 29, 1, 2 ** 29, 0, 1, 0], 2 ** 53);
      expectSum([2 ** 29, 0.5, 2 ** 29, 0, 0, 0], 0);
      expectSum([0, 1 + 2 ** -24, 0, 0, 0, 0], 1);
      expectSum([0, 1 + 2 ** -24 + 2 ** -40, 0, 0, 0, 0], 1 + 2 ** -23);
      expectSum([0, SMALLEST, 0, 0, 0, 0], SMALLEST);
      expectSum([0, SMALLEST / 2, 0, 0, 0, 0], 0);
      expectSum([0, Number.NaN, 0, 0, 0, 0], Number.NaN);
    }
  });

  test.each(RAGGED)("%d elements: a sum of row after row has the bits of the sum at once", (length) => {
    const kernels = open();
    const rows = [1, 2, 3].map((seed) =>
      put(
        kernels,
        new Float32Array(length).map((_, i) => Math.sin(seed + i) * 10 ** (i % 5)),
      ),
    );
    const factors = Float64Array.of(0.1, -0.7, 1 / 3);
    const sums = put64(kernels, new Float64Array(length));
    rows.forEach((row, r) => {
      kernels.addWeightedInto(sums, factors[r] as number, row);
    });
    const [out, atOnce] = [putWritable(kernels, sums), putWritable(kernels, sums)];
    kernels.roundInto(out, sums);
    kernels.weightedSumsInto([atOnce], factors, rows);
    expect(firstDifference(out, atOnce)).toBeUndefined();
    expect([sums, out, atOnce, ...rows].every(hasGuards)).toBe(true);
  });

  test("adding to sums and rounding them, worked by hand", () => {
    const kernels = open();
    const sums = put64(kernels, [1, 2 ** 60, -0, 1e300, 5]);
    kernels.addWeightedInto(sums, -0.25, put(kernels, [2, 4, 0, 1, -4]));
    expect([...sums]).toEqual([0.5, 2 ** 60, -0, 1e300, 6]);
    const out = room(kernels, 5);
    sums[2] = -(2 ** -151);
    kernels.roundInto(out, sums);
    expect(firstDifference(out, [0.5, 2 ** 60, -0, Infinity, 6])).toBeUndefined();
  });
}
