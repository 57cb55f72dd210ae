/** Kernels that do at once what others do one after the other, with the same bits; called by kernels.contract.ts. */
import { expect, test } from "vitest";
import { alignedBytes } from "../arena.js";
import {
  type DeltaRow,
  type KernelBackend,
  type KernelBlock,
  type Kernels,
  mixScratchBytes,
  packedLength,
  tileLength,
} from "../backend.js";
import { firstDifference, hasGuards, put, put64, RAGGED, room } from "./vectors.js";

/** The longest tile. */
const TILE = tileLength(1);
const LENGTHS = [...RAGGED, TILE - 1, TILE, 2 * TILE + 3];
/** Enough for 30 vectors of the greatest length, and what kernels need. */
const BYTES = 2 ** 20 + 360 * TILE;
const LARGEST = 2 ** 128 - 2 ** 104;

/** Numbers of no pattern, the same on every run. */
function mixed(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(seed + 78.233 * i) * 10 ** ((i * 5 + seed) % 7));
}

function deltaRows(kernels: Kernels, length: number, count: number): DeltaRow[] {
  return Array.from({ length: count }, (_, r) => ({
    before: put(kernels, mixed(length, 2 * r)),
    after: put(kernels, mixed(length, 2 * r + 1)),
  }));
}

function subtracted(kernels: Kernels, { before, after }: DeltaRow): Float32Array {
  const out = put(kernels, after);
  kernels.subtractInto(out, after, before);
  return out;
}

export function fusedContract(backend: KernelBackend): void {
  deltaGramContract(backend);
  mixContract(backend);
}

function deltaGramContract(backend: KernelBackend): void {
  const open = (): Kernels => backend.open(BYTES);

  test("a Gram of differences worked by hand is added to what is there; each difference is rounded to f32", () => {
    const kernels = open();
    const rows = [
      { before: put(kernels, [1, 2, 3]), after: put(kernels, [2, 0, 3]) },
      { before: put(kernels, [2 ** -25, 0, -1]), after: put(kernels, [1, 5, 2 ** 24 + 2]) },
    ];
    const [gram, cross] = [put64(kernels, [10, 20, 30]), put64(kernels, [0, 1])];
    expect(kernels.addDeltaGramInto(gram, rows, cross, [put(kernels, [1, 1, 1])])).toBe(-1);
    // Differences: [1, −2, 0] and [1, 5, 2²⁴ + 4].
    expect([...gram]).toEqual([15, 11, 56 + (2 ** 24 + 4) ** 2]);
    expect([...cross]).toEqual([-1, 1 + 10 + 2 ** 24]);
  });

  test.each(LENGTHS)(
    "%d elements: a Gram of differences has the bits of the Gram of rows subtracted before",
    (length) => {
      for (const [rowCount, extraCount] of [
        [1, 0],
        [1, 2],
        [2, 1],
        [3, 0],
        [7, 3],
      ] as const) {
        const kernels = open();
        const rows = deltaRows(kernels, length, rowCount);
        const extras = Array.from({ length: extraCount }, (_, d) => put(kernels, mixed(length, 90 + d)));
        const sums = (): [Float64Array, Float64Array] => [
          put64(kernels, new Float64Array(packedLength(rowCount)).fill(0.1)),
          put64(kernels, new Float64Array(rowCount * extraCount).fill(-0.3)),
        ];
        const [gram, cross] = sums();
        expect(kernels.addDeltaGramInto(gram, rows, cross, extras)).toBe(-1);
        const [expectedGram, expectedCross] = sums();
        const deltas = rows.map((row) => subtracted(kernels, row));
        kernels.addGramInto(expectedGram, deltas, expectedCross, extras);
        expect(firstDifference(gram, expectedGram)).toBeUndefined();
        expect(firstDifference(cross, expectedCross)).toBeUndefined();
        expect([gram, cross, ...rows.flatMap(({ before, after }) => [before, after])].every(hasGuards)).toBe(true);
      }
    },
  );

  test.each(LENGTHS.slice(1))("%d elements: the first row with a difference that is not finite is named", (length) => {
    const kernels = open();
    const gram = put64(kernels, new Float64Array(10));
    const rows = deltaRows(kernels, length, 4);
    const check = (): number => kernels.addDeltaGramInto(gram, rows);
    for (const at of new Set([0, length >> 1, length - 1])) {
      for (const { row, side, value } of [
        { row: 0, side: "after", value: Number.NaN },
        { row: 3, side: "before", value: -Infinity },
        { row: 2, side: "after", value: Infinity },
      ] as const) {
        const vector = (rows[row] as DeltaRow)[side];
        const last = (rows[3] as DeltaRow).after;
        const [held, heldLast] = [vector[at], last[0]] as [number, number];
        last[0] = Number.NaN;
        vector[at] = value;
        expect(check()).toBe(row);
        vector[at] = held;
        last[0] = heldLast;
        expect(check()).toBe(-1);
      }
    }
    const { before, after } = rows[1] as DeltaRow;
    before[length - 1] = -LARGEST;
    after[length - 1] = LARGEST;
    expect(check()).toBe(1);
  });
}

