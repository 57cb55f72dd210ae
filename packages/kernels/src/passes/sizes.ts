/**
 * How much of a segment is held at a time. Chunks of a Gram decide the order of its sums, so their length depends on the number of
 * rows alone. Within a chunk numbers are loaded in steps, whose length follows from where they lie and changes nothing.
 */
import { BLOCK } from "../backend.js";
import { isInFile, type Vector } from "./vector.js";

/** Elements of all vectors of a chunk together, 4 MB. Changing it changes the last bits of results. */
const CHUNK_ELEMENTS = 2 ** 20;
const LONGEST_CHUNK = 2 ** 17;
const LONG_ENOUGH = 4096;
/**
 * Where the vectors of a job lie: where kernels reach them; elsewhere in memory, so that they are copied to kernels; or in files, at
 * least some of them.
 */
export type Medium = "in-place" | "copied" | "files";

/** Elements of all vectors of a step together. Copied ones are used at once, from the second-level cache; files want few calls. */
const STEP_ELEMENTS: Readonly<Record<Medium, number>> = {
  "in-place": Number.POSITIVE_INFINITY,
  copied: 2 ** 17,
  files: 2 ** 20,
};
const LONGEST_STEP: Readonly<Record<Medium, number>> = {
  "in-place": Number.POSITIVE_INFINITY,
  copied: 2 ** 13,
  files: 2 ** 17,
};

/** `vectorCount`: those that a chunk reads, each row as two. */
export function chunkLength(vectorCount: number): number {
  return share(CHUNK_ELEMENTS, vectorCount, LONGEST_CHUNK);
}

/**
 * Elements of a mix's job; `vectorCount`: those that it reads and writes. With hundreds of them, to name them takes longer than a short
 * piece of each, and leaves more garbage.
 */
export function jobLength(vectorCount: number): number {
  const length = share(CHUNK_ELEMENTS, vectorCount, LONGEST_CHUNK);
  return Math.max(length, share(4 * CHUNK_ELEMENTS, vectorCount, LONG_ENOUGH));
}

/** Elements that are loaded at once, at most `most`; `vectorCount`: those that a step holds. */
export function stepLength(vectorCount: number, most: number, medium: Medium): number {
  return Math.min(most, share(STEP_ELEMENTS[medium], vectorCount, LONGEST_STEP[medium]));
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
