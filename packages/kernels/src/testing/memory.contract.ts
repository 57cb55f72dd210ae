/** Memory that kernels hand out, and the errors of callers; called by kernels.contract.ts. */
import { expect, test } from "vitest";
import { alignedBytes } from "../arena.js";
import { type KernelBackend, type Kernels, packedLength, scratchBytes } from "../backend.js";

type Call = (kernels: Kernels) => unknown;
const f64 = (length: number): Float64Array => new Float64Array(length);

/** Each with one vector too long. */
const LENGTHS: Readonly<Record<string, Call>> = {
  "subtractInto, after": (k) => k.subtractInto(k.f32(2), k.f32(3), k.f32(2)),
  "subtractInto, before": (k) => k.subtractInto(k.f32(2), k.f32(2), k.f32(3)),
  addScaledInto: (k) => k.addScaledInto(k.f32(2), 1, k.f32(3)),
  "weightedSumsInto, outputs": (k) => k.weightedSumsInto([k.f32(2), k.f32(3)], f64(2), [k.f32(2)]),
  "weightedSumsInto, rows": (k) => k.weightedSumsInto([k.f32(2)], f64(1), [k.f32(3)]),
  "weightedSumsInto, second row": (k) => k.weightedSumsInto([k.f32(2)], f64(2), [k.f32(2), k.f32(3)]),
  "weightedSumsInto, factors": (k) => k.weightedSumsInto([k.f32(2)], f64(2), [k.f32(2)]),
  addWeightedInto: (k) => k.addWeightedInto(k.f64(2), 1, k.f32(3)),
  roundInto: (k) => k.roundInto(k.f32(2), k.f64(3)),
  "addGramInto, rows": (k) => k.addGramInto(k.f64(3), [k.f32(2), k.f32(3)]),
  "addGramInto, gram": (k) => k.addGramInto(k.f64(4), [k.f32(2), k.f32(2)]),
  "addGramInto, extras": (k) => k.addGramInto(k.f64(1), [k.f32(2)], k.f64(1), [k.f32(3)]),
  "addGramInto, cross": (k) => k.addGramInto(k.f64(1), [k.f32(2)], k.f64(2), [k.f32(2)]),
  "addNormsInto, rows": (k) => k.addNormsInto(k.f64(2), [k.f32(2), k.f32(3)]),
  "addNormsInto, sums": (k) => k.addNormsInto(k.f64(3), [k.f32(2), k.f32(2)]),
  fromHalfInto: (k) => k.fromHalfInto(k.f32(2), k.u16(3)),
  toHalfInto: (k) => k.toHalfInto(k.u16(2), k.f32(3)),
  fromBrainInto: (k) => k.fromBrainInto(k.f32(2), k.u16(3)),
  toBrainInto: (k) => k.toBrainInto(k.u16(2), k.f32(3)),
};

