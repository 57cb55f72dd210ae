/** Trimmed means and medians, element by element; called by kernels.contract.ts. */
import { expect, test } from "vitest";
import { alignedBytes } from "../arena.js";
import { type KernelBackend, type Kernels, mixScratchBytes } from "../backend.js";
import { firstDifference, hasGuards, put, RAGGED, room } from "./vectors.js";

export function trimmedContract(backend: KernelBackend): void {
  const open = (): Kernels => backend.open(1 << 21);
  const trimmed = (kernels: Kernels, columns: readonly Float32Array[], trim: number): Float32Array => {
    const out = room(kernels, columns[0]?.length ?? 0);
    const operands = columns.map((_, row) => ({ after: row }));
    const bad = kernels.mixInto(
      columns.map((after) => ({ after })),
      [{ operands, trim, outs: [out] }],
    );
    expect(bad).toBe(-1);
    expect(hasGuards(out)).toBe(true);
    return out;
  };

  test("by hand: mean, trimmed mean and median of 5 and of 4 rows, with ties", () => {
    const kernels = open();
    const rows = [
      [9, 1, 7],
      [1, 1, 7],
      [2, 1, -7],
      [4, 5, 0],
      [100, -3, 0],
    ].map((values) => put(kernels, values));
    expect([...trimmed(kernels, rows, 0)]).toEqual([23.2, 1, 1.4].map(Math.fround));
    expect([...trimmed(kernels, rows, 1)]).toEqual([5, 1, 7 / 3].map(Math.fround));
    expect([...trimmed(kernels, rows, 2)]).toEqual([4, 1, 0]);
    expect([...trimmed(kernels, rows.slice(0, 4), 1)]).toEqual([3, 1, 3.5]);
    expect([...trimmed(kernels, rows.slice(0, 2), 0)]).toEqual([5, 1, 7]);
    expect([...trimmed(kernels, rows.slice(0, 1), 0)]).toEqual([9, 1, 7]);
  });

  test("zeros of both signs are one number: what is left is added up from +0 on", () => {
    const kernels = open();
    for (const column of [[-0], [-0, 0], [0, -0], [-0, -0, -0], [-1, -0, 0, -0, 1]]) {
      const rows = column.map((value) => put(kernels, new Float32Array(5).fill(value)));
      const trim = Math.floor((column.length - 1) / 2);
      expect([...trimmed(kernels, rows, trim)]).toEqual([0, 0, 0, 0, 0]);
    }
  });

  test("1 to 10 rows of all zeros and ones: a sorting network that is right for these is right for all numbers", () => {
    for (let count = 1; count <= 10; count++) {
      const kernels = open();
      // Element i has the bits of i in its column.
      const rows = Array.from({ length: count }, (_, r) =>
        put(
          kernels,
          Float32Array.from({ length: 2 ** count }, (_, i) => (i >> r) & 1),
        ),
      );
      for (let trim = 0; 2 * trim < count; trim++) {
        const out = trimmed(kernels, rows, trim);
        const kept = count - 2 * trim;
        const expected = Float32Array.from(out, (_, i) => {
          const ones = rows.filter((_, r) => (i >> r) & 1).length;
          return Math.max(0, Math.min(kept, ones - trim)) / kept;
        });
        expect([count, trim, firstDifference(out, expected)]).toEqual([count, trim, undefined]);
      }
    }
  });

  test.each(RAGGED)("%d elements, 1 to 70 rows: ranks by counting, rows stay as they were", (length) => {
    for (const count of [1, 2, 3, 6, 7, 16, 17, 70]) {
      const kernels = open();
      // A permutation of 0 … count − 1 in every column, one for each element.
      const rows = Array.from({ length: count }, (_, r) => {
        const values = Float32Array.from({ length }, (_, i) => (r * (count === 70 ? 3 : 1) + 5 * i) % count);
        return put(kernels, values);
      });
      const before = rows.map((row) => row.slice());
      for (const trim of new Set([0, 1, Math.floor((count - 1) / 2)])) {
        if (2 * trim >= count) continue;
        const out = trimmed(kernels, rows, trim);
        expect(firstDifference(out, new Float32Array(length).fill((count - 1) / 2))).toBeUndefined();
      }
      expect(rows.every((row, r) => firstDifference(row, before[r] ?? []) === undefined && hasGuards(row))).toBe(true);
    }
  });

  test("an operand that is not finite spoils the element, even one that would be left out", () => {
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      for (const at of [0, 66, 2047, 2050]) {
        const kernels = open();
        const rows = Array.from({ length: 5 }, () => put(kernels, new Float32Array(2051).fill(1)));
        (rows[3] as Float32Array)[at] = value;
        const out = room(kernels, 2051);
        const operands = rows.map((_, row) => ({ after: row }));
        const mix = () =>
          kernels.mixInto(
            rows.map((after) => ({ after })),
            [{ operands, trim: 2, outs: [out] }],
          );
        expect(mix()).toBe(0);
        expect(out.findIndex(Number.isNaN)).toBe(at);
      }
    }
  });

  test("differences and results are operands too, and a later block takes the median in", () => {
    const kernels = open();
    const rows = [1, 2, 9].map((value) => ({
      before: put(kernels, [value, 0]),
      after: put(kernels, [2 * value, -value]),
    }));
    const [sum, median, mixed] = [room(kernels, 2), room(kernels, 2), room(kernels, 2)];
    const bad = kernels.mixInto(rows, [
      { operands: [{ before: 0 }, { before: 1 }], factors: Float64Array.of(1, 1), outs: [sum] },
      { operands: [{ delta: 0 }, { result: 0 }, { delta: 2 }, { delta: 1 }, { after: 2 }], trim: 2, outs: [median] },
      { operands: [{ before: 2 }, { result: 1 }], factors: Float64Array.of(1, 10), outs: [mixed] },
    ]);
    expect(bad).toBe(-1);
    // Columns 1, 3, 9, 2, 18 and −1, 0, −9, −2, −9.
    expect([sum, median, mixed].map((out) => [...out])).toEqual([
      [3, 0],
      [3, -2],
      [39, -20],
    ]);
  });

  test.each([
    [-1, "less than half of 3 operands, received -1"],
    [0.5, "received 0.5"],
    [2, "received 2"],
    [Number.NaN, "received NaN"],
  ])("a trim of %d of 3 rows is a RangeError", (trim, message) => {
    const kernels = open();
    const rows = [1, 2, 3].map((value) => ({ after: put(kernels, [value]) }));
    const operands = rows.map((_, row) => ({ after: row }));
    expect(() => kernels.mixInto(rows, [{ operands, trim, outs: [room(kernels, 1)] }])).toThrow(message);
  });

  test("no operands, and more than one result, are RangeErrors", () => {
    const kernels = open();
    const outs = [room(kernels, 1), room(kernels, 1)];
    expect(() => kernels.mixInto([], [{ operands: [], trim: 0, outs: outs.slice(1) }])).toThrow(RangeError);
    expect(() =>
      kernels.mixInto([{ after: put(kernels, [1]) }], [{ operands: [{ after: 0 }], trim: 0, outs }]),
    ).toThrow("mixInto: results of a trimmed mean");
  });

  test.each([
    [3, 4],
    [7, 8],
    [15, 16],
  ])("means of %d and of %d rows in one mix leave the differences beside them alone", (few, many) => {
    const kernels = open();
    const length = 3000;
    const [before, after] = [
      put(kernels, new Float32Array(length).fill(1)),
      put(kernels, new Float32Array(length).fill(4)),
    ];
    const meanOf = (count: number) => ({
      operands: Array.from({ length: count }, (_, k) => (k === 0 ? { delta: 0 } : { before: 0 })),
      trim: 0,
      outs: [room(kernels, length)],
    });
    const blocks = [meanOf(few), meanOf(many), meanOf(few)];
    expect(kernels.mixInto([{ before, after }], blocks)).toBe(-1);
    expect(blocks.map(({ outs }) => [...new Set(outs[0])])).toEqual(
      [few, many, few].map((count) => [Math.fround((count + 2) / count)]),
    );
  });

  test("means of 3 and of 4 rows that no difference lies beside go on to the last tile", () => {
    const kernels = open();
    const rows = Array.from({ length: 7 }, (_, r) => ({ after: put(kernels, new Float32Array(20_000).fill(r + 1)) }));
    const operands = rows.map((_, after) => ({ after }));
    const outs = [room(kernels, 20_000), room(kernels, 20_000)];
    const blocks = [operands.slice(0, 3), operands.slice(3)].map((own, b) => ({
      operands: own,
      trim: 1,
      outs: outs.slice(b, b + 1),
    }));
    expect(kernels.mixInto(rows, blocks)).toBe(-1);
    expect(outs.map((out) => [...new Set(out)])).toEqual([[2], [5.5]]);
  });

  test("the room that mixScratchBytes states suffices, with foreign factors beside", () => {
    for (const [count, length] of [
      [2, 5000],
      [33, 700],
      [300, 70],
    ] as const) {
      const counts = { deltas: 1, operands: count + 1, results: 2, blocks: 2, factors: 1, sorted: count };
      const kernels = backend.open((2 + 2) * alignedBytes(4 * length) + mixScratchBytes(counts));
      const [before, after] = [kernels.f32(length).fill(1), kernels.f32(length).fill(3)];
      const outs = [kernels.f32(length), kernels.f32(length)];
      const operands = Array.from({ length: count }, () => ({ after: 0 }));
      const bad = kernels.mixInto(
        [{ before, after }],
        [
          { operands, trim: (count - 1) >> 1, outs: outs.slice(0, 1) },
          { operands: [{ delta: 0 }], factors: Float64Array.of(2), outs: outs.slice(1) },
        ],
      );
      expect(bad).toBe(-1);
      expect(outs.map((out) => [...new Set(out)])).toEqual([[3], [4]]);
      expect([before, after].map((row) => [...new Set(row)])).toEqual([[1], [3]]);
    }
  });
}
