/**
 * How much of a segment is held at a time. Chunks of a Gram decide the order of its sums, so their length depends on the number of
 * rows alone; the steps in which a chunk is loaded do not, and follow from where the vectors lie.
 */
import { BLOCK } from "../backend.js";
import { isInFile, type Vector } from "./vector.js";

/** Elements of all vectors of a chunk together. Changing it changes the last bits of results. */
const CHUNK_ELEMENTS = 2 ** 19;
const LONGEST_CHUNK = 2 ** 16;
/** Elements of all vectors of a step in memory together: they pass through the second-level cache. */
const MEMORY_STEP_ELEMENTS = 2 ** 17;
const LONGEST_MEMORY_STEP = 2 ** 13;
/** The same for files, where every step costs system calls. */
const FILE_STEP_ELEMENTS = 2 ** 19;
const LONGEST_FILE_STEP = 2 ** 16;

/** `vectorCount`: those that a chunk reads, each row as two. */
export function chunkLength(vectorCount: number): number {
  return share(CHUNK_ELEMENTS, vectorCount, LONGEST_CHUNK);
}

/** `vectorCount`: those that a step holds at once. */
export function stepLength(vectorCount: number, inFiles: boolean): number {
  return inFiles
    ? share(FILE_STEP_ELEMENTS, vectorCount, LONGEST_FILE_STEP)
    : share(MEMORY_STEP_ELEMENTS, vectorCount, LONGEST_MEMORY_STEP);
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