/** `far` is another memory of the same backend. */
const FOREIGN: Readonly<Record<string, (near: Kernels, far: Kernels) => unknown>> = {
  "subtractInto, out": (k, far) => k.subtractInto(far.f32(2), k.f32(2), k.f32(2)),
  "subtractInto, after": (k, far) => k.subtractInto(k.f32(2), far.f32(2), k.f32(2)),
  "subtractInto, before": (k, far) => k.subtractInto(k.f32(2), k.f32(2), far.f32(2)),
  "addScaledInto, y": (k, far) => k.addScaledInto(far.f32(2), 1, k.f32(2)),
  "addScaledInto, x": (k, far) => k.addScaledInto(k.f32(2), 1, far.f32(2)),
  findNonFinite: (k, far) => k.findNonFinite(far.f32(2)),
  "weightedSumsInto, outputs": (k, far) => k.weightedSumsInto([far.f32(2)], f64(1), [k.f32(2)]),
  "weightedSumsInto, rows": (k, far) => k.weightedSumsInto([k.f32(2)], f64(1), [far.f32(2)]),
  "addWeightedInto, sums": (k) => k.addWeightedInto(f64(2), 1, k.f32(2)),
  "addWeightedInto, x": (k, far) => k.addWeightedInto(k.f64(2), 1, far.f32(2)),
  "roundInto, out": (k, far) => k.roundInto(far.f32(2), k.f64(2)),
  "roundInto, sums": (k) => k.roundInto(k.f32(2), f64(2)),
  "addGramInto, gram": (k) => k.addGramInto(f64(1), [k.f32(2)]),
  "addGramInto, rows": (k, far) => k.addGramInto(k.f64(1), [far.f32(2)]),
  "addGramInto, cross": (k) => k.addGramInto(k.f64(1), [k.f32(2)], f64(1), [k.f32(2)]),
  "addGramInto, extras": (k, far) => k.addGramInto(k.f64(1), [k.f32(2)], k.f64(1), [far.f32(2)]),
  "addNormsInto, sums": (k) => k.addNormsInto(f64(1), [k.f32(2)]),
  "addNormsInto, rows": (k, far) => k.addNormsInto(k.f64(1), [far.f32(2)]),
  "fromHalfInto, out": (k, far) => k.fromHalfInto(far.f32(2), k.u16(2)),
  "fromHalfInto, bits": (k, far) => k.fromHalfInto(k.f32(2), far.u16(2)),
  "toHalfInto, bits": (k, far) => k.toHalfInto(far.u16(2), k.f32(2)),
  "toHalfInto, x": (k, far) => k.toHalfInto(k.u16(2), far.f32(2)),
  "fromBrainInto, out": (k, far) => k.fromBrainInto(far.f32(2), k.u16(2)),
  "fromBrainInto, bits": (k, far) => k.fromBrainInto(k.f32(2), far.u16(2)),
  "toBrainInto, bits": (k, far) => k.toBrainInto(far.u16(2), k.f32(2)),
  "toBrainInto, x": (k, far) => k.toBrainInto(k.u16(2), far.f32(2)),
};

