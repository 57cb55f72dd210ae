/** The plain backend: one loop per kernel, obviously right, the yardstick of the fast one. */
import { fromHalfBits, toHalfBits } from "@kumiai/params";
import { type Arena, alignedBytes, openArena } from "../arena.js";
import { BLOCK, type DeltaRow, type KernelBackend, type Kernels, type Operand, type PartialRow } from "../backend.js";
import { assertSameLength, checkGram, checkMix, checkWeightedSums, lengthOfRows } from "../lengths.js";

export const referenceBackend: KernelBackend = {
  name: "reference",
  open: (byteLength) => createKernels(openArena(new ArrayBuffer(alignedBytes(byteLength)), 0)),
  openIn: ({ memory, start, byteLength }) => createKernels(openArena(memory.buffer, start, start + byteLength)),
};

/** ⟨x, y⟩ over the elements [start, end), at most a block: even and odd ones apart. */
function blockProduct(x: Float32Array, y: Float32Array, start: number, end: number): number {
  let even = 0;
  let odd = 0;
  for (let i = start; i < end; i += 2) even += x[i] * y[i];
  for (let i = start + 1; i < end; i += 2) odd += x[i] * y[i];
  return even + odd;
}

/** sum + ⟨x, y⟩, block after block. */
function addProduct(sum: number, x: Float32Array, y: Float32Array): number {
  let total = sum;
  for (let start = 0; start < x.length; start += BLOCK) {
    total += blockProduct(x, y, start, Math.min(start + BLOCK, x.length));
  }
  return total;
}

function findNonFinite(x: Float32Array): number {
  for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i])) return i;
  return -1;
}

const bitsOf = new DataView(new ArrayBuffer(4));

function toBrainBits(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  bitsOf.setFloat32(0, value);
  const bits = bitsOf.getUint32(0);
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function fromBrainBits(bits: number): number {
  bitsOf.setUint32(0, bits * 65536);
  return bitsOf.getFloat32(0);
}

/** after − before, each rounded to f32. */
function deltaOf({ before, after }: DeltaRow): Float32Array {
  assertSameLength("difference", after.length, before.length);
  return after.map((value, i) => value - before[i]);
}

function operandOf(operand: Operand, rows: readonly PartialRow[], results: readonly Float32Array[]): Float32Array {
  if ("result" in operand) return results[operand.result];
  const row = rows["before" in operand ? operand.before : "after" in operand ? operand.after : operand.delta];
  const { before = NO_ELEMENTS, after = NO_ELEMENTS } = row;
  if ("delta" in operand) return deltaOf({ before, after });
  return "before" in operand ? before : after;
}

const NO_ELEMENTS = new Float32Array(0);
const NO_NUMBERS = new Float64Array(0);

function addGram(
  gram: Float64Array,
  rows: readonly Float32Array[],
  cross: Float64Array,
  extras: readonly Float32Array[],
): void {
  checkGram(gram, rows, cross, extras);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    for (let j = i; j < rows.length; j++) {
      gram[at] = addProduct(gram[at], rows[i], rows[j]);
      at++;
    }
  }
  extras.forEach((extra, d) => {
    rows.forEach((row, r) => {
      cross[d * rows.length + r] = addProduct(cross[d * rows.length + r], extra, row);
    });
  });
}

function weightedSums(outs: readonly Float32Array[], factors: Float64Array, rows: readonly Float32Array[]): void {
  checkWeightedSums(outs, factors, rows);
  outs.forEach((out, m) => {
    for (let i = 0; i < out.length; i++) {
      let sum = 0;
      for (let r = 0; r < rows.length; r++) sum += factors[m * rows.length + r] * rows[r][i];
      out[i] = sum;
    }
  });
}

function trimmedMean(out: Float32Array, trim: number, rows: readonly Float32Array[]): void {
  const column = new Float32Array(rows.length);
  for (let i = 0; i < out.length; i++) {
    for (let r = 0; r < rows.length; r++) column[r] = rows[r][i];
    if (!column.every(Number.isFinite)) {
      out[i] = Number.NaN;
      continue;
    }
    column.sort();
    let sum = 0;
    for (let rank = trim; rank < rows.length - trim; rank++) sum += column[rank];
    out[i] = sum / (rows.length - 2 * trim);
  }
}

