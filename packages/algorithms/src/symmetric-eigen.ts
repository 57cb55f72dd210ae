/**
 * All eigenvalues and eigenvectors of a symmetric matrix: Householder reduction to tridiagonal form, then the QL iteration with implicit
 * shifts (Bowdler, Martin, Reinsch, Wilkinson 1968; the algorithm of EISPACK's `tred2` and `tql2`).
 *
 * Notation — code name, symbol, shape:
 *   matrix    A  [N, N]  symmetric, row-major; only the lower triangle is read
 *   values    λ  [N]     ascending
 *   vectors   V  [N, N]  row-major, column k belongs to λ_k; VᵀV = I, A = V·diag(λ)·Vᵀ
 *
 * Errors are of the order of 1e-15 times the largest |λ|. Cost about 9·N³; a thousand rows take a few seconds. RangeError where an entry is not
 * finite. The order of every operation is fixed: the same matrix gives the same bits.
 */
import { addScaled, dot } from "./dense-loops.js";

export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** Beyond this many QL steps for one eigenvalue something is wrong with the matrix; two or three are usual. */
const MOST_STEPS = 60;

export function symmetricEigen(matrix: Float64Array, count: number): Eigen {
  if (matrix.length !== count * count) throw new RangeError(`expected ${count}² entries, received ${matrix.length}`);
  if (!matrix.every(Number.isFinite)) throw new RangeError("expected finite entries");
  const vectors = matrix.slice();
  const diagonal = new Float64Array(count);
  const beside = new Float64Array(count);
  if (count === 0) return { values: diagonal, vectors };
  reduce(vectors, diagonal, beside);
  // Rotations mix columns: as rows they lie in one piece.
  const rows = vectors.map((_, k) => vectors[(k % count) * count + Math.floor(k / count)] as number);
  iterate(rows, diagonal, beside);
  return sorted(rows, diagonal);
}

/** vectors: A in, the orthogonal Q out; QᵀAQ is tridiagonal with `d` on its diagonal and e[1 …] beside it. */
function reduce(v: Float64Array, d: Float64Array, e: Float64Array): void {
  const n = d.length;
  const at = (i: number, j: number): number => v[i * n + j] as number;
  for (let i = n - 1; i > 0; i--) {
    let scale = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(at(i, k));
    if (i === 1 || scale === 0) {
      e[i] = at(i, i - 1);
      d[i] = 0;
      continue;
    }
    d[i] = reflect(v, e, i, scale);
  }
  d[0] = 0;
  e[0] = 0;
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    if (d[i] !== 0) {
      sums.fill(0, 0, i);
      for (let k = 0; k < i; k++) addScaled(sums, at(i, k), v, k * n, i);
      for (let k = 0; k < i; k++) {
        const u = at(k, i);
        for (let j = 0; j < i; j++) v[k * n + j] = at(k, j) - (sums[j] as number) * u;
      }
    }
    d[i] = at(i, i);
    v[i * n + i] = 1;
    for (let j = 0; j < i; j++) {
      v[j * n + i] = 0;
      v[i * n + j] = 0;
    }
  }
}

/** One Householder step: clears row i left of the subdiagonal. Returns uᵀu/2 of the reflection's vector u, which stays in row i. */
function reflect(v: Float64Array, e: Float64Array, i: number, scale: number): number {
  const n = e.length;
  const at = (r: number, c: number): number => v[r * n + c] as number;
  let h = 0;
  for (let k = 0; k < i; k++) {
    const scaled = at(i, k) / scale;
    v[i * n + k] = scaled;
    h += scaled * scaled;
  }
  const last = at(i, i - 1);
  const g = last >= 0 ? -Math.sqrt(h) : Math.sqrt(h);
  e[i] = scale * g;
  h -= last * g;
  v[i * n + i - 1] = last - g;
  let f = 0;
  for (let j = 0; j < i; j++) {
    v[j * n + i] = at(i, j) / h;
    // The lower triangle row by row: row j gives its own sum and a part of the sums above it.
    e[j] = dot(v, j * n, v, i * n, j + 1);
    addScaled(e, at(i, j), v, j * n, j);
  }
  for (let j = 0; j < i; j++) {
    e[j] = (e[j] as number) / h;
    f += (e[j] as number) * at(i, j);
  }
  const half = f / (h + h);
  for (let j = 0; j < i; j++) {
    const u = at(i, j);
    const p = (e[j] as number) - half * u;
    e[j] = p;
    for (let k = 0; k <= j; k++) v[j * n + k] = at(j, k) - (u * (e[k] as number) + p * at(i, k));
  }
  return h;
}

/** Turns the tridiagonal matrix into a diagonal one, and takes the rotations into `v`, the transposed vectors. */
function iterate(v: Float64Array, d: Float64Array, e: Float64Array): void {
  const n = d.length;
  for (let i = 1; i < n; i++) e[i - 1] = e[i] as number;
  e[n - 1] = 0;
  for (let l = 0; l < n; l++) {
    for (let step = 0; ; step++) {
      const m = firstSplit(d, e, l);
      if (m === l) break;
      if (step === MOST_STEPS) throw new RangeError("symmetricEigen: no convergence");
      rotate(v, d, e, { from: l, to: m });
    }
  }
}

/** First m from l on beside which nothing stands any more. */
function firstSplit(d: Float64Array, e: Float64Array, l: number): number {
  for (let m = l; m < d.length - 1; m++) {
    const around = Math.abs(d[m] as number) + Math.abs(d[m + 1] as number);
    if (Math.abs(e[m] as number) <= Number.EPSILON * around) return m;
  }
  return d.length - 1;
}

/** One QL step with implicit shift on the block [from, to]. */
function rotate(
  v: Float64Array,
  d: Float64Array,
  e: Float64Array,
  { from: l, to: m }: { readonly from: number; readonly to: number },
): void {
  const n = d.length;
  const slope = ((d[l + 1] as number) - (d[l] as number)) / (2 * (e[l] as number));
  const root = Math.sqrt(slope * slope + 1);
  let g = (d[m] as number) - (d[l] as number) + (e[l] as number) / (slope + (slope >= 0 ? root : -root));
  let s = 1;
  let c = 1;
  let p = 0;
  for (let i = m - 1; i >= l; i--) {
    const f = s * (e[i] as number);
    const b = c * (e[i] as number);
    const r = Math.sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] = (d[i + 1] as number) - p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = (d[i + 1] as number) - p;
    const t = ((d[i] as number) - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
    for (let k = 0; k < n; k++) {
      const right = v[(i + 1) * n + k] as number;
      const left = v[i * n + k] as number;
      v[(i + 1) * n + k] = s * left + c * right;
      v[i * n + k] = c * left - s * right;
    }
  }
  d[l] = (d[l] as number) - p;
  e[l] = g;
  e[m] = 0;
}

function sorted(v: Float64Array, d: Float64Array): Eigen {
  const n = d.length;
  const order = Array.from(d.keys()).sort((a, b) => (d[a] as number) - (d[b] as number) || a - b);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    for (let i = 0; i < n; i++) vectors[i * n + to] = v[from * n + i] as number;
  });
  return { values: Float64Array.from(order, (k) => d[k] as number), vectors };
}
