/** Vectors for tests of kernels. */
import type { Kernels } from "../backend.js";

/** Full blocks of every width in use, ragged tails, and around one, two and four blocks of sums. */
export const RAGGED: readonly number[] = [0, 1, 2, 3, 5, 7, 8, 9, 67, 511, 512, 513, 1025, 2051];

/** Elements before and after each vector, to show who reads or writes beyond its ends. */
const GUARD = 4;
/** Two, so that one rounded or moved to the other's place is seen there. */
const WRITABLE = 0xdead;
const WRITABLE_64 = 0xbeef;

/** A vector to be read, with NaN on both sides: they would spoil what is made of them. */
export function put(kernels: Kernels, values: ArrayLike<number>, guard = Number.NaN): Float32Array {
  return fillIn(kernels.f32(values.length + 2 * GUARD), values, guard);
}

/** A vector to be written, with a number on both sides: NaN from vectors that are read would show there. */
export function putWritable(kernels: Kernels, values: ArrayLike<number>): Float32Array {
  return put(kernels, values, WRITABLE);
}

/** Zeros to be written on. */
export function room(kernels: Kernels, length: number): Float32Array {
  return putWritable(kernels, new Float32Array(length));
}

export function put64(kernels: Kernels, values: ArrayLike<number>): Float64Array {
  return fillIn(kernels.f64(values.length + 2 * GUARD), values, WRITABLE_64);
}

export function put16(kernels: Kernels, values: ArrayLike<number>): Uint16Array {
  return fillIn(kernels.u16(values.length + 4 * GUARD), values, WRITABLE);
}

function fillIn<V extends Vector>(all: V, values: ArrayLike<number>, guard: number): V {
  const vector = all.fill(guard).subarray(widthOf(all), all.length - widthOf(all)) as V;
  vector.set(values);
  return vector;
}

/** Guards of 16-bit numbers are twice as many, so that vectors begin at multiples of 16 bytes. */
function widthOf(vector: Vector): number {
  return vector instanceof Uint16Array ? 2 * GUARD : GUARD;
}

type Vector = Float32Array | Float64Array | Uint16Array;

/** Whether what stands on both sides of a vector made here is still there. */
export function hasGuards(vector: Vector): boolean {
  const width = widthOf(vector);
  const bytes = width * vector.BYTES_PER_ELEMENT;
  const View = vector.constructor as new (buffer: ArrayBufferLike, at: number, length: number) => Vector;
  const sides = [vector.byteOffset - bytes, vector.byteOffset + vector.byteLength].flatMap((at) => [
    ...new View(vector.buffer, at, width),
  ]);
  return [Number.NaN, WRITABLE, WRITABLE_64].some((guard) => sides.every((value) => Object.is(value, guard)));
}

/** The first place where two vectors differ, −0 and 0 told apart, NaN equal to NaN; undefined where there is none. */
export function firstDifference(received: ArrayLike<number>, expected: ArrayLike<number>): string | undefined {
  if (received.length !== expected.length) return `length ${received.length}, expected ${expected.length}`;
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(received[i], expected[i])) return `[${i}] is ${received[i]}, expected ${expected[i]}`;
  }
  return undefined;
}
