/** Writes a mix down for assembly/mix.ts, which says how it is read. */
import type { Arena } from "../arena.js";
import {
  deltasOf,
  type KernelBlock,
  mixScratchBytes,
  type Operand,
  type PartialRow,
  sortBytes,
  tileLength,
} from "../backend.js";

/** Addresses of the program and of the room for its tables; both are valid until the arena's next scratch. */
export function writeMix(
  rows: readonly PartialRow[],
  blocks: readonly KernelBlock[],
  arena: Arena,
  words: Uint32Array,
): { readonly program: number; readonly table: number } {
  const deltas = deltasOf(blocks);
  const operandCount = blocks.reduce((sum, { operands }) => sum + operands.length, 0);
  const outs = blocks.flatMap((block) => block.outs);
  const foreign = blocks.map((block) => ("factors" in block ? foreignFactors(block.factors, arena) : NOTHING));
  const sorted = blocks.reduce((most, block) => ("trim" in block ? Math.max(most, block.operands.length) : most), 0);
  const start = arena.scratch(
    mixScratchBytes({
      deltas: deltas.length,
      operands: operandCount,
      results: outs.length,
      blocks: blocks.length,
      factors: foreign.reduce((sum, { length }) => sum + length, 0),
      sorted,
    }),
  );

  const addressOf = (vector: Float32Array | undefined): number =>
    vector === undefined ? 0 : arena.addressOf("mixInto", vector);
  // Room to sort in first; then factors, each aligned to 8 bytes; then the differences of a tile, the program, the tables.
  let next = start + sortBytes(sorted);
  const factorsAt = blocks.map((block, b) => {
    if ("trim" in block) return start;
    const own = foreign[b];
    if (own.length === 0) return block.factors.byteOffset;
    const at = next;
    new Float64Array(arena.buffer, at, own.length).set(own);
    next += own.byteLength;
    return at;
  });
  const tileBytes = 4 * tileLength(deltas.length);
  const tileOf = new Map(deltas.map((row, index) => [row, next + tileBytes * index]));
  next += tileBytes * deltas.length;

  const program = next;
  let word = program / 4;
  const write = (value: number): void => {
    words[word++] = value;
  };
  write(deltas.length);
  write(blocks.length);
  for (const row of deltas) {
    write(tileOf.get(row) ?? 0);
    write(addressOf(rows[row]?.after));
    write(addressOf(rows[row]?.before));
  }
  const writeOperand = (operand: Operand): void => {
    if ("delta" in operand) write(tileOf.get(operand.delta) ?? 0);
    else if ("before" in operand) write(addressOf(rows[operand.before]?.before));
    else if ("after" in operand) write(addressOf(rows[operand.after]?.after));
    else write(addressOf(outs[operand.result]));
    write("delta" in operand ? 0 : 1);
  };
  blocks.forEach((block, b) => {
    const { outs: own, operands } = block;
    write(own.length);
    write(operands.length);
    write("trim" in block ? block.trim : WEIGHTED);
    write(factorsAt[b]);
    for (const out of own) write(addressOf(out));
    operands.forEach(writeOperand);
  });
  return { program, table: 4 * word };
}

/** As an i32: −1. */
const WEIGHTED = 2 ** 32 - 1;
const NOTHING = new Float64Array(0);

/** Factors that lie elsewhere; empty where kernels reach them. */
function foreignFactors(factors: Float64Array, arena: Arena): Float64Array {
  return factors.buffer === arena.buffer ? NOTHING : factors;
}
