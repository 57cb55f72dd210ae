import fc from "fast-check";
import { expect, test } from "vitest";
import { referenceKernels as kernels } from "./reference.js";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
/** Odd lengths on purpose: full blocks of any vector width and a ragged tail. */
const pairs = fc.array(fc.tuple(finite, finite), { maxLength: 67 });

test("numbers worked by hand", () => {
  const x = Float32Array.of(1, 2, 3);
  const y = Float32Array.of(-4, 5, 0.5);
  expect(kernels.dot(x, y)).toBe(7.5);
  expect(kernels.norm(Float32Array.of(3, -4))).toBe(5);
  expect([...kernels.gram([x, y])]).toEqual([14, 7.5, 7.5, 41.25]);

  const out = new Float32Array(3);
  kernels.subtractInto(out, y, x);
  expect([...out]).toEqual([-5, 3, -2.5]);
  kernels.addScaledInto(out, 2, x);
  expect([...out]).toEqual([-3, 7, 3.5]);
  kernels.weightedSumInto(out, [0.5, -2], [x, y]);
  expect([...out]).toEqual([8.5, -9, 0.5]);
  expect([...x, ...y]).toEqual([1, 2, 3, -4, 5, 0.5]);
});

test("sums do not lose small numbers beside large ones: they are accumulated in f64", () => {
  // In f32, 1e8 + 1 is 1e8, and one hundred ones would vanish.
  const x = Float32Array.from([1e4, ...new Array(100).fill(1)]);
  expect(kernels.dot(x, x)).toBe(100_000_100);
  const out = new Float32Array(1);
  kernels.weightedSumInto(out, [1, 1, -1], [Float32Array.of(2 ** 24), Float32Array.of(1), Float32Array.of(2 ** 24)]);
  expect(out[0]).toBe(1);
});

test("no f32 overflows a norm", () => {
  const largest = 3.4028234663852886e38;
  expect(kernels.norm(Float32Array.of(largest, largest))).toBeCloseTo(largest * Math.SQRT2, -25);
});

test("empty vectors, no rows: sums are 0", () => {
  const empty = new Float32Array();
  expect(kernels.dot(empty, empty)).toBe(0);
  expect(kernels.norm(empty)).toBe(0);
  expect(kernels.gram([])).toHaveLength(0);
  const out = Float32Array.of(7, 7);
  kernels.weightedSumInto(out, [], []);
  expect([...out]).toEqual([0, 0]);
  expect(kernels.findNonFinite(empty)).toBe(-1);
});

test("lengths that differ are a RangeError that names the kernel", () => {
  const [two, three] = [new Float32Array(2), new Float32Array(3)];
  const calls: readonly (() => unknown)[] = [
    () => kernels.dot(two, three),
    () => kernels.gram([two, three]),
    () => kernels.subtractInto(two, two, three),
    () => kernels.subtractInto(two, three, two),
    () => kernels.addScaledInto(two, 1, three),
    () => kernels.weightedSumInto(two, [1], [three]),
    () => kernels.weightedSumInto(two, [1, 1], [two]),
  ];
  for (const call of calls) expect(call).toThrow(/^\w+(: factors)?: expected length \d, received \d$/);
});

test("the first NaN or infinity is found wherever it stands", () => {
  fc.assert(
    fc.property(pairs, fc.nat(), fc.constantFrom(Number.NaN, Infinity, -Infinity), (values, place, bad) => {
      const x = Float32Array.from(values, ([value]) => value);
      expect(kernels.findNonFinite(x)).toBe(-1);
      if (x.length === 0) return;
      const at = place % x.length;
      x[at] = bad;
      x[x.length - 1] = bad;
      expect(kernels.findNonFinite(x)).toBe(at);
    }),
  );
});

test("dot is symmetric bit for bit, and its square is at most the product of the norms' squares within 1e-12", () => {
  fc.assert(
    fc.property(pairs, (values) => {
      const x = Float32Array.from(values, ([a]) => a);
      const y = Float32Array.from(values, ([, b]) => b);
      expect(kernels.dot(x, y)).toBe(kernels.dot(y, x));
      expect(Math.abs(kernels.dot(x, y))).toBeLessThanOrEqual(kernels.norm(x) * kernels.norm(y) * (1 + 1e-12));
    }),
  );
});

test("a Gram matrix is symmetric bit for bit and holds the dot products", () => {
  const rows = fc
    .integer({ min: 0, max: 9 })
    .chain((size) => fc.array(fc.array(finite, { minLength: size, maxLength: size }), { maxLength: 5 }));
  fc.assert(
    fc.property(rows, (arrays) => {
      const vectors = arrays.map((values) => Float32Array.from(values));
      const gram = kernels.gram(vectors);
      vectors.forEach((x, i) => {
        vectors.forEach((y, j) => {
          expect(gram[i * vectors.length + j]).toBe(gram[j * vectors.length + i]);
          expect(gram[i * vectors.length + j]).toBe(kernels.dot(x, y));
        });
      });
    }),
  );
});

test("a difference added back gives the first vector within one rounding of the larger number", () => {
  fc.assert(
    fc.property(pairs, (values) => {
      const after = Float32Array.from(values, ([a]) => a);
      const before = Float32Array.from(values, ([, b]) => b);
      const out = new Float32Array(after.length);
      kernels.subtractInto(out, after, before);
      kernels.addScaledInto(out, 1, before);
      out.forEach((value, i) => {
        const size = Math.max(Math.abs(after[i]), Math.abs(before[i]));
        expect(Math.abs(value - after[i])).toBeLessThanOrEqual(size * 2 ** -22);
      });
    }),
  );
});

test("addScaledInto is the weighted sum of two rows within one f32 rounding", () => {
  fc.assert(
    fc.property(pairs, finite, (values, a) => {
      const y = Float32Array.from(values, ([value]) => value);
      const x = Float32Array.from(values, ([, value]) => value);
      const sum = new Float32Array(y.length);
      kernels.weightedSumInto(sum, [1, a], [y, x]);
      kernels.addScaledInto(y, a, x);
      expect(y).toEqual(sum);
    }),
  );
});
