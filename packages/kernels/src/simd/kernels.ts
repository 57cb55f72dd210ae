/**
 * The fast backend: kernels of `assembly/` as WebAssembly with 128-bit SIMD. Each `Kernels` is an instance with a memory of
 * its own; the compiled module is shared. Nothing is copied: vectors live in the instance's memory.
 */
import { readFileSync } from "node:fs";
import { type Arena, alignedBytes, openArena } from "../arena.js";
import { deltaScratchBytes, type KernelBackend, type Kernels, scratchBytes, tileLength } from "../backend.js";
import { assertSameLength, checkGram, checkMix, checkWeightedSums, lengthOfRows } from "../lengths.js";
import { writeMix } from "./mix-program.js";

/** The functions of assembly/index.ts; addresses are bytes, the order of arguments is theirs. */
interface Exports {
  subtract(out: number, after: number, before: number, count: number): number;
  addScaled(y: number, a: number, x: number, count: number): void;
  findNonFinite(x: number, count: number): number;
  weightedSums(outs: number, outCount: number, factors: number, rows: number, rowCount: number, count: number): void;
  addWeighted(sums: number, factor: number, x: number, count: number): void;
  roundSums(out: number, sums: number, count: number): void;
  addGram(...args: readonly [number, number, number, number, number, number, number]): void;
  addDeltaGram(
    ...args: readonly [number, number, number, number, number, number, number, number, number, number]
  ): number;
  mix(program: number, count: number, table: number): number;
  addNorms(sums: number, rows: number, rowCount: number, count: number): void;
  fromHalf(out: number, bits: number, count: number): void;
  toHalf(bits: number, x: number, count: number): void;
  fromBrain(out: number, bits: number, count: number): void;
  toBrain(bits: number, x: number, count: number): void;
}

/** The same place seen from src/ and from dist/. */
const BINARIES = new URL("../../dist/", import.meta.url);
const PAGE_BYTES = 65536;
/** Below this lies nothing, so that no vector has address 0. */
const START = 1024;

/** A module of one function that returns a v128: valid only where SIMD is. */
const SIMD_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

export function supportsSimd(): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(SIMD_PROBE);
}

const modules = new Map<string, WebAssembly.Module>();

function instantiate(binary: string, memory: WebAssembly.Memory): Exports {
  const module = modules.get(binary) ?? new WebAssembly.Module(readFileSync(new URL(binary, BINARIES)));
  modules.set(binary, module);
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
}

export const simdBackend: KernelBackend = {
  name: "wasm-simd",
  open(byteLength) {
    const memory = new WebAssembly.Memory({ initial: Math.ceil((START + byteLength) / PAGE_BYTES) });
    return createKernels(instantiate("kernels.wasm", memory), openArena(memory.buffer, START));
  },
  openIn({ memory, start, byteLength }) {
    const wasm = instantiate("kernels-shared.wasm", memory);
    return createKernels(wasm, openArena(memory.buffer, start, start + byteLength));
  },
};

