/** Writes a mix down for assembly/mix.ts, which says how it is read. */
import type { Arena } from "../arena.js";
import { type KernelBlock, mixScratchBytes, type Operand, type PartialRow, tileLength } from "../backend.js";

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
  const foreign = blocks.filter(({ factors }) => factors.buffer !== arena.buffer);
  const factorCount = foreign.reduce((sum, { factors }) => sum + factors.length, 0);
  const counts = { deltas: deltas.length, operands: operandCount, results: outs.length, blocks: blocks.length };
  const start = arena.scratch(mixScratchBytes({ ...counts, factors: factorCount }));

  const addressOf = (vector: Float32Array | undefined): number =>
    vector === undefined ? 0 : arena.addressOf("mixInto", vector);
  // Factors first, each aligned to 8 bytes; then the differences of a tile, the program, the tables.
  let next = start;
  const factorsAt = blocks.map(({ factors }) => {
    if (factors.buffer === arena.buffer) return factors.byteOffset;
    const at = next;
    new Float64Array(arena.buffer, at, factors.length).set(factors);
    next += factors.byteLength;
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
  blocks.forEach(({ outs: own, operands }, b) => {
    write(own.length);
    write(operands.length);
    write(factorsAt[b]);
    for (const out of own) write(addressOf(out));
    operands.forEach(writeOperand);
  });
  return { program, table: 4 * word };
}

/** Rows of which some operand wants the difference, ascending. */
function deltasOf(blocks: readonly KernelBlock[]): readonly number[] {
  const found = new Set(
    blocks.flatMap(({ operands }) => operands.flatMap((each) => ("delta" in each ? [each.delta] : []))),
  );
  return [...found].sort((a, b) => a - b);
}
