/** The checks that every backend makes: lengths that differ are bugs of the caller. */
import { packedLength } from "./backend.js";

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