export function memoryContract(backend: KernelBackend): void {
  const open = (): Kernels => backend.open(1 << 20);

  test("kernels know their backend", () => {
    expect(open().backend).toBe(backend.name);
  });

  test.each(Object.entries(LENGTHS))("%s: lengths that differ are a RangeError that names the kernel", (what, call) => {
    const expected = new RegExp(`^${what.split(",")[0]}(: \\w+)?: expected length \\d, received \\d$`);
    expect(() => call(open())).toThrow(RangeError);
    expect(() => call(open())).toThrow(expected);
  });

  test.each(Object.entries(FOREIGN))(
    "%s: a vector of another memory is a RangeError that names the kernel",
    (what, call) => {
      const expected = new RegExp(`^${what.split(",")[0]}(: \\w+)?: expected a vector of these kernels' own memory$`);
      expect(() => call(open(), open())).toThrow(RangeError);
      expect(() => call(open(), open())).toThrow(expected);
    },
  );

  test("extras without room for their products are a RangeError", () => {
    const kernels = open();
    expect(() => kernels.addGramInto(kernels.f64(1), [kernels.f32(2)], undefined, [kernels.f32(2)])).toThrow(
      RangeError,
    );
  });

  test("memory that is used up is a RangeError that says how much was left", () => {
    for (const take of ["f32", "f64", "u16"] as const) {
      const kernels = backend.open(4096);
      expect(() => kernels[take](1 << 24)).toThrow(RangeError);
      const takeAll = (): void => {
        for (let i = 0; i < 10_000; i++) kernels[take](100);
      };
      expect(takeAll).toThrow(RangeError);
      expect(takeAll).toThrow(/^kernel memory: expected at most \d+ more bytes to be asked for, received \d+$/);
      kernels.release();
      expect(kernels[take](100)).toHaveLength(100);
    }
  });

  test("vectors are aligned, apart, and as many as were asked for", () => {
    const kernels = backend.open(3 * alignedBytes(4) + alignedBytes(8) + alignedBytes(2) + alignedBytes(20));
    const vectors = [kernels.f32(1), kernels.u16(1), kernels.f64(1), kernels.f32(1), kernels.f32(5), kernels.f32(1)];
    const all = [...vectors, kernels.f64(0)];
    expect(all.map((vector) => vector.byteOffset % 16)).toEqual(all.map(() => 0));
    expect(new Set(all.map((vector) => vector.buffer)).size).toBe(1);
    vectors.forEach((vector, i) => {
      vector.fill(i + 1);
    });
    expect(vectors.map((vector) => [...vector])).toEqual([[1], [2], [3], [4], [5, 5, 5, 5, 5], [6]]);
  });

  test("all that was asked for is there, whole pages too", () => {
    for (const byteLength of [0, 4, 16, 4096, 65_536, 131_072]) {
      const kernels = backend.open(byteLength);
      expect(kernels.f32(byteLength / 4)).toHaveLength(byteLength / 4);
      expect(kernels.f64(0)).toHaveLength(0);
    }
  });

  test("released memory is handed out again; two memories are apart", () => {
    const [kernels, others] = [open(), open()];
    const before = kernels.f32(3).fill(1);
    others.f32(3).fill(2);
    expect([...before]).toEqual([1, 1, 1]);
    kernels.release();
    expect(kernels.f32(3).byteOffset).toBe(before.byteOffset);
  });

  test("the room that scratchBytes states suffices, and nothing handed out is written on", () => {
    for (const [rowCount, extraCount, length] of [
      [13, 3, 700],
      [40, 0, 513],
      [1, 1, 9],
    ] as const) {
      const sums = [packedLength(rowCount), rowCount * extraCount, rowCount];
      const vectors = rowCount + extraCount + 5;
      const forKernels = Math.max(scratchBytes(rowCount + extraCount), scratchBytes(rowCount, 5 * rowCount));
      const handedOut = vectors * alignedBytes(4 * length) + sums.reduce((sum, n) => sum + alignedBytes(8 * n), 0);
      const kernels = backend.open(handedOut + forKernels);
      const [gram, cross, norms] = sums.map((n) => kernels.f64(n).fill(0)) as [
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      const [rows, extras, outs] = [rowCount, extraCount, 5].map((n) =>
        Array.from({ length: n }, () => kernels.f32(length).fill(1)),
      ) as [Float32Array[], Float32Array[], Float32Array[]];
      kernels.addGramInto(gram, rows, cross, extras);
      kernels.addNormsInto(norms, rows);
      kernels.weightedSumsInto(outs, new Float64Array(5 * rowCount).fill(1), rows);
      expect([...gram, ...cross, ...norms].every((value) => value === length)).toBe(true);
      expect(outs.every((out) => out.every((value) => value === rowCount))).toBe(true);
      expect([...rows, ...extras].every((row) => row.every((value) => value === 1))).toBe(true);
    }
  });

  test("views that begin anywhere are vectors too", () => {
    const kernels = open();
    for (const shift of [1, 2, 3]) {
      const cut = (): Float32Array =>
        kernels
          .f32(40)
          .fill(2)
          .subarray(shift, shift + 21);
      const [x, y, out] = [cut(), cut(), cut()];
      const gram = kernels.f64(4).fill(0).subarray(1);
      kernels.addGramInto(gram, [x, y]);
      kernels.weightedSumsInto([out], Float64Array.of(2, 3), [x, y]);
      kernels.addScaledInto(x, 0.5, y);
      expect([...gram]).toEqual([84, 84, 84]);
      expect([...new Set(out), ...new Set(x)]).toEqual([10, 3]);
      expect(kernels.subtractInto(out, out, x)).toBe(-1);
      expect([...new Set(out)]).toEqual([7]);
    }
  });
}
