/**
 * Where the numbers of a long vector are. A vector is never loaded as a whole: passes ask for ranges of it.
 *
 * In memory, vectors that threads work on lie over SharedArrayBuffers. In files, elements are f32, binary16 or bfloat16, little-endian.
 */

export interface MemoryPiece {
  readonly values: Float32Array;
}

export interface FilePiece {
  readonly path: string;
  /** First byte. */
  readonly position: number;
  /** Element count. */
  readonly length: number;
  readonly dtype: "F32" | "F16" | "BF16";
}

export type Piece = MemoryPiece | FilePiece;

/** Pieces end to end. Plain data: survives structuredClone. */
export interface Vector {
  readonly length: number;
  readonly pieces: readonly Piece[];
  /** First element of each piece. */
  readonly starts: readonly number[];
}

/** Elements [start, start + length) of a vector. */
export interface Range {
  readonly vector: Vector;
  readonly start: number;
  readonly length: number;
}

/** The part of a piece that a range covers: `count` elements from `from` on, which stand at `at` in the range. */
export interface Overlap {
  readonly piece: Piece;
  readonly from: number;
  readonly count: number;
  readonly at: number;
}

export function isInFile(piece: Piece): piece is FilePiece {
  return "path" in piece;
}

export function lengthOfPiece(piece: Piece): number {
  return isInFile(piece) ? piece.length : piece.values.length;
}

/** Joins neighbors, so that they are read at once. Empty pieces are left out. */
export function vectorOf(pieces: Iterable<Piece>): Vector {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    if (lengthOfPiece(piece) === 0) continue;
    const last = joined.at(-1);
    const both = last === undefined ? undefined : joinOf(last, piece);
    if (both === undefined) joined.push(piece);
    else joined[joined.length - 1] = both;
  }
  return vectorFrom(joined);
}

/** Of pieces that are joined already. */
export function vectorFrom(pieces: readonly Piece[]): Vector {
  if (pieces.length === 1) return { length: lengthOfPiece(pieces[0]), pieces, starts: AT_ZERO };
  const starts: number[] = [];
  let length = 0;
  for (const piece of pieces) {
    starts.push(length);
    length += lengthOfPiece(piece);
  }
  return { length, pieces, starts };
}

const AT_ZERO: readonly number[] = [0];

function joinOf(left: Piece, right: Piece): Piece | undefined {
  if (isInFile(left) && isInFile(right)) {
    const end = left.position + left.length * bytesOfElement(left);
    if (left.path !== right.path || left.dtype !== right.dtype || end !== right.position) return undefined;
    return { ...left, length: left.length + right.length };
  }
  if (isInFile(left) || isInFile(right)) return undefined;
  const { buffer, byteOffset, byteLength, length } = left.values;
  if (buffer !== right.values.buffer || byteOffset + byteLength !== right.values.byteOffset) return undefined;
  return { values: new Float32Array(buffer, byteOffset, length + right.values.length) };
}

export function bytesOfElement({ dtype }: FilePiece): number {
  return dtype === "F32" ? 4 : 2;
}

/** The pieces under a range, in order. RangeError where the range leaves the vector. */
export function* overlapsOf({ vector, start, length }: Range): Generator<Overlap> {
  if (start < 0 || start + length > vector.length) {
    throw new RangeError(
      `range [${start}, ${start + length}): expected to lie in a vector of ${vector.length} elements`,
    );
  }
  let index = lastAtOrBefore(vector.starts, start);
  for (let at = 0; at < length; index++) {
    const piece = vector.pieces[index];
    const from = start + at - vector.starts[index];
    const count = Math.min(length - at, lengthOfPiece(piece) - from);
    yield { piece, from, count, at };
    at += count;
  }
}

/** The elements of a range as a vector of their own. */
export function sliceOf(range: Range): Vector {
  const { vector, start, length } = range;
  const [only] = vector.pieces;
  // What most vectors are, and plans ask for thousands of times.
  if (vector.pieces.length === 1 && length > 0 && !isInFile(only) && start >= 0 && start + length <= vector.length) {
    return vectorFrom([{ values: only.values.subarray(start, start + length) }]);
  }
  const pieces = Array.from(overlapsOf(range), ({ piece, from, count }): Piece => {
    if (!isInFile(piece)) return { values: piece.values.subarray(from, from + count) };
    return { ...piece, position: piece.position + from * bytesOfElement(piece), length: count };
  });
  return vectorOf(pieces);
}

/** Index of the last of the ascending `starts` that is at most `position`. */
function lastAtOrBefore(starts: readonly number[], position: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
