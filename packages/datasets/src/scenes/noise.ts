import type { Rng } from "@kumiai/params";

/** Draws of a fast stream for pixels: xorshift32 (Marsaglia 2003), seeded by `rng`. */
export interface PixelNoise {
  /** Roughly normal (sum of four bytes), zero mean, unit variance, within ±3.5. */
  next(): number;
}

/** Standard deviation of the sum of four independent bytes. */
const FOUR_BYTES_STD = Math.sqrt((4 * (256 * 256 - 1)) / 12);

export function createPixelNoise(rng: Rng): PixelNoise {
  let state = 1 + rng.int(0xfffffffe);
  return {
    next() {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const bytes = (state & 255) + ((state >>> 8) & 255) + ((state >>> 16) & 255) + (state >>> 24);
      return (bytes - 510) / FOUR_BYTES_STD;
    },
  };
}

/**
 * Adds smooth value noise to `field` [size, size]: random values on a lattice `cell` pixels wide, joined by smoothstep;
 * each lattice value is uniform in ±amplitude.
 */
export function addValueNoise(field: Float32Array, size: number, cell: number, amplitude: number, rng: Rng): void {
  const width = Math.ceil(size / cell) + 2;
  const lattice = new Float32Array(width * width);
  for (let i = 0; i < lattice.length; i++) lattice[i] = amplitude * (2 * rng.uniform() - 1);
  const shiftX = rng.uniform();
  const shiftY = rng.uniform();
  for (let y = 0; y < size; y++) {
    const v = y / cell + shiftY;
    const row = Math.floor(v);
    const fy = smoothstep(v - row);
    for (let x = 0; x < size; x++) {
      const u = x / cell + shiftX;
      const column = Math.floor(u);
      const fx = smoothstep(u - column);
      const at = row * width + column;
      const above = lattice[at] + fx * (lattice[at + 1] - lattice[at]);
      const below = lattice[at + width] + fx * (lattice[at + width + 1] - lattice[at + width]);
      field[y * size + x] += above + fy * (below - above);
    }
  }
}

function smoothstep(t: number): number {
  return t * t * (3 - 2 * t);
}

/** Smooths `field` [height, width] in place by the binomial kernel 1-2-1 in both directions; borders repeat. */
export function smoothInPlace(field: Float32Array, height: number, width: number, passes: number): void {
  for (let pass = 0; pass < passes; pass++) {
    for (let y = 0; y < height; y++) smoothLine(field, y * width, 1, width);
    for (let x = 0; x < width; x++) smoothLine(field, x, width, height);
  }
}

function smoothLine(field: Float32Array, start: number, stride: number, length: number): void {
  let before = field[start];
  let here = before;
  for (let i = 0, at = start; i < length; i++, at += stride) {
    const after = i + 1 < length ? field[at + stride] : here;
    field[at] = 0.25 * before + 0.5 * here + 0.25 * after;
    before = here;
    here = after;
  }
}
