/**
 * A seeded linear sketch of a long vector: a site sends a few thousand numbers instead of millions, and inner products of
 * what was sent estimate inner products of the vectors.
 *
 * Notation — code name, symbol, shape:
 *   values          x      [P]  the vector, or some elements of it
 *   sums, sketch    Sx     [m]  (Sx)_b = Σ_{i: h(i) = b} s(i)·x_i
 *   size            m      scalar
 *   bucket, sign    h, s        functions of (seed, i) into 0 … m−1 and ±1; the same for every client
 *
 * CountSketch (Charikar, Chen and Farach-Colton 2002), also known as feature hashing. Over the choice of the seed
 * (Weinberger et al. 2009, lemma 2):
 *   E⟨Sx, Sy⟩ = ⟨x, y⟩      Var⟨Sx, Sy⟩ = (‖x‖²‖y‖² + ⟨x, y⟩² − 2·Σ x_i²y_i²) / m
 * so a cosine is known to about 1/√m (0.016 at 4096), a squared norm to √(2/m) of itself. A Gram of sketches is the Gram of real
 * vectors, hence positive semidefinite.
 *
 * Why not SRHT, signs and a Hadamard transform and m of its rows (Ailon and Chazelle 2009; Tropp 2011): the same variance to
 * a factor 1 − m/P, but it needs the whole vector in memory, padded to a power of two, and log₂P additions per element.
 * CountSketch is one pass over pieces as they are read, one hash and one addition per element. What it does not have is SRHT's
 * insurance against few elements that hold most of the norm: two of those in one bucket are an error that no average hides,
 * rare (k²/2m for k such elements) but large. docs/explanation-sketches.md has numbers for both.
 *
 * A vector no longer than the sketch is its own sketch: nothing is hashed, inner products are exact. A plan knows.
 *
 * Hash, in 32-bit integers, so equal on every platform: `triple32` (Wellons, hash-prospector), its input XORed with one key and its
 * state moved by a second; both keys mix the seed with the index div 2³². The sign is the hash's top bit, the bucket the rest.
 *
 * Cost: about 2 ns per element. Sums are in f64, in the order of the elements. NaN and infinities are not looked for.
 */

/** Sketches can be compared only when made with one spec, of vectors of one length. */
export interface SketchSpec {
  /** Numbers in a sketch of a long vector, 1 to 2²⁰; default `DEFAULT_SKETCH_SIZE`. Powers of two are fastest. */
  readonly size?: number;
  /** Any integer that a double holds exactly. A new one in every round makes errors of different rounds independent. */
  readonly seed: number;
}

/** 16 KB as f32. */
export const DEFAULT_SKETCH_SIZE = 4096;

/** How vectors of one length are sketched. Plain data: survives structuredClone and JSON. From `planSketch`. */
export interface SketchPlan {
  /** Elements of the vector. */
  readonly length: number;
  /** Numbers of its sketch: the spec's size, or `length` where that is not more. */
  readonly size: number;
  readonly seed: number;
  /** The sketch is the vector itself. */
  readonly isExact: boolean;
}

const LARGEST_SIZE = 2 ** 20;
const LARGEST_LENGTH = 2 ** 40;
const INDICES_PER_KEY = 2 ** 32;

/** RangeError where a number is out of range: a fault of the caller. */
export function planSketch(length: number, spec: SketchSpec): SketchPlan {
  const { size = DEFAULT_SKETCH_SIZE, seed } = spec;
  requireInteger("length", length, 0, LARGEST_LENGTH);
  requireInteger("size", size, 1, LARGEST_SIZE);
  requireInteger("seed", seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const isExact = length <= size;
  return { length, size: isExact ? length : size, seed, isExact };
}

/**
 * sums ← sums + S·values, where `values` are the elements `firstIndex`, `firstIndex` + 1 … of the vector and `sums` starts as
 * `plan.size` zeros. Pieces added in the order of their elements give the bits of the whole added at once.
 */
export function addSketchInto(sums: Float64Array, plan: SketchPlan, values: Float32Array, firstIndex: number): void {
  if (sums.length !== plan.size) {
    throw new RangeError(`addSketchInto: sums: expected length ${plan.size}, received ${sums.length}`);
  }
  requireInteger("firstIndex", firstIndex, 0, plan.length - values.length);
  if (plan.isExact) {
    for (let i = 0; i < values.length; i++) sums[firstIndex + i] += values[i];
    return;
  }
  for (let done = 0; done < values.length; ) {
    const index = firstIndex + done;
    const low = index % INDICES_PER_KEY;
    const count = Math.min(values.length - done, INDICES_PER_KEY - low);
    const keys = hashKeys(plan.seed, Math.floor(index / INDICES_PER_KEY));
    scatterInto(sums, values.subarray(done, done + count), low, keys);
    done += count;
  }
}

/** The sketch of a whole vector, as sent: f64 sums rounded once to f32. */
export function sketchOf(values: Float32Array, spec: SketchSpec): Float32Array {
  const plan = planSketch(values.length, spec);
  const sums = new Float64Array(plan.size);
  addSketchInto(sums, plan, values, 0);
  return Float32Array.from(sums);
}

interface HashKeys {
  readonly first: number;
  readonly second: number;
}

/** `low`: the first element's index mod 2³². */
function scatterInto(sums: Float64Array, values: Float32Array, low: number, { first, second }: HashKeys): void {
  const size = sums.length;
  const start = low | 0;
  if ((size & (size - 1)) === 0) {
    const shift = Math.clz32(size);
    for (let i = 0; i < values.length; i++) {
      const hash = hashOf((start + i) | 0, first, second);
      sums[(hash & 0x7fffffff) >>> shift] += values[i] * ((hash >> 31) | 1);
    }
    return;
  }
  // The same bucket, ⌊hash·m / 2³¹⌋, exact in a double: 31 + 20 bits.
  const scale = size / 2 ** 31;
  for (let i = 0; i < values.length; i++) {
    const hash = hashOf((start + i) | 0, first, second);
    sums[((hash & 0x7fffffff) * scale) | 0] += values[i] * ((hash >> 31) | 1);
  }
}

/** `triple32` of `index` XOR `first`, `second` added before the last multiplication: a bijection for any keys. */
function hashOf(index: number, first: number, second: number): number {
  let h = index ^ first;
  h = Math.imul(h ^ (h >>> 17), 0xed5ad4bb);
  h = Math.imul(h ^ (h >>> 11), 0xac4c1b51);
  h = (h + second) | 0;
  h = Math.imul(h ^ (h >>> 15), 0x31848bab);
  return h ^ (h >>> 14);
}

/** Keys from the seed's two halves (two's complement, 64 bits) and the index div 2³². */
function hashKeys(seed: number, high: number): HashKeys {
  const seedHigh = Math.floor(seed / INDICES_PER_KEY) | 0;
  const chain = (label: number): number => {
    let key = hashOf(label, 0, 0);
    for (const word of [seed | 0, seedHigh, high]) key = hashOf(word, key, label);
    return key;
  };
  return { first: chain(0x9e3779b9 | 0), second: chain(0x85ebca6b | 0) };
}

function requireInteger(what: string, value: number, least: number, most: number): void {
  if (!(Number.isSafeInteger(value) && value >= least && value <= most)) {
    throw new RangeError(`sketch: ${what}: expected an integer from ${least} to ${most}, received ${value}`);
  }
}
