/** Long-hand mathematics on short vectors, for tests: nothing of it is shared with what is tested, but for `attentionOf`. */
import { type AttentionOptions, attentionOf } from "../cross-attention.js";

export function dot(x: Float32Array, y: Float32Array): number {
  return x.reduce((sum, value, i) => sum + value * (y[i] ?? Number.NaN), 0);
}

export function norm(x: Float32Array): number {
  return Math.sqrt(dot(x, x));
}

/** [R, R], row-major. */
export function gramOf(rows: readonly Float32Array[]): Float64Array {
  return Float64Array.from(rows.flatMap((x) => rows.map((y) => dot(x, y))));
}

/** M_k for each row of `deltas`; `tensorSizes` cut a row into its tensors. */
export function attendAll(
  deltas: readonly Float32Array[],
  tensorSizes: readonly number[],
  options: AttentionOptions,
): readonly Float32Array[] {
  const attended = deltas.map((delta) => new Float32Array(delta.length));
  let start = 0;
  for (const size of tensorSizes) {
    const from = start;
    const parts = deltas.map((delta) => delta.subarray(from, from + size));
    const attention = attentionOf(gramOf(parts), size, options);
    attended.forEach((out, k) => {
      for (let i = 0; i < size; i++) {
        out[from + i] = parts.reduce(
          (sum, part, j) => sum + (attention[k * parts.length + j] ?? 0) * (part[i] ?? 0),
          0,
        );
      }
    });
    start += size;
  }
  return attended;
}
