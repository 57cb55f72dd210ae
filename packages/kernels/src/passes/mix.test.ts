/** Mixes of any shape fit into the memory that they state, and every element is computed. */
import { expect, test } from "vitest";
import type { Operand } from "../backend.js";
import { referenceBackend } from "../reference/kernels.js";
import { simdBackend } from "../simd/kernels.js";
import { listed } from "./plan.js";
import { mixHere } from "./run.js";
import { vectorOf } from "./vector.js";

const vector = (values: Float32Array) => vectorOf([{ values }]);

/** `rowCount` rows that go from 1 to 3, of which the mix wants `deltaCount` differences and of the others what was before. */
function mixOf(length: number, rowCount: number, deltaCount: number) {
  const row = { before: vector(new Float32Array(length).fill(1)), after: vector(new Float32Array(length).fill(3)) };
  const operands = Array.from({ length: rowCount }, (_, r): Operand => (r < deltaCount ? { delta: r } : { before: r }));
  const [sum, mean] = [new Float32Array(length), new Float32Array(length)];
  const blocks = [
    { operands, factors: new Float64Array(rowCount).fill(1), results: [listed(1, () => vector(sum))] },
    { operands, trim: 0, results: [listed(1, () => vector(mean))] },
  ];
  return { segment: { length, rows: listed(rowCount, () => row), blocks }, outs: [sum, mean] };
}

test.each([referenceBackend, simdBackend])("whatever the rows and of how many the difference is wanted", (backend) => {
  for (const length of [1, 300, 5000]) {
    for (let rowCount = 1; rowCount <= 36; rowCount++) {
      for (const deltaCount of new Set([0, rowCount >> 1, rowCount - 1, rowCount])) {
        const { segment, outs } = mixOf(length, rowCount, deltaCount);
        mixHere({ segments: [segment], copies: [] }, backend);
        const total = rowCount + deltaCount;
        expect(outs.map((out) => [...new Set(out)])).toEqual([[total], [Math.fround(total / rowCount)]]);
      }
    }
  }
});
