/**
 * The seam of every numeric inner loop. Aggregation reaches memory only through a `KernelBackend`, so that a faster one
 * (WASM SIMD) replaces the plain one without a change above. Vectors are f32 and share no memory unless said otherwise;
 * sums over elements are accumulated in f64, in an order that each backend fixes, so that equal input gives equal bits.
 *
 * Notation: `x`, `y` vectors [P]; `rows` R vectors of one length [R, P]; costs count one multiplication and addition as one.
 * Every function throws RangeError where lengths differ: that is a bug of the caller, never bad input.
 */
export interface KernelBackend {
  /** `reference`, later `wasm-simd`. */
  readonly name: string;
  /** ⟨x, y⟩ in f64. Cost P. */
  dot(x: Float32Array, y: Float32Array): number;
  /** √⟨x, x⟩ in f64; no f32 input overflows it. Cost P. */
  norm(x: Float32Array): number;
  /** G_ij = ⟨rows_i, rows_j⟩, row-major [R, R], exactly symmetric. Cost R²P/2. */
  gram(rows: readonly Float32Array[]): Float64Array;
  /** out ← after − before, each difference rounded once to f32. `out` may be one of the two. Cost P. */
  subtractInto(out: Float32Array, after: Float32Array, before: Float32Array): void;
  /** y ← y + a·x, each element rounded once to f32. Cost P. */
  addScaledInto(y: Float32Array, a: number, x: Float32Array): void;
  /** out ← Σ_r factors_r·rows_r, summed in f64 in row order, rounded once to f32; no rows give zeros. Cost RP. */
  weightedSumInto(out: Float32Array, factors: ArrayLike<number>, rows: readonly Float32Array[]): void;
  /** Index of the first NaN or infinity, −1 where there is none. Cost P. */
  findNonFinite(x: Float32Array): number;
}
