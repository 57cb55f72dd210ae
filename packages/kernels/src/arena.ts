/** Hands out vectors of one buffer, each at a multiple of 16 bytes, from the front to the back. */
import type { Allocator } from "./backend.js";

const ALIGNMENT = 16;

/** Bytes that a vector of so many bytes takes up. */
export function alignedBytes(byteLength: number): number {
  return Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
}

export interface Arena extends Allocator {
  /** Address of a vector that lies in the buffer; RangeError for any other. */
  addressOf(what: string, vector: ArrayBufferView): number;
  /** Address of so many bytes that stay free until the next call; RangeError where there is no room left. */
  scratch(byteLength: number): number;
}

/** The bytes [start, end) are for vectors. */
export function openArena(buffer: ArrayBufferLike, start: number, end = buffer.byteLength): Arena {
  let next = start;
  const scratch = (byteLength: number): number => {
    if (next + byteLength > end) {
      throw new RangeError(
        `kernel memory: expected at most ${end - next} more bytes to be asked for, received ${byteLength}`,
      );
    }
    return next;
  };
  const take = (byteLength: number): number => {
    const at = scratch(byteLength);
    next = at + alignedBytes(byteLength);
    return at;
  };
  return {
    buffer,
    f32: (length) => new Float32Array(buffer, take(4 * length), length),
    f64: (length) => new Float64Array(buffer, take(8 * length), length),
    u16: (length) => new Uint16Array(buffer, take(2 * length), length),
    release() {
      next = start;
    },
    scratch,
    addressOf(what, vector) {
      if (vector.buffer !== buffer) throw new RangeError(`${what}: expected a vector of these kernels' own memory`);
      return vector.byteOffset;
    },
  };
}
