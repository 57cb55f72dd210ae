/**
 * The seam of every numeric inner loop. Two backends stand behind it, plain TypeScript and WASM SIMD; they sum in the same
 * order and agree bit for bit, so that which one runs changes the time and nothing else.
 *
 * Notation: `x`, `y` vectors [P] in f32; `rows` R vectors of one length; costs count a multiplication with its addition as one.
 * Elements are summed in f64 and rounded once, to f32, where the result is a vector. Inner products run over blocks of
 * `BLOCK` elements: within a block even and odd elements are summed apart, then even + odd, then block after block. So
 * a long inner product may be taken in pieces, in order, if each but the last is a multiple of `BLOCK` long.
 *
 * Every vector handed to a kernel must come from the same `Kernels`: its memory is all that the kernel can reach.
 * Lengths that differ and foreign vectors are RangeErrors: bugs of the caller, never bad input.
 */
export interface KernelBackend {
  readonly name: "reference" | "wasm-simd";
  /** Memory of its own, `byteLength` or a little more, and the kernels that work on it; see also `scratchBytes`. */
  open(byteLength: number): Kernels;
  /** Kernels that work in memory which threads share: on all vectors in it, with a region of it for themselves. */
  openIn(region: SharedRegion): Kernels;
}

/** Bytes [start, start + byteLength) of a memory that threads share; see shared-heap.ts. */
export interface SharedRegion {
  readonly memory: WebAssembly.Memory;
  readonly start: number;
  readonly byteLength: number;
}

/** Elements of a block, see above. */
export const BLOCK = 512;

export interface Kernels extends Allocator {
  readonly backend: KernelBackend["name"];

  /** out ← after − before; `out` may be one of the two. Returns the index of the first difference that is not finite, or −1. Cost P. */
  subtractInto(out: Float32Array, after: Float32Array, before: Float32Array): number;
  /** y ← y + a·x. Cost P. */
  addScaledInto(y: Float32Array, a: number, x: Float32Array): void;
  /** Index of the first NaN or infinity, −1 where there is none. Cost P. */
  findNonFinite(x: Float32Array): number;

  /** outs_m ← Σ_r factors[m·R + r]·rows_r, added up in the order of the rows; no rows give zeros. `factors` may lie anywhere. Cost MRP. */
  weightedSumsInto(outs: readonly Float32Array[], factors: Float64Array, rows: readonly Float32Array[]): void;
  /**
   * Weighted sums of rows, of their differences and of each other's results, block after block as `weightedSumsInto` would, and trimmed
   * means of them; results are numbered through all blocks. Returns the number of the first result with a value that is not finite, or −1.
   * Cost that of the sums; of a trimmed mean of R operands, about R·log²R·P/4 exchanges of two numbers.
   */
  mixInto(rows: readonly PartialRow[], blocks: readonly KernelBlock[]): number;
  /** sums ← sums + factor·x: a weighted sum of more rows than there is room for, row by row. Cost P. */
  addWeightedInto(sums: Float64Array, factor: number, x: Float32Array): void;
  /** out ← sums, rounded. */
  roundInto(out: Float32Array, sums: Float64Array): void;

  /**
   * gram ← gram + ⟨rows_i, rows_j⟩, the upper triangle row by row [R(R+1)/2]; cross ← cross + ⟨extras_d, rows_r⟩ [D, R].
   * Cost R²P/2 + DRP. No finite f32 input overflows.
   */
  addGramInto(
    gram: Float64Array,
    rows: readonly Float32Array[],
    cross?: Float64Array,
    extras?: readonly Float32Array[],
  ): void;
  /**
   * The same for the differences after_r − before_r, each rounded once to f32, which are not kept. Returns the first row of which a
   * difference is not finite, or −1; the sums are worth nothing then.
   */
  addDeltaGramInto(
    gram: Float64Array,
    rows: readonly DeltaRow[],
    cross?: Float64Array,
    extras?: readonly Float32Array[],
  ): number;
  /** sums_r ← sums_r + ⟨rows_r, rows_r⟩, with the bits of the Gram's diagonal. Cost RP. */
  addNormsInto(sums: Float64Array, rows: readonly Float32Array[]): void;

  /** IEEE binary16 bits → f32, exact. */
  fromHalfInto(out: Float32Array, bits: Uint16Array): void;
  /** f32 → binary16 bits, to nearest, ties to even; beyond 65,504 an infinity, NaN becomes 0x7e00. */
  toHalfInto(bits: Uint16Array, x: Float32Array): void;
  /** bfloat16 bits → f32, exact. */
  fromBrainInto(out: Float32Array, bits: Uint16Array): void;
  /** f32 → bfloat16 bits, to nearest, ties to even; NaN becomes 0x7fc0. */
  toBrainInto(bits: Uint16Array, x: Float32Array): void;
}

export interface DeltaRow {
  readonly before: Float32Array;
  readonly after: Float32Array;
}

