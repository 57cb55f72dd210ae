/**
 * Memory for vectors that threads use in place. A vector over any SharedArrayBuffer can be worked on by threads, but has to be copied
 * into their kernels' memory, piece by piece, and such copies run at half the speed of others. Vectors of a heap are in that
 * memory already.
 */
import { alignedBytes } from "./arena.js";

export interface SharedHeap {
  /** Bytes in all, at most 4 GiB. */
  readonly byteLength: number;
  readonly memory: WebAssembly.Memory;
  /** A vector over the heap's SharedArrayBuffer; not cleared if another one was there. RangeError where there is no room. */
  allocate(length: number): Float32Array;
  /** The vector's room is free for others. RangeError for one that is not of this heap. */
  release(vector: Float32Array): void;
}

const PAGE_BYTES = 65536;
const LARGEST = 65536 * PAGE_BYTES;
/** Below this lies nothing, so that no vector has address 0. */
const START = 1024;

/** RangeError for more than 4 GiB. */
export function openSharedHeap(byteLength: number): SharedHeap {
  if (!(byteLength > 0 && byteLength + START <= LARGEST)) {
    throw new RangeError(`shared heap: expected 1 to ${LARGEST - START} bytes, received ${byteLength}`);
  }
  const pages = Math.ceil((byteLength + START) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const size = pages * PAGE_BYTES;
  /** Addresses of released vectors by their size: rounds ask for the same sizes again and again. */
  const released = new Map<number, number[]>();
  const taken = new Map<number, number>();
  let next = START;

  return {
    byteLength: size - START,
    memory,
    allocate(length) {
      // At least 16, so that no two vectors have one address.
      const bytes = alignedBytes(4 * Math.max(1, length));
      const at = released.get(bytes)?.pop() ?? next;
      if (at + bytes > size) {
        throw new RangeError(
          `shared heap: expected at most ${size - next} more bytes to be asked for, received ${bytes}`,
        );
      }
      if (at === next) next += bytes;
      taken.set(at, bytes);
      return new Float32Array(memory.buffer, at, length);
    },
    release(vector) {
      const bytes = taken.get(vector.byteOffset);
      if (vector.buffer !== memory.buffer || bytes === undefined) {
        throw new RangeError("shared heap: expected a vector of this heap that is not released yet");
      }
      taken.delete(vector.byteOffset);
      const free = released.get(bytes);
      if (free === undefined) released.set(bytes, [vector.byteOffset]);
      else free.push(vector.byteOffset);
    },
  };
}
