import { createRng } from "@kumiai/params";
import fc from "fast-check";
import { expect, test } from "vitest";
import { centeredGram, cosinesOf } from "./encoder-mixing.js";
import { maxDifference, randomVector } from "./testing/federation.js";
import { gramOf } from "./testing/vectors.js";

const rowsOf = (seed: number, count: number): readonly Float32Array[] =>
  Array.from({ length: count }, (_, i) => randomVector(createRng(seed).split(i), 12));

function distancesOf(rows: readonly Float32Array[]): Float64Array {
  const far = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, p) => sum + (x - (b[p] ?? 0)) ** 2, 0);
  return Float64Array.from(rows.flatMap((a) => rows.map((b) => far(a, b))));
}

test("the centered Gram follows from distances alone, to 1e-5, wherever the origin is", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.integer({ min: 1, max: 8 }), (seed, count) => {
      const rows = rowsOf(seed, count);
      const mean = rows[0]?.map((_, p) => rows.reduce((sum, row) => sum + (row[p] ?? 0), 0) / count);
      const centered = rows.map((row) => row.map((x, p) => x - (mean?.[p] ?? 0)));
      expect(maxDifference(centeredGram(distancesOf(rows), count), gramOf(centered))).toBeLessThan(1e-5);
    }),
  );
});

test("cosines: 1 with itself even at zero, 0 between zero and anything, never beyond 1", () => {
  expect([...cosinesOf(Float64Array.of(4, -2, 0, -2, 1, 0, 0, 0, 0), 3)]).toEqual([1, -1, 0, -1, 1, 0, 0, 0, 1]);
  const same = rowsOf(1, 1).flatMap((row) => [row, row]);
  expect([...cosinesOf(gramOf(same), 2)].every((cosine) => cosine <= 1)).toBe(true);
});
