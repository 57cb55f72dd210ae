/**
 * Seedable, splittable random numbers. A stream is named by its path from the seed, e.g.
 * `createRng(7).split("round-3").split("client-a").split("shuffle")`; drawing from one never moves another.
 *
 * Generator: sfc32 (Chris Doty-Humphrey, PractRand), seeded by a 128-bit mix of the path.
 */
export interface Rng {
  /** The stream named `label` below this one; independent of how much was drawn from this one. */
  split(label: string | number): Rng;
  /** In [0, 1), 32 bits. */
  uniform(): number;
  /** Integer in [0, bound). */
  int(bound: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** A fresh array with the same elements in random order (Fisher-Yates). */
  shuffled<T>(items: readonly T[]): T[];
}

export function createRng(seed: number | string): Rng {
  return rngOfPath(mixInto([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], `seed:${seed}`));
}

type Key = readonly [number, number, number, number];

function rngOfPath(key: Key): Rng {
  let [a, b, c, counter] = key as [number, number, number, number];
  let spare: number | undefined;
  const next = (): number => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  const uniform = (): number => next() / 4294967296;
  const int = (bound: number): number => Math.floor(uniform() * bound);
  return {
    split: (label) => rngOfPath(mixInto(key, `/${typeof label}:${label}`)),
    uniform,
    int,
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    shuffled(items) {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = int(i + 1);
        const held = out[i] as (typeof out)[number];
        out[i] = out[j] as (typeof out)[number];
        out[j] = held;
      }
      return out;
    },
  };
}

/** 128-bit string mix (cyrb128 by bryc, public domain, chained from `key`). */
function mixInto(key: Key, text: string): Key {
  let [h1, h2, h3, h4] = key as [number, number, number, number];
  for (let i = 0; i < text.length; i++) {
    const k = text.charCodeAt(i);
    h1 = h2 ^ Math.imul(h1 ^ k, 597399067);
    h2 = h3 ^ Math.imul(h2 ^ k, 2869860233);
    h3 = h4 ^ Math.imul(h3 ^ k, 951274213);
    h4 = h1 ^ Math.imul(h4 ^ k, 2716044179);
  }
  h1 = Math.imul(h3 ^ (h1 >>> 18), 597399067);
  h2 = Math.imul(h4 ^ (h2 >>> 22), 2869860233);
  h3 = Math.imul(h1 ^ (h3 >>> 17), 951274213);
  h4 = Math.imul(h2 ^ (h4 >>> 19), 2716044179);
  h1 ^= h2 ^ h3 ^ h4;
  return [h1 | 0, (h2 ^ h1) | 0, (h3 ^ h1) | 0, (h4 ^ h1) | 0];
}
