/** Kernels in memory that threads share; called by kernels.contract.ts. */
import { expect, test } from "vitest";
import { alignedBytes } from "../arena.js";
import { type KernelBackend, type Kernels, packedLength, scratchBytes } from "../backend.js";
import { openSharedHeap } from "../shared-heap.js";

const PAGE_BYTES = 65536;
const START = 1024;

/** As `backend`, but every memory that it opens is one that threads could share. */
export function inSharedMemory(backend: KernelBackend): KernelBackend {
  return {
    ...backend,
    open(byteLength) {
      const pages = Math.ceil((START + byteLength) / PAGE_BYTES);
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
      return backend.openIn({ memory, start: START, byteLength: alignedBytes(byteLength) });
    },
  };
}

export function regionsContract(backend: KernelBackend): void {
  const rowCount = 7;
  const length = 600;
  /** Two kernels side by side in one heap, behind the vectors on which both work. */
  const open = (): { rows: Float32Array[]; byteLength: number; regions: (() => Kernels)[] } => {
    const byteLength = alignedBytes(8 * packedLength(rowCount)) + scratchBytes(rowCount);
    const heap = openSharedHeap(rowCount * alignedBytes(4 * length) + 2 * byteLength + 64);
    const rows = Array.from({ length: rowCount }, (_, r) => heap.allocate(length).fill(r + 1));
    const regions = [0, 1].map(() => {
      const start = heap.allocate(byteLength / 4).byteOffset;
      return () => backend.openIn({ memory: heap.memory, start, byteLength });
    });
    return { rows, byteLength, regions };
  };

  test("kernels work on all vectors of the memory, and write nothing outside their region", () => {
    const { rows, regions } = open();
    const [left, right] = regions.map((region) => region()) as [Kernels, Kernels];
    const [grams, products] = [left, right].map((kernels) => {
      const gram = kernels.f64(packedLength(rowCount)).fill(0);
      return gram;
    }) as [Float64Array, Float64Array];
    left.addGramInto(grams, rows);
    right.addGramInto(products, rows);
    left.addGramInto(grams, rows);
    expect([...grams]).toEqual([...products].map((value) => 2 * value));
    expect([...products.subarray(0, 7)]).toEqual([1, 2, 3, 4, 5, 6, 7].map((value) => value * length));
    expect(rows.every((row, r) => row.every((value) => value === r + 1))).toBe(true);
    left.weightedSumsInto(rows.slice(0, 1), Float64Array.of(3, 4), rows.slice(1, 3));
    expect(rows[0]?.every((value) => value === 18)).toBe(true);
  });

  test("a region ends where it ends, although the memory goes on", () => {
    const { regions, byteLength } = open();
    const kernels = (regions[0] as () => Kernels)();
    expect(() => kernels.f32(byteLength / 4 + 4)).toThrow(/^kernel memory: expected at most \d+ more bytes/);
    expect(kernels.f32(byteLength / 4)).toHaveLength(byteLength / 4);
    expect(() => kernels.f32(1)).toThrow(RangeError);
    kernels.release();
    expect(kernels.f32(1)).toHaveLength(1);
  });

  test("vectors beyond 2 GiB are reached", () => {
    const heap = openSharedHeap(2 ** 31 + 2 ** 20);
    heap.allocate(2 ** 29);
    const rows = [3, 4].map((value) => heap.allocate(13).fill(value));
    const byteLength = alignedBytes(24) + alignedBytes(26) + scratchBytes(2, 2);
    const start = heap.allocate(byteLength / 4).byteOffset;
    expect(start).toBeGreaterThan(2 ** 31);
    const kernels = backend.openIn({ memory: heap.memory, start, byteLength });
    const [gram, bits] = [kernels.f64(3).fill(0), kernels.u16(13)];
    kernels.addGramInto(gram, rows);
    expect([...gram]).toEqual([9 * 13, 12 * 13, 16 * 13]);
    kernels.weightedSumsInto(rows.slice(0, 1), Float64Array.of(2, -0.5), rows);
    expect([...new Set(rows[0])]).toEqual([4]);
    kernels.toHalfInto(bits, rows[0] as Float32Array);
    expect([...new Set(bits)]).toEqual([0x4400]);
    expect(kernels.subtractInto(rows[0] as Float32Array, rows[0] as Float32Array, rows[1] as Float32Array)).toBe(-1);
    expect([...new Set(rows[0])]).toEqual([0]);
  });
}
