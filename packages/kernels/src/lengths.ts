/** The checks that every backend makes: lengths that differ are bugs of the caller. */
import { type KernelBlock, type PartialRow, packedLength } from "./backend.js";

export function assertSameLength(kernel: string, expected: number, received: number): void {
  if (expected !== received) throw new RangeError(`${kernel}: expected length ${expected}, received ${received}`);
}

/** Element count of rows of one length; 0 for no rows. */
export function lengthOfRows(kernel: string, rows: readonly Float32Array[]): number {
  const length = rows[0]?.length ?? 0;
  for (const row of rows) assertSameLength(kernel, length, row.length);
  return length;
}

export function checkWeightedSums(
  outs: readonly Float32Array[],
  factors: Float64Array,
  rows: readonly Float32Array[],
): void {
  const length = lengthOfRows("weightedSumsInto: outputs", outs);
  for (const row of rows) assertSameLength("weightedSumsInto: rows", length, row.length);
  assertSameLength("weightedSumsInto: factors", outs.length * rows.length, factors.length);
}

export function checkGram(
  gram: Float64Array,
  rows: readonly Float32Array[],
  cross: Float64Array,
  extras: readonly Float32Array[],
): void {
  const length = lengthOfRows("addGramInto: rows", rows);
  for (const extra of extras) assertSameLength("addGramInto: extras", length, extra.length);
  assertSameLength("addGramInto: gram", packedLength(rows.length), gram.length);
  assertSameLength("addGramInto: cross", extras.length * rows.length, cross.length);
}

function checkBlock(block: KernelBlock): void {
  const { operands, outs } = block;
  if ("factors" in block) {
    assertSameLength("mixInto: factors", outs.length * operands.length, block.factors.length);
    return;
  }
  const { trim } = block;
  assertSameLength("mixInto: results of a trimmed mean", 1, outs.length);
  if (!(Number.isInteger(trim) && trim >= 0 && 2 * trim < operands.length)) {
    throw new RangeError(`mixInto: expected to trim less than half of ${operands.length} operands, received ${trim}`);
  }
}

/** Element count of all vectors of a mix; checks lengths, factors and that every operand is there. */
export function checkMix(rows: readonly PartialRow[], blocks: readonly KernelBlock[]): number {
  const outs = blocks.flatMap((block) => block.outs);
  const length = lengthOfRows("mixInto: outputs", outs);
  const expectRow = (row: Float32Array | undefined): void => {
    if (row === undefined) throw new RangeError("mixInto: an operand asks for a row that is not there");
    assertSameLength("mixInto: rows", length, row.length);
  };
  let made = 0;
  for (const block of blocks) {
    const { operands, outs: own } = block;
    checkBlock(block);
    for (const operand of operands) {
      if ("result" in operand) {
        if (!(operand.result < made)) throw new RangeError(`mixInto: result ${operand.result} is not made yet`);
        continue;
      }
      const row = rows["before" in operand ? operand.before : "after" in operand ? operand.after : operand.delta];
      if (!("after" in operand)) expectRow(row?.before);
      if (!("before" in operand)) expectRow(row?.after);
    }
    made += own.length;
  }
  return length;
}
