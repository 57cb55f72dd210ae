/** Vectors for tests of kernels. */
import type { Kernels } from "../backend.js";

/** Full blocks of every width in use, ragged tails, and around the length of a block of sums. */
export const RAGGED: readonly number[] = [0, 1, 2, 3, 5, 7, 8, 9, 67, 511, 512, 513, 1025];

/** Elements before and after each vector, to show who reads or writes beyond its ends. */
const GUARD = 4;

/** A vector of these kernels with NaN on both sides. */
export function put(kernels: Kernels, values: ArrayLike<number>): Float32Array {
  const room = kernels.f32(values.length + 2 * GUARD).fill(Number.NaN);
  const vector = room.subarray(GUARD, GUARD + values.length);
  vector.set(values);
  return vector;
}

export function put64(kernels: Kernels, values: ArrayLike<number>): Float64Array {
  const room = kernels.f64(values.length + 2 * GUARD).fill(Number.NaN);
  const vector = room.subarray(GUARD, GUARD + values.length);
  vector.set(values);
  return vector;
}

/** With 0xdead on both sides. */
export function put16(kernels: Kernels, values: ArrayLike<number>): Uint16Array {
  const room = kernels.u16(values.length + 4 * GUARD).fill(0xdead);
  const vector = room.subarray(2 * GUARD, 2 * GUARD + values.length);
  vector.set(values);
  return vector;
}

type Vector = Float32Array | Float64Array | Uint16Array;

/** Whether what stands on both sides of a vector of `put`, `put64` or `put16` is still there. */
export function hasGuards(vector: Vector): boolean {
  const width = vector instanceof Uint16Array ? 2 * GUARD : GUARD;
  const bytes = width * vector.BYTES_PER_ELEMENT;
  const View = vector.constructor as new (buffer: ArrayBufferLike, at: number, length: number) => Vector;
  const sides = [vector.byteOffset - bytes, vector.byteOffset + vector.byteLength].flatMap((at) => [
    ...new View(vector.buffer, at, width),
  ]);
  return sides.every((value) => Number.isNaN(value) || value === 0xdead);
}

/** The first place where two vectors differ, −0 and 0 told apart, NaN equal to NaN; undefined where there is none. */
export function firstDifference(received: ArrayLike<number>, expected: ArrayLike<number>): string | undefined {
  if (received.length !== expected.length) return `length ${received.length}, expected ${expected.length}`;
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(received[i], expected[i])) return `[${i}] is ${received[i]}, expected ${expected[i]}`;
  }
  return undefined;
}