function createKernels(wasm: Exports, arena: Arena): Kernels {
  const { buffer } = arena;
  const { f32, f64, u16, release, addressOf } = arena;
  const words = new Uint32Array(buffer);

  /** Writes the addresses of `vectors` to `at`; returns the next free address. */
  const writeTable = (what: string, vectors: readonly Float32Array[], at: number): number => {
    vectors.forEach((vector, i) => {
      words[at / 4 + i] = addressOf(what, vector);
    });
    return at + alignedBytes(4 * vectors.length);
  };

  return {
    backend: "wasm-simd",
    buffer,
    f32,
    f64,
    u16,
    release,

    subtractInto(out, after, before) {
      assertSameLength("subtractInto", out.length, after.length);
      assertSameLength("subtractInto", out.length, before.length);
      const at = (vector: Float32Array): number => addressOf("subtractInto", vector);
      return wasm.subtract(at(out), at(after), at(before), out.length);
    },

    addScaledInto(y, a, x) {
      assertSameLength("addScaledInto", y.length, x.length);
      wasm.addScaled(addressOf("addScaledInto", y), a, addressOf("addScaledInto", x), y.length);
    },

    findNonFinite: (x) => wasm.findNonFinite(addressOf("findNonFinite", x), x.length),

    weightedSumsInto(outs, factors, rows) {
      checkWeightedSums(outs, factors, rows);
      const elsewhere = factors.buffer !== buffer;
      const outTable = arena.scratch(scratchBytes(0, elsewhere ? factors.length : 0) + 4 * (outs.length + rows.length));
      const rowTable = writeTable("weightedSumsInto", outs, outTable);
      const free = writeTable("weightedSumsInto", rows, rowTable);
      if (elsewhere) new Float64Array(buffer, free, factors.length).set(factors);
      const from = elsewhere ? free : factors.byteOffset;
      wasm.weightedSums(outTable, outs.length, from, rowTable, rows.length, outs[0]?.length ?? 0);
    },

    addWeightedInto(sums, factor, x) {
      assertSameLength("addWeightedInto", sums.length, x.length);
      wasm.addWeighted(addressOf("addWeightedInto", sums), factor, addressOf("addWeightedInto", x), x.length);
    },

    roundInto(out, sums) {
      assertSameLength("roundInto", out.length, sums.length);
      wasm.roundSums(addressOf("roundInto", out), addressOf("roundInto", sums), out.length);
    },

    addGramInto(gram, rows, cross = NOTHING, extras = []) {
      checkGram(gram, rows, cross, extras);
      const table = arena.scratch(scratchBytes(rows.length + extras.length));
      const wide = writeTable("addGramInto", [...rows, ...extras], table);
      const to = addressOf("addGramInto: gram", gram);
      const toCross = extras.length === 0 ? 0 : addressOf("addGramInto: cross", cross);
      wasm.addGram(to, rows.length, toCross, extras.length, table, rows[0]?.length ?? 0, wide);
    },

    addDeltaGramInto(gram, rows, cross = NOTHING, extras = []) {
      const afters = rows.map(({ after }) => after);
      const befores = rows.map(({ before }) => before);
      checkGram(gram, afters, cross, extras);
      lengthOfRows("addDeltaGramInto: rows", [...afters, ...befores]);
      const count = afters[0]?.length ?? 0;
      const table = arena.scratch(deltaScratchBytes(rows.length, extras.length, count));
      const toBefore = writeTable("addDeltaGramInto", [...afters, ...extras], table);
      const free = writeTable("addDeltaGramInto", befores, toBefore);
      const deltas = free + alignedBytes(4 * (rows.length + extras.length));
      const wide = deltas + alignedBytes(4 * Math.min(tileLength(rows.length), count) * rows.length);
      const to = addressOf("addDeltaGramInto: gram", gram);
      const toCross = extras.length === 0 ? 0 : addressOf("addDeltaGramInto: cross", cross);
      return wasm.addDeltaGram(to, rows.length, toCross, extras.length, table, toBefore, count, free, deltas, wide);
    },

    mixInto(rows, blocks) {
      const count = checkMix(rows, blocks);
      const { program, table } = writeMix(rows, blocks, arena, words);
      return wasm.mix(program, count, table);
    },

    addNormsInto(sums, rows) {
      assertSameLength("addNormsInto: sums", rows.length, sums.length);
      const length = lengthOfRows("addNormsInto", rows);
      const table = arena.scratch(alignedBytes(4 * rows.length));
      writeTable("addNormsInto", rows, table);
      wasm.addNorms(addressOf("addNormsInto: sums", sums), table, rows.length, length);
    },

    fromHalfInto(out, bits) {
      assertSameLength("fromHalfInto", out.length, bits.length);
      wasm.fromHalf(addressOf("fromHalfInto", out), addressOf("fromHalfInto", bits), out.length);
    },

    toHalfInto(bits, x) {
      assertSameLength("toHalfInto", bits.length, x.length);
      wasm.toHalf(addressOf("toHalfInto", bits), addressOf("toHalfInto", x), x.length);
    },

    fromBrainInto(out, bits) {
      assertSameLength("fromBrainInto", out.length, bits.length);
      wasm.fromBrain(addressOf("fromBrainInto", out), addressOf("fromBrainInto", bits), out.length);
    },

    toBrainInto(bits, x) {
      assertSameLength("toBrainInto", bits.length, x.length);
      wasm.toBrain(addressOf("toBrainInto", bits), addressOf("toBrainInto", x), x.length);
    },
  };
}

const NOTHING = new Float64Array(0);
