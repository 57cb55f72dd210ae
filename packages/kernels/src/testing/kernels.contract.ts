/** What every backend must do. Numbers are computable by hand, or counted; nothing repeats a kernel's formula. */
import { describe, expect, test } from "vitest";
import { type KernelBackend, type Kernels, packedLength, unpackGram } from "../backend.js";
import { arithmeticContract } from "./arithmetic.contract.js";
import { conversionContract } from "./conversion.contract.js";
import { fusedContract } from "./fused.contract.js";
import { memoryContract } from "./memory.contract.js";
import { inSharedMemory, regionsContract } from "./regions.contract.js";
import { trimmedContract } from "./trimmed.contract.js";
import { firstDifference, hasGuards, put, put64, RAGGED } from "./vectors.js";

export function kernelsContract(backend: KernelBackend): void {
  for (const [place, each] of [
    ["own memory", backend],
    ["shared memory", inSharedMemory(backend)],
  ] as const) {
    describe(`${backend.name}, ${place}: differences, sums, search`, () => arithmeticContract(each));
    describe(`${backend.name}, ${place}: inner products`, () => innerProductsContract(each));
    describe(`${backend.name}, ${place}: several steps at once`, () => fusedContract(each));
    describe(`${backend.name}, ${place}: trimmed means`, () => trimmedContract(each));
    describe(`${backend.name}, ${place}: 16-bit floats`, () => conversionContract(each));
    describe(`${backend.name}, ${place}: memory and errors`, () => memoryContract(each));
  }
  describe(`${backend.name}: regions of shared memory`, () => regionsContract(backend));
}

function gramOf(kernels: Kernels, rows: readonly Float32Array[]): Float64Array {
  const gram = put64(kernels, new Float64Array(packedLength(rows.length)));
  kernels.addGramInto(gram, rows);
  expect(hasGuards(gram)).toBe(true);
  return gram;
}

/** Numbers of no pattern, the same on every run, of very different sizes. */
function mixed(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(seed + 12.9898 * i) * 10 ** ((i * 7 + seed) % 9));
}

/** `value` at each multiple of `every`, else 0: two of these have in common the multiples of both. */
function comb(length: number, every: number, value: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => (i % every === 0 ? value : 0));
}

function leastCommonMultiple(a: number, b: number): number {
  let multiple = a;
  while (multiple % b !== 0) multiple += a;
  return multiple;
}