function mixContract(backend: KernelBackend): void {
  const open = (): Kernels => backend.open(BYTES);

  test("a mix worked by hand: rows, a difference, an earlier result", () => {
    const kernels = open();
    const rows = [{ before: put(kernels, [1, 2]), after: put(kernels, [4, 2]) }, { before: put(kernels, [10, 20]) }];
    const [first, second, third] = [room(kernels, 2), room(kernels, 2), room(kernels, 2)];
    const blocks: KernelBlock[] = [
      { operands: [{ delta: 0 }, { before: 1 }], factors: Float64Array.of(2, 1, -1, 0.5), outs: [first, second] },
      { operands: [{ result: 1 }, { after: 0 }, { result: 0 }], factors: Float64Array.of(1, 1, 10), outs: [third] },
    ];
    expect(kernels.mixInto(rows, blocks)).toBe(-1);
    expect([first, second, third].map((out) => [...out])).toEqual([
      [16, 20],
      [2, 10],
      [166, 212],
    ]);
  });

  test("a mix of nothing: no blocks, no operands", () => {
    const kernels = open();
    expect(kernels.mixInto([], [])).toBe(-1);
    const out = room(kernels, 5).fill(3);
    expect(kernels.mixInto([], [{ operands: [], factors: new Float64Array(), outs: [out] }])).toBe(-1);
    expect([...out]).toEqual([0, 0, 0, 0, 0]);
  });

  test.each(LENGTHS)(
    "%d elements: a mix has the bits of differences and weighted sums taken one after the other",
    (length) => {
      const kernels = open();
      const rows = deltaRows(kernels, length, 3);
      const times = (count: number): Float32Array[] => Array.from({ length: count }, () => room(kernels, length));
      const factors = (count: number): Float64Array => Float64Array.from({ length: count }, (_, k) => Math.cos(k + 1));
      const [one, two, three] = [times(5), times(1), times(2)] as [Float32Array[], Float32Array[], Float32Array[]];
      const blocks: KernelBlock[] = [
        { operands: [{ delta: 0 }, { delta: 2 }, { after: 1 }], factors: factors(15), outs: one },
        { operands: [{ before: 0 }, { result: 4 }], factors: put64(kernels, factors(2)), outs: two },
        { operands: [{ result: 5 }, { delta: 0 }, { result: 0 }, { before: 2 }], factors: factors(8), outs: three },
      ];
      expect(kernels.mixInto(rows, blocks)).toBe(-1);

      const [delta0, delta2] = [rows[0], rows[2]].map((row) => subtracted(kernels, row as DeltaRow)) as [
        Float32Array,
        Float32Array,
      ];
      const [before0, before2, after1] = [rows[0]?.before, rows[2]?.before, rows[1]?.after] as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const results: Float32Array[] = [];
      const then = (count: number, operands: readonly Float32Array[]): void => {
        const outs = times(count);
        kernels.weightedSumsInto(outs, factors(count * operands.length), operands);
        results.push(...outs);
      };
      then(5, [delta0, delta2, after1]);
      then(1, [before0, results[4] as Float32Array]);
      then(2, [results[5] as Float32Array, delta0, results[0] as Float32Array, before2]);
      const outs = [...one, ...two, ...three];
      outs.forEach((out, i) => {
        expect([i, firstDifference(out, results[i] as Float32Array)]).toEqual([i, undefined]);
      });
      expect([...outs, ...rows.flatMap(({ before, after }) => [before, after])].every(hasGuards)).toBe(true);
    },
  );

  test("the first result with a value that is not finite is named, wherever the value stands", () => {
    const kernels = open();
    const length = 2 * TILE + 3;
    const rows = deltaRows(kernels, length, 3);
    const outs = Array.from({ length: 4 }, () => room(kernels, length));
    const mix = (): number =>
      kernels.mixInto(rows, [
        { operands: [{ after: 0 }], factors: Float64Array.of(1), outs: outs.slice(0, 1) },
        { operands: [{ delta: 1 }, { result: 0 }], factors: Float64Array.of(1, 0.5, 0, 2), outs: outs.slice(1, 3) },
        { operands: [{ before: 2 }], factors: Float64Array.of(3), outs: outs.slice(3) },
      ]);
    expect(mix()).toBe(-1);
    const spoil = (vector: Float32Array | undefined, at: number, value: number): (() => void) => {
      const all = vector as Float32Array;
      const held = all[at] as number;
      all[at] = value;
      return () => {
        all[at] = held;
      };
    };
    for (const at of [0, 5, TILE, length - 1]) {
      const restore = [
        spoil(rows[2]?.before, 3, LARGEST),
        spoil(rows[1]?.after, length - 1 - at, Number.NaN),
        spoil(rows[0]?.after, at, Infinity),
      ];
      const named: number[] = [];
      while (restore.length > 0) {
        named.push(mix());
        restore.pop()?.();
      }
      expect([at, ...named, mix()]).toEqual([at, 0, 1, 3, -1]);
    }
  });

  test("operands that are not there and lengths that differ are RangeErrors", () => {
    const kernels = open();
    const [before, after, out, longer] = [2, 2, 2, 3].map((length) => room(kernels, length)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const elsewhere = open().f32(2).fill(0);
    const one = Float64Array.of(1);
    const calls: readonly (readonly [Parameters<Kernels["mixInto"]>[0], readonly KernelBlock[]])[] = [
      [[{ before, after }], [{ operands: [{ before: 1 }], factors: one, outs: [out] }]],
      [[{ after }], [{ operands: [{ before: 0 }], factors: one, outs: [out] }]],
      [[{ after }], [{ operands: [{ delta: 0 }], factors: one, outs: [out] }]],
      [[{ before }], [{ operands: [{ delta: 0 }], factors: one, outs: [out] }]],
      [[{ before, after }], [{ operands: [{ result: 0 }], factors: one, outs: [out] }]],
      [[{ before, after }], [{ operands: [{ after: 0 }], factors: new Float64Array(2), outs: [out] }]],
      [[{ before: longer }], [{ operands: [{ before: 0 }], factors: one, outs: [out] }]],
      [[{ before, after: longer }], [{ operands: [{ delta: 0 }], factors: one, outs: [out] }]],
      [[{ before }], [{ operands: [{ before: 0 }], factors: new Float64Array(2), outs: [out, longer] }]],
      [[{ before: elsewhere }], [{ operands: [{ before: 0 }], factors: one, outs: [out] }]],
      [[{ before }], [{ operands: [{ before: 0 }], factors: one, outs: [elsewhere] }]],
    ];
    for (const [i, [rows, blocks]] of calls.entries()) {
      expect(() => kernels.mixInto(rows, blocks), `call ${i}`).toThrow(RangeError);
      expect(() => kernels.mixInto(rows, blocks), `call ${i}`).toThrow(/^mixInto/);
    }
    const gram = kernels.f64(1);
    for (const row of [
      { before: longer, after },
      { before, after: longer },
      { before: elsewhere, after },
      { before, after: elsewhere },
    ]) {
      expect(() => kernels.addDeltaGramInto(gram, [row])).toThrow(RangeError);
    }
    expect(() => kernels.addDeltaGramInto(kernels.f64(2), [{ before, after }])).toThrow(RangeError);
  });

  test("the room that mixScratchBytes states suffices, and nothing handed out is written on", () => {
    for (const [rowCount, outCount, blockCount, length] of [
      [5, 3, 4, 1500],
      [1, 1, 1, 2],
      [9, 1, 30, 64],
    ] as const) {
      const counts = {
        deltas: rowCount,
        operands: blockCount * rowCount * 2,
        results: blockCount * outCount,
        blocks: blockCount,
        factors: blockCount * outCount * rowCount * 2,
      };
      const vectors = rowCount * 2 + counts.results;
      const kernels = backend.open(vectors * alignedBytes(4 * length) + mixScratchBytes(counts));
      const rows = Array.from({ length: rowCount }, () => ({
        before: kernels.f32(length).fill(1),
        after: kernels.f32(length).fill(3),
      }));
      const blocks = Array.from({ length: blockCount }, () => ({
        operands: rows.flatMap((_, r) => [{ delta: r }, { before: r }]),
        factors: new Float64Array(outCount * rowCount * 2).fill(1),
        outs: Array.from({ length: outCount }, () => kernels.f32(length)),
      }));
      expect(kernels.mixInto(rows, blocks)).toBe(-1);
      const outs = blocks.flatMap((block) => block.outs);
      expect(outs.every((out) => out.every((value) => value === 3 * rowCount))).toBe(true);
      expect(rows.every(({ before }) => before.every((value) => value === 1))).toBe(true);
    }
  });
}
