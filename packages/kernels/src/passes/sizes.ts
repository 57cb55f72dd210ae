/**
 * How much of a segment is held at a time. Chunks of a Gram decide the order of its sums, so their length depends on the number of
 * rows alone. A chunk in files is read at once; one in memory that kernels cannot reach is copied there in shorter steps.
 */
import { BLOCK } from "../backend.js";
import { isInFile, type Vector } from "./vector.js";

/** Elements of all vectors of a chunk together, 4 MB. Changing it changes the last bits of results. */
const CHUNK_ELEMENTS = 2 ** 20;
const LONGEST_CHUNK = 2 ** 17;
/** Elements of all vectors together that are copied into kernel memory at once: they fit the second-level cache. */
const COPIED_ELEMENTS = 2 ** 17;
const LONGEST_COPY = 2 ** 13;

/** `vectorCount`: those that a chunk reads, each row as two. */
export function chunkLength(vectorCount: number): number {
  return share(CHUNK_ELEMENTS, vectorCount, LONGEST_CHUNK);
}

/** Elements of a mix's job; `vectorCount`: those that it reads and writes. */
export function jobLength(vectorCount: number): number {
  return share(CHUNK_ELEMENTS, vectorCount, LONGEST_CHUNK);
}

/**
 * Elements that are loaded at once, at most `most`; `vectorCount`: those that are copied into kernel memory one after the other before
 * they are used, so that they should still be in the cache then.
 */
export function stepLength(vectorCount: number, most: number, isCopied: boolean): number {
  return isCopied ? Math.min(most, share(COPIED_ELEMENTS, vectorCount, LONGEST_COPY)) : most;
}

/** A multiple of BLOCK, at least one. */
function share(elements: number, count: number, longest: number): number {
  const blocks = Math.floor(elements / Math.max(1, count) / BLOCK);
  return Math.min(longest, Math.max(1, blocks) * BLOCK);
}

export function anyInFile(vectors: Iterable<Vector>): boolean {
  for (const { pieces } of vectors) if (pieces.some(isInFile)) return true;
  return false;
}
