/**
 * Cholesky factor L of G_SS for a set S that gains and loses entries, with L⁻¹1 and L⁻¹b kept beside it.
 *
 * Notation — code name, symbol, shape:
 *   gram       G      [N, N]  row-major, positive semidefinite up to rounding
 *   members    S      [K]     in the order they came
 *   factor     L      [K, K]  lower triangle, row i at i(i + 1)/2, grows as needed
 *   halfOnes   L⁻¹1   [K]
 *   halfLinear L⁻¹b   [K]
 *
 * What is left of G_jj once the part that S explains is taken away (the squared distance of Δ_j from the span of S) decides whether j
 * may join: at rounding level j counts as dependent and stays out. Appending, removing and each solve cost O(K²).
 */
import { addScaled, dot } from "./dense-loops.js";

export interface GrowingCholesky {
  readonly members: readonly number[];
  readonly halfOnes: Float64Array;
  readonly halfLinear: Float64Array;
  /** Adds j; or, if Δ_j depends on the members, leaves all as it was and returns their coefficients a: Δ_j ≈ Σ a_i·Δ_i. */
  append(j: number): Float64Array | undefined;
  /** Takes out the member at `position`. */
  removeAt(position: number): void;
  /** x ← L⁻¹x over the first K entries. */
  solveLowerInto(x: Float64Array): void;
  /** x ← L⁻ᵀx over the first K entries. */
  solveUpperInto(x: Float64Array): void;
}

export function createGrowingCholesky(gram: Float64Array, linear: Float64Array): GrowingCholesky {
  const count = linear.length;
  const members: number[] = [];
  const [halfOnes, halfLinear] = [new Float64Array(count), new Float64Array(count)];
  const [row, cosines, sines] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  let factor: Float64Array = new Float64Array(Math.min(64, (count * (count + 1)) / 2));

  function append(j: number): Float64Array | undefined {
    const size = members.length;
    for (let i = 0; i < size; i++) row[i] = gram[j * count + (members[i] ?? 0)] ?? 0;
    lowerInto(factor, size, row);
    const own = gram[j * count + j] ?? 0;
    const rest = own - dot(row, 0, row, 0, size);
    if (!(rest > dependence(size) * own)) {
      const coefficients = row.slice(0, size);
      upperInto(factor, size, coefficients);
      return coefficients;
    }
    const start = (size * (size + 1)) / 2;
    if (start + size >= factor.length) factor = grown(factor, start + size + 1, (count * (count + 1)) / 2);
    for (let i = 0; i < size; i++) factor[start + i] = row[i] ?? 0;
    const pivot = Math.sqrt(rest);
    factor[start + size] = pivot;
    halfOnes[size] = (1 - dot(row, 0, halfOnes, 0, size)) / pivot;
    halfLinear[size] = ((linear[j] ?? 0) - dot(row, 0, halfLinear, 0, size)) / pivot;
    members.push(j);
    return undefined;
  }

  /** Rows below move up; rotations of neighboring columns make the triangle whole again. */
  function removeAt(position: number): void {
    members.splice(position, 1);
    const size = members.length;
    for (let r = position; r < size; r++) {
      const from = ((r + 1) * (r + 2)) / 2;
      const to = (r * (r + 1)) / 2;
      factor.copyWithin(to, from, from + position);
      let carried = factor[from + position] ?? 0;
      for (let c = position; c < r; c++) {
        const cosine = cosines[c] as number;
        const sine = sines[c] as number;
        const next = factor[from + c + 1] as number;
        factor[to + c] = cosine * carried + sine * next;
        carried = cosine * next - sine * carried;
      }
      const last = factor[from + r + 1] ?? 0;
      const pivot = Math.sqrt(carried * carried + last * last);
      cosines[r] = carried / pivot;
      sines[r] = last / pivot;
      factor[to + r] = pivot;
    }
    rotate(halfOnes, position, size);
    rotate(halfLinear, position, size);
  }

  function rotate(x: Float64Array, from: number, to: number): void {
    for (let c = from; c < to; c++) {
      const cosine = cosines[c] as number;
      const sine = sines[c] as number;
      const left = x[c] as number;
      const right = x[c + 1] as number;
      x[c] = cosine * left + sine * right;
      x[c + 1] = cosine * right - sine * left;
    }
  }

  return {
    members,
    halfOnes,
    halfLinear,
    append,
    removeAt,
    solveLowerInto: (x) => lowerInto(factor, members.length, x),
    solveUpperInto: (x) => upperInto(factor, members.length, x),
  };
}

/** The part of G_jj that rounding of K products can leave over. */
function dependence(size: number): number {
  return 2 * Number.EPSILON * Math.max(16, size);
}

function grown(values: Float64Array, atLeast: number, atMost: number): Float64Array {
  const larger = new Float64Array(Math.min(atMost, Math.max(atLeast, 2 * values.length)));
  larger.set(values);
  return larger;
}

function lowerInto(factor: Float64Array, size: number, x: Float64Array): void {
  for (let i = 0, start = 0; i < size; i++, start += i) {
    x[i] = ((x[i] ?? 0) - dot(factor, start, x, 0, i)) / (factor[start + i] ?? 1);
  }
}

function upperInto(factor: Float64Array, size: number, x: Float64Array): void {
  for (let i = size - 1; i >= 0; i--) {
    const start = (i * (i + 1)) / 2;
    const value = (x[i] ?? 0) / (factor[start + i] ?? 1);
    x[i] = value;
    addScaled(x, -value, factor, start, i);
  }
}