function createKernels({ buffer, f32, f64, u16, release, addressOf }: Arena): Kernels {
  /** Refuses vectors from elsewhere, which this backend could reach and others cannot. */
  const own = (kernel: string, ...vectors: readonly ArrayBufferView[]): void => {
    for (const vector of vectors) addressOf(kernel, vector);
  };

  return {
    backend: "reference",
    buffer,
    f32,
    f64,
    u16,
    release,

    subtractInto(out, after, before) {
      assertSameLength("subtractInto", out.length, after.length);
      assertSameLength("subtractInto", out.length, before.length);
      own("subtractInto", out, after, before);
      for (let i = 0; i < out.length; i++) out[i] = after[i] - before[i];
      return findNonFinite(out);
    },

    addScaledInto(y, a, x) {
      assertSameLength("addScaledInto", y.length, x.length);
      own("addScaledInto", y, x);
      for (let i = 0; i < y.length; i++) y[i] = y[i] + a * x[i];
    },

    findNonFinite(x) {
      own("findNonFinite", x);
      return findNonFinite(x);
    },

    weightedSumsInto(outs, factors, rows) {
      own("weightedSumsInto", ...outs, ...rows);
      weightedSums(outs, factors, rows);
    },

    addWeightedInto(sums, factor, x) {
      assertSameLength("addWeightedInto", sums.length, x.length);
      own("addWeightedInto", sums, x);
      for (let i = 0; i < sums.length; i++) sums[i] += factor * x[i];
    },

    roundInto(out, sums) {
      assertSameLength("roundInto", out.length, sums.length);
      own("roundInto", out, sums);
      out.set(sums);
    },

    addGramInto(gram, rows, cross = NO_NUMBERS, extras = []) {
      own("addGramInto", gram, ...rows, ...extras);
      if (extras.length > 0) own("addGramInto: cross", cross);
      addGram(gram, rows, cross, extras);
    },

    addDeltaGramInto(gram, rows, cross = NO_NUMBERS, extras = []) {
      own("addDeltaGramInto", gram, ...rows.flatMap(({ before, after }) => [before, after]), ...extras);
      if (extras.length > 0) own("addDeltaGramInto: cross", cross);
      const deltas = rows.map(deltaOf);
      const bad = deltas.findIndex((delta) => findNonFinite(delta) >= 0);
      if (bad < 0) addGram(gram, deltas, cross, extras);
      return bad;
    },

    mixInto(rows, blocks) {
      checkMix(rows, blocks);
      own("mixInto", ...rows.flatMap(({ before, after }) => [before ?? [], after ?? []].flat()));
      own("mixInto", ...blocks.flatMap(({ outs }) => outs));
      const results: Float32Array[] = [];
      for (const block of blocks) {
        const { operands, outs } = block;
        const vectors = operands.map((operand) => operandOf(operand, rows, results));
        if ("factors" in block) weightedSums(outs, block.factors, vectors);
        else trimmedMean(outs[0] ?? NO_ELEMENTS, block.trim, vectors);
        const bad = outs.findIndex((out) => findNonFinite(out) >= 0);
        if (bad >= 0) return results.length + bad;
        results.push(...outs);
      }
      return -1;
    },

    addNormsInto(sums, rows) {
      lengthOfRows("addNormsInto", rows);
      assertSameLength("addNormsInto: sums", rows.length, sums.length);
      own("addNormsInto", sums, ...rows);
      rows.forEach((row, r) => {
        sums[r] = addProduct(sums[r], row, row);
      });
    },

    fromHalfInto(out, bits) {
      assertSameLength("fromHalfInto", out.length, bits.length);
      own("fromHalfInto", out, bits);
      for (let i = 0; i < out.length; i++) out[i] = fromHalfBits(bits[i]);
    },

    toHalfInto(bits, x) {
      assertSameLength("toHalfInto", bits.length, x.length);
      own("toHalfInto", bits, x);
      for (let i = 0; i < x.length; i++) bits[i] = toHalfBits(x[i]);
    },

    fromBrainInto(out, bits) {
      assertSameLength("fromBrainInto", out.length, bits.length);
      own("fromBrainInto", out, bits);
      for (let i = 0; i < out.length; i++) out[i] = fromBrainBits(bits[i]);
    },

    toBrainInto(bits, x) {
      assertSameLength("toBrainInto", bits.length, x.length);
      own("toBrainInto", bits, x);
      for (let i = 0; i < x.length; i++) bits[i] = toBrainBits(x[i]);
    },
  };
}