function innerProductsContract(backend: KernelBackend): void {
  const open = (): Kernels => backend.open(1 << 20);

  test("a Gram and its cross products worked by hand are added to what is there", () => {
    const kernels = open();
    const rows = [put(kernels, [1, 2, 3]), put(kernels, [-4, 5, 0.5])];
    const extras = [put(kernels, [0, 0, 2]), put(kernels, [1, 1, 1]), put(kernels, [-1, 0.25, 0])];
    const gram = put64(kernels, [100, 200, 300]);
    const cross = put64(kernels, [0, 0, 10, 20, 0, 0]);
    kernels.addGramInto(gram, rows, cross, extras);
    expect([...gram]).toEqual([114, 207.5, 341.25]);
    expect([...cross]).toEqual([6, 1, 16, 21.5, -0.5, 5.25]);
    expect([...unpackGram(gram, 2)]).toEqual([114, 207.5, 207.5, 341.25]);

    const norms = put64(kernels, [0, 1]);
    kernels.addNormsInto(norms, [put(kernels, [3, -4]), put(kernels, [0.5, 0])]);
    expect([...norms]).toEqual([25, 1.25]);
  });

  test.each(RAGGED)("%d elements: combs of 0 to 8 rows and 0 to 3 extras have the counted products", (length) => {
    const count = (a: number, b: number): number => Math.ceil(length / leastCommonMultiple(a, b));
    for (let rowCount = 0; rowCount <= 8; rowCount++) {
      for (let extraCount = 0; extraCount <= (rowCount === 0 ? 0 : 3); extraCount++) {
        const kernels = open();
        const rows = Array.from({ length: rowCount }, (_, r) => put(kernels, comb(length, r + 1, r + 2)));
        const extras = Array.from({ length: extraCount }, (_, d) => put(kernels, comb(length, d + 2, -1 - d)));
        const gram = put64(kernels, new Float64Array(packedLength(rowCount)));
        const cross = put64(kernels, new Float64Array(extraCount * rowCount));
        kernels.addGramInto(gram, rows, cross, extras);

        const full = unpackGram(gram, rowCount);
        rows.forEach((_, i) => {
          rows.forEach((_, j) => {
            expect(full[i * rowCount + j]).toBe((i + 2) * (j + 2) * count(i + 1, j + 1));
          });
          extras.forEach((_, d) => {
            expect(cross[d * rowCount + i]).toBe((-1 - d) * (i + 2) * count(d + 2, i + 1) + 0);
          });
        });
        expect([gram, cross, ...rows, ...extras].every(hasGuards)).toBe(true);

        const norms = put64(kernels, new Float64Array(rowCount));
        kernels.addNormsInto(norms, rows);
        expect([...norms]).toEqual(rows.map((_, r) => full[r * (rowCount + 1)]));
      }
    }
  });

  test("even and odd elements are summed apart, block by block, and only then together", () => {
    // 2⁵⁴ + 1 rounds to 2⁵⁴: ones are lost beside it, and kept wherever they are summed apart from it.
    const kernels = open();
    const ones = put(kernels, new Float32Array(4104).fill(1));
    /** ⟨1, x⟩ of so many elements, all ones but that at `place`; alone, and among more rows. */
    const productWith = (place: number, length: number): number | undefined => {
      const heavy = put(kernels, ones);
      heavy[place] = 2 ** 54;
      const [x, y] = [ones, heavy].map((row) => row.subarray(0, length)) as [Float32Array, Float32Array];
      const [alone, amongMore] = [gramOf(kernels, [x, y])[1], gramOf(kernels, [x, x, x, y])[3]];
      expect(alone).toBe(amongMore);
      return alone;
    };
    expect(productWith(0, 512)).toBe(2 ** 54 + 256);
    expect(productWith(1, 512)).toBe(2 ** 54 + 256);
    expect(productWith(0, 1024)).toBe(2 ** 54 + 256 + 512);
    expect(productWith(3, 6)).toBe(2 ** 54 + 4);
    // One more than a block: its last element is a block of its own.
    expect(productWith(1024, 1025)).toBe(2 ** 54 + 1024);
    for (const block of [0, 1, 2, 3, 4, 5, 6, 7]) expect(productWith(512 * block, 4096)).toBe(2 ** 54 + 256 + 7 * 512);
    expect(productWith(4096, 4104)).toBe(2 ** 54 + 8 * 512 + 4);
    expect(productWith(4097, 4103)).toBe(2 ** 54 + 8 * 512 + 4);
  });

  test.each([512, 1024, 1536])("taken in pieces of %d elements, a Gram has the bits of the whole", (step) => {
    const kernels = open();
    const length = 3500;
    const rows = Array.from({ length: 7 }, (_, r) => put(kernels, mixed(length, r)));
    const extras = [put(kernels, mixed(length, 50)), put(kernels, mixed(length, 51))];
    const sums = (): Float64Array[] => [packedLength(7), 14, 7].map((size) => put64(kernels, new Float64Array(size)));
    const [gram, cross, norms] = sums() as [Float64Array, Float64Array, Float64Array];
    kernels.addGramInto(gram, rows, cross, extras);
    kernels.addNormsInto(norms, rows);

    const [inPieces, crossInPieces, normsInPieces] = sums() as [Float64Array, Float64Array, Float64Array];
    for (let at = 0; at < length; at += step) {
      const cut = (x: Float32Array): Float32Array => x.subarray(at, at + step);
      kernels.addGramInto(inPieces, rows.map(cut), crossInPieces, extras.map(cut));
      kernels.addNormsInto(normsInPieces, rows.map(cut));
    }
    expect(firstDifference(inPieces, gram)).toBeUndefined();
    expect(firstDifference(crossInPieces, cross)).toBeUndefined();
    expect(firstDifference(normsInPieces, norms)).toBeUndefined();
  });

  test("rows and norms have the same bits in whatever company and place", () => {
    const kernels = open();
    const rows = Array.from({ length: 8 }, (_, r) => put(kernels, mixed(2600, r)));
    const full = unpackGram(gramOf(kernels, rows), 8);
    rows.forEach((x, i) => {
      rows.forEach((y, j) => {
        expect(gramOf(kernels, [x, y])[1]).toBe(full[i * 8 + j]);
        const cross = put64(kernels, [0]);
        kernels.addGramInto(put64(kernels, [0]), [y], cross, [x]);
        expect(cross[0]).toBe(full[i * 8 + j]);
      });
      const norm = put64(kernels, [0]);
      kernels.addNormsInto(norm, [x]);
      expect(norm[0]).toBe(full[i * 9]);
    });
    const backwards = unpackGram(gramOf(kernels, [...rows].reverse()), 8);
    expect(firstDifference(backwards.reverse(), full)).toBeUndefined();
  });

  test.each(RAGGED)("%d elements: equal rows have equal entries, opposite rows exactly opposite ones", (length) => {
    const kernels = open();
    const x = put(kernels, mixed(length, 3));
    const y = put(kernels, mixed(length, 4));
    const rows = [
      x,
      y,
      put(kernels, x),
      put(
        kernels,
        x.map((value) => -value),
      ),
      x,
    ];
    const gram = unpackGram(gramOf(kernels, rows), 5);
    const row = (r: number): number[] => [...gram.subarray(5 * r, 5 * r + 5)];
    expect(row(2)).toEqual(row(0));
    expect(row(4)).toEqual(row(0));
    // 0 − v: neither side has a −0.
    expect(row(3)).toEqual(row(0).map((value) => 0 - value));
  });

  test("a full Gram is symmetric bit for bit", () => {
    const kernels = open();
    const gram = unpackGram(
      gramOf(
        kernels,
        Array.from({ length: 13 }, (_, r) => put(kernels, mixed(67, r))),
      ),
      13,
    );
    for (let i = 0; i < 13; i++) for (let j = 0; j < 13; j++) expect(gram[13 * i + j]).toBe(gram[13 * j + i]);
    expect([...unpackGram(Float64Array.of(1, 2, 3, 4, 5, 6), 3)]).toEqual([1, 2, 3, 2, 4, 5, 3, 5, 6]);
  });

  test("no finite number is too large or too small for an inner product (exact, or 1e-13 relative)", () => {
    const kernels = open();
    const [large, small] = [2 ** 127, 2 ** -149];
    const rows = [large, -large, small, 1].map((value) => put(kernels, new Float32Array(1024).fill(value)));
    expect([...gramOf(kernels, rows)]).toEqual(
      [
        [2 ** 264, -(2 ** 264), 2 ** -12, 2 ** 137],
        [2 ** 264, -(2 ** -12), -(2 ** 137)],
        [2 ** -288, 2 ** -139],
        1024,
      ].flat(),
    );
    const largest = 2 ** 128 - 2 ** 104;
    const square = gramOf(kernels, [put(kernels, new Float32Array(1025).fill(largest))])[0] as number;
    expect(Math.abs(square / (largest * largest * 1025) - 1)).toBeLessThan(1e-13);
  });

  test("signs of zero vanish; NaN and infinities stay where they are", () => {
    const kernels = open();
    expect([...gramOf(kernels, [put(kernels, [-0, 0, -0]), put(kernels, [1, -1, 1])])]).toEqual([0, 0, 3]);
    const rows = [put(kernels, [1, 2, 3]), put(kernels, [1, Number.NaN, 3]), put(kernels, [Infinity, 1, 0])];
    expect([...gramOf(kernels, rows)]).toEqual([14, Number.NaN, Infinity, Number.NaN, Number.NaN, Infinity]);
  });
}