/** What no operand asks for may be missing. */
export type PartialRow = Partial<DeltaRow>;

/** An operand of a weighted sum: a row before or after training, the difference (in f32), or an earlier result, by its number. */
export type Operand =
  | { readonly before: number }
  | { readonly after: number }
  | { readonly delta: number }
  | { readonly result: number };

/** What is made of the operands of a block. */
export type BlockRule = WeightedSums | TrimmedMean;

export interface WeightedSums {
  /** [results, operands], row-major; may lie anywhere. */
  readonly factors: Float64Array;
}

/**
 * One result. Element by element: the operands' values in ascending order, without the `trim` lowest and the `trim` highest; the others are added up from
 * the lowest on, in f64 and from +0 on, divided by their number and rounded once. An operand that is not finite makes the element NaN, wherever it ranks.
 */
export interface TrimmedMean {
  /** A whole number, less than half of the operands. 0: their mean; as large as may be: their median. */
  readonly trim: number;
}

/** The rule alone, of what has one. */
export function ruleOf(block: BlockRule): BlockRule {
  return "factors" in block ? { factors: block.factors } : { trim: block.trim };
}

export type KernelBlock = BlockRule & {
  readonly operands: readonly Operand[];
  readonly outs: readonly Float32Array[];
};

/** Vectors that kernels can reach. What is handed out is not cleared, and is valid until `release`. */
export interface Allocator {
  /** What all vectors that the kernels can reach lie over. */
  readonly buffer: ArrayBufferLike;
  /** RangeError where the memory that was asked for is used up. */
  f32(length: number): Float32Array;
  f64(length: number): Float64Array;
  u16(length: number): Uint16Array;
  /** All that was handed out is free again. */
  release(): void;
}

/**
 * Bytes that kernels need for themselves, beside the vectors handed out, to work on so many rows and extras at once, and
 * to take so many factors that lie elsewhere.
 */
export function scratchBytes(rowCount: number, factorCount = 0): number {
  return 8 * BLOCK * rowCount + 8 * rowCount + 8 * factorCount + 256;
}

/** Elements of which kernels hold the differences of so many rows at a time; as in assembly/common.ts. */
export function tileLength(rowCount: number): number {
  return Math.min(16_384, Math.max(BLOCK, Math.floor(131_072 / Math.max(1, rowCount) / BLOCK) * BLOCK));
}

/** The same for `addDeltaGramInto` on `count` elements. */
export function deltaScratchBytes(rowCount: number, extraCount: number, count: number): number {
  return (
    scratchBytes(rowCount + extraCount) +
    (4 * Math.min(tileLength(rowCount), count) + 16) * rowCount +
    8 * (rowCount + extraCount) +
    64
  );
}

/** Rows of which some operand wants the difference, ascending. */
export function deltasOf(blocks: readonly { readonly operands: readonly Operand[] }[]): readonly number[] {
  const found = new Set(
    blocks.flatMap(({ operands }) => operands.flatMap((each) => ("delta" in each ? [each.delta] : []))),
  );
  return [...found].sort((a, b) => a - b);
}

/**
 * The same for `mixInto`: so many rows of which the difference is needed, operands and results of all blocks, blocks, factors, and operands of
 * the largest trimmed block.
 */
export function mixScratchBytes(counts: {
  readonly deltas: number;
  readonly operands: number;
  readonly results: number;
  readonly blocks: number;
  readonly factors: number;
  readonly sorted?: number;
}): number {
  const { deltas, operands, results, blocks, factors, sorted = 0 } = counts;
  const sums =
    4 * tileLength(deltas) * deltas + 12 * (deltas + operands) + 8 * results + 8 * factors + 32 * blocks + 256;
  return sums + sortBytes(sorted);
}

/** Room in which so many rows, or fewer, are sorted, with a tile for what is not finite; of `sortTile` in assembly/common.ts. Never falls as rows are added. */
export function sortBytes(rowCount: number): number {
  return rowCount === 0 ? 0 : 4 * Math.max(SORT_LENGTH, LEAST_SORT_TILE * (rowCount + 1));
}

/** Numbers that are sorted at a time, all rows together, and the fewest of a row. */
const SORT_LENGTH = 8192;
const LEAST_SORT_TILE = 64;

/** Length of the packed upper triangle of an R × R matrix. */
export function packedLength(rowCount: number): number {
  return (rowCount * (rowCount + 1)) / 2;
}

/** The full, exactly symmetric matrix [R, R] of a packed upper triangle. */
export function unpackGram(packed: Float64Array, rowCount: number): Float64Array {
  const full = new Float64Array(rowCount * rowCount);
  let at = 0;
  for (let i = 0; i < rowCount; i++) {
    for (let j = i; j < rowCount; j++) {
      full[i * rowCount + j] = packed[at];
      full[j * rowCount + i] = packed[at];
      at++;
    }
  }
  return full;
}
