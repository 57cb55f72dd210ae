import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { type KernelBackend, packedLength } from "../backend.js";
import { referenceBackend } from "../reference/kernels.js";
import { selectBackend } from "../select.js";
import { simdBackend, supportsSimd } from "./kernels.js";

afterEach(() => {
  vi.unstubAllGlobals();
});

interface Watched {
  /** By the name of the export. */
  readonly calls: Map<string, number>;
  readonly memories: ArrayBufferLike[];
}

/** From now on counts the calls of all functions that WebAssembly instances export, and passes them on. */
function watchInstances(): Watched {
  const watched: Watched = { calls: new Map(), memories: [] };
  const { Instance, Module, Memory, validate } = WebAssembly;
  const counted = (name: string, body: (...values: readonly number[]) => unknown) => {
    watched.calls.set(name, 0);
    return (...values: readonly number[]): unknown => {
      watched.calls.set(name, (watched.calls.get(name) ?? 0) + 1);
      return body(...values);
    };
  };
  class WatchedInstance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(...args: ConstructorParameters<typeof Instance>) {
      const entries = Object.entries(new Instance(...args).exports).map(([name, item]) => {
        if (item instanceof Memory) watched.memories.push(item.buffer);
        return [name, typeof item === "function" ? counted(name, item as () => unknown) : item] as const;
      });
      this.exports = Object.fromEntries(entries);
    }
  }
  vi.stubGlobal("WebAssembly", { Instance: WatchedInstance, Module, Memory, validate });
  return watched;
}

test("this engine has WASM SIMD, and SIMD is what is selected", () => {
  expect(supportsSimd()).toBe(true);
  expect(selectBackend()).toBe(simdBackend);
  expect(simdBackend.name).toBe("wasm-simd");
  expect(simdBackend.open(1).backend).toBe("wasm-simd");
});

test("an engine without WebAssembly, or without SIMD in it, is seen as such", () => {
  vi.stubGlobal("WebAssembly", undefined);
  expect(supportsSimd()).toBe(false);
  vi.stubGlobal("WebAssembly", { validate: () => false });
  expect(supportsSimd()).toBe(false);
});

test("each kernel is one call of one function of the binary, and the binary has no other function", () => {
  const { calls } = watchInstances();
  const kernels = simdBackend.open(1 << 20);
  const [x, y, out] = [kernels.f32(9), kernels.f32(9), kernels.f32(9)];
  const bits = kernels.u16(9);
  const sums = kernels.f64(9);
  const steps: readonly (readonly [string, () => unknown])[] = [
    ["subtract", () => kernels.subtractInto(out, x, y)],
    ["addScaled", () => kernels.addScaledInto(y, 2, x)],
    ["findNonFinite", () => kernels.findNonFinite(x)],
    ["weightedSums", () => kernels.weightedSumsInto([out], Float64Array.of(1, 2), [x, y])],
    ["addWeighted", () => kernels.addWeightedInto(sums, 2, x)],
    ["roundSums", () => kernels.roundInto(out, sums)],
    ["addGram", () => kernels.addGramInto(kernels.f64(3), [x, y], kernels.f64(2), [out])],
    ["addDeltaGram", () => kernels.addDeltaGramInto(kernels.f64(1), [{ before: x, after: y }], kernels.f64(1), [out])],
    [
      "mix",
      () =>
        kernels.mixInto(
          [{ before: x, after: y }],
          [{ operands: [{ delta: 0 }], factors: Float64Array.of(1), outs: [out] }],
        ),
    ],
    ["addNorms", () => kernels.addNormsInto(kernels.f64(2), [x, y])],
    ["fromHalf", () => kernels.fromHalfInto(out, bits)],
    ["toHalf", () => kernels.toHalfInto(bits, x)],
    ["fromBrain", () => kernels.fromBrainInto(out, bits)],
    ["toBrain", () => kernels.toBrainInto(bits, x)],
  ];
  for (const [name, step] of steps) {
    step();
    expect([...calls].filter(([, count]) => count > 0)).toEqual([[name, 1]]);
    calls.set(name, 0);
  }
  expect([...calls.keys()].sort()).toEqual([...new Set(steps.map(([name]) => name))].sort());
});

test("vectors lie in the memory of the instance, one instance for each that is opened", () => {
  const { memories } = watchInstances();
  const [first, second] = [simdBackend.open(100_000), simdBackend.open(1)];
  expect(memories).toHaveLength(2);
  expect([first.f32(9), first.f64(9), first.u16(9)].map(({ buffer }) => memories.indexOf(buffer))).toEqual([0, 0, 0]);
  expect(second.f32(1).buffer).toBe(memories[1]);
  // Whole pages, no more of them than needed.
  expect(memories.map(({ byteLength }) => byteLength)).toEqual([131_072, 65_536]);
});

test("kernels without room for their own work say so and write nothing", () => {
  const kernels = simdBackend.open(60_000);
  const rows = Array.from({ length: 13 }, () => kernels.f32(100).fill(1));
  const gram = kernels.f64(packedLength(13)).fill(0);
  // 13 blocks of 512 f64 are 53,248 bytes.
  kernels.addGramInto(gram, rows);
  const room = kernels.f32(12_000);
  const message = /^kernel memory: expected at most \d+ more bytes to be asked for, received \d+$/;
  expect(() => kernels.addGramInto(gram, rows)).toThrow(message);
  expect([...gram]).toEqual(new Array(91).fill(100));
  // Norms need no blocks, only a table of addresses.
  kernels.addNormsInto(gram.subarray(0, 13), rows);
  expect([...gram.subarray(0, 13)]).toEqual(new Array(13).fill(200));
  kernels.f32(1000);
  const many = (count: number): Float32Array[] => new Array(count).fill(room.subarray(1, 2));
  expect(() => kernels.addNormsInto(new Float64Array(room.buffer, room.byteOffset, 2000), many(2000))).toThrow(message);
  const factors = new Float64Array(600);
  expect(() => kernels.weightedSumsInto([room.subarray(0, 1)], factors, many(600))).toThrow(message);
});

test("the binary needs nothing but a memory", () => {
  const binary = readFileSync(new URL("../../dist/kernels.wasm", import.meta.url));
  const { imports } = WebAssembly.Module as unknown as {
    imports(module: unknown): readonly { readonly module: string; readonly name: string; readonly kind: string }[];
  };
  expect(imports(new WebAssembly.Module(binary))).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
});

/** Milliseconds of a Gram of 8 rows of 65,536, the median of seven after two to warm up. */
function medianGramMs(backend: KernelBackend): number {
  const kernels = backend.open(1 << 22);
  const rows = Array.from({ length: 8 }, (_, r) => kernels.f32(65_536).fill(r - 3.5));
  const gram = kernels.f64(packedLength(8)).fill(0);
  const times = Array.from({ length: 9 }, () => {
    const start = performance.now();
    kernels.addGramInto(gram, rows);
    return performance.now() - start;
  });
  return times.slice(2).sort((a, b) => a - b)[3] as number;
}

test("a Gram of 8 × 65,536 takes at most two thirds of the reference's time", { retry: 2 }, () => {
  expect(medianGramMs(referenceBackend) / medianGramMs(simdBackend)).toBeGreaterThan(1.5);
});
