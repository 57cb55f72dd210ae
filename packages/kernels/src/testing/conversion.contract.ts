/**
 * 16-bit floats, all 65,536 patterns both ways; called by kernels.contract.ts. The non-negative numbers of a format are
 * counted up from 0 by its spacing, and rounding is checked against that list: the nearest of two neighbors, half way the even one.
 */
import { expect, test } from "vitest";
import type { KernelBackend, Kernels } from "../backend.js";
import { firstDifference, hasGuards, put, put16, RAGGED, room } from "./vectors.js";

interface Format {
  readonly name: string;
  /** Pattern of infinity; one more number than the largest is listed, the one that would follow. */
  readonly infinity: number;
  readonly nan: number;
  readonly fractionBits: number;
  readonly smallest: number;
  readonly from: (kernels: Kernels, out: Float32Array, bits: Uint16Array) => void;
  readonly to: (kernels: Kernels, bits: Uint16Array, x: Float32Array) => void;
}

const FORMATS: readonly Format[] = [
  {
    name: "binary16",
    infinity: 0x7c00,
    nan: 0x7e00,
    fractionBits: 10,
    smallest: 2 ** -24,
    from: (kernels, out, bits) => kernels.fromHalfInto(out, bits),
    to: (kernels, bits, x) => kernels.toHalfInto(bits, x),
  },
  {
    name: "bfloat16",
    infinity: 0x7f80,
    nan: 0x7fc0,
    fractionBits: 7,
    smallest: 2 ** -133,
    from: (kernels, out, bits) => kernels.fromBrainInto(out, bits),
    to: (kernels, bits, x) => kernels.toBrainInto(bits, x),
  },
];

const BY_NAME = FORMATS.map((format) => [format.name, format] as const);

const EXAMPLES: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  binary16: [
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [-0, 0x8000],
    [2 ** -24, 0x0001],
    [1 / 3, 0x3555],
    [65519.99609375, 0x7bff],
    [65520, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -25, 0x0000],
    [1e-45, 0x0000],
    [3e38, 0x7c00],
  ],
  bfloat16: [
    [1, 0x3f80],
    [-2, 0xc000],
    [-0, 0x8000],
    [Math.PI, 0x4049],
    [1 / 3, 0x3eab],
    [-Infinity, 0xff80],
    [3.4028234663852886e38, 0x7f80],
    [1e-45, 0x0000],
    [2 ** -133, 0x0001],
  ],
};

const words = new DataView(new ArrayBuffer(4));

function fromWord(bits: number): number {
  words.setUint32(0, bits);
  return words.getFloat32(0);
}

/** The f32 after x ≥ 0, or, with −1, the one before x > 0. */
function neighbor(x: number, step: 1 | -1): number {
  words.setFloat32(0, x);
  return fromWord(words.getUint32(0) + step);
}

/** The numbers of the patterns from 0 up to the infinity, which is listed as the number that would come there. */
function countUp({ infinity, fractionBits, smallest }: Format): Float64Array {
  const values = new Float64Array(infinity + 1);
  const perBinade = 2 ** fractionBits;
  let spacing = smallest;
  for (let k = 1; k <= infinity; k++) {
    values[k] = (values[k - 1] as number) + spacing;
    // The subnormal numbers and the first binade share their spacing; after that it doubles with each.
    if (k % perBinade === 0 && k > perBinade) spacing *= 2;
  }
  return values;
}

/** What the pattern stands for, of all 65,536. */
function meanings(format: Format): Float32Array {
  const values = countUp(format);
  return new Float32Array(65536).map((_, pattern) => {
    const k = pattern & 0x7fff;
    const magnitude = k > format.infinity ? Number.NaN : k === format.infinity ? Infinity : (values[k] as number);
    return pattern & 0x8000 ? -magnitude : magnitude;
  });
}

/** Pattern of the f32 `x`, found in the list. */
function nearest(values: Float64Array, { infinity, nan }: Format, x: number): number {
  if (Number.isNaN(x)) return nan;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(x);
  let [low, high] = [0, infinity];
  if (magnitude >= (values[high] as number)) return sign | infinity;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) <= magnitude) low = middle;
    else high = middle;
  }
  const [below, above] = [magnitude - (values[low] as number), (values[high] as number) - magnitude];
  if (below === above) return sign | (low % 2 === 0 ? low : high);
  return sign | (below < above ? low : high);
}

export function conversionContract(backend: KernelBackend): void {
  const open = (): Kernels => backend.open(1 << 21);
  const toBits = (kernels: Kernels, format: Format, values: ArrayLike<number>): Uint16Array => {
    kernels.release();
    const bits = put16(kernels, new Uint16Array(values.length));
    const x = put(kernels, values);
    format.to(kernels, bits, x);
    expect([bits, x].every(hasGuards)).toBe(true);
    return bits;
  };

  test.each(BY_NAME)("%s: examples", (_, format) => {
    const examples = EXAMPLES[format.name] ?? [];
    expect([
      ...toBits(
        open(),
        format,
        examples.map(([value]) => value),
      ),
    ]).toEqual(examples.map(([, bits]) => bits));
  });

  test.each(BY_NAME)("%s: every pattern is read as its number, in vectors of any length", (_, format) => {
    const kernels = open();
    const expected = meanings(format);
    const bits = put16(
      kernels,
      expected.map((_, pattern) => pattern),
    );
    const out = room(kernels, 65536);
    format.from(kernels, out, bits);
    expect(firstDifference(out, expected)).toBeUndefined();
    expect([out, bits].every(hasGuards)).toBe(true);
    for (let at = 0; at < 65536; at++)
      format.from(kernels, out.subarray(65535 - at, 65536 - at), bits.subarray(at, at + 1));
    expect(firstDifference(out.reverse(), expected)).toBeUndefined();
    for (const length of RAGGED) {
      out.fill(7);
      format.from(kernels, out.subarray(0, length), bits.subarray(0x3c00, 0x3c00 + length));
      expect(firstDifference(out.subarray(0, length), expected.subarray(0x3c00, 0x3c00 + length))).toBeUndefined();
      expect(out[length]).toBe(7);
    }
  });

  test.each(BY_NAME)("%s: every number is written as its pattern, NaN as one", (_, format) => {
    const expected = new Uint16Array(65536).map((_, pattern) =>
      (pattern & 0x7fff) > format.infinity ? format.nan : pattern,
    );
    expect(firstDifference(toBits(open(), format, meanings(format)), expected)).toBeUndefined();
  });

  test.each(BY_NAME)("%s: NaN of every sign and payload is written as one", (_, format) => {
    const kernels = open();
    const x = put(kernels, new Float32Array(96));
    const asWords = new Uint32Array(x.buffer, x.byteOffset, 96).fill(0x7f800000);
    for (let i = 0; i < 23; i++)
      asWords.set([0x7f800000 | (1 << i), 0xff800000 | (1 << i), 0x7fffffff - i, -1 - i], 4 * i);
    asWords.fill(0x7fffffff, 92);
    const bits = put16(kernels, new Uint16Array(96));
    format.to(kernels, bits, x);
    expect([...new Set(bits)]).toEqual([format.nan]);
  });

  test.each(BY_NAME)(
    "%s: half way between any two neighbors the even one is taken, beside it the nearer",
    (_, format) => {
      const values = countUp(format);
      const x: number[] = [];
      const expected: number[] = [];
      for (let k = 0; k < format.infinity; k++) {
        const tie = ((values[k] as number) + (values[k + 1] as number)) / 2;
        const even = k % 2 === 0 ? k : k + 1;
        x.push(tie, neighbor(tie, -1), neighbor(tie, 1));
        expected.push(even, k, k + 1);
      }
      const kernels = open();
      expect(firstDifference(toBits(kernels, format, x), expected)).toBeUndefined();
      const opposite = toBits(
        kernels,
        format,
        x.map((value) => -value),
      );
      expect(
        firstDifference(
          opposite,
          expected.map((pattern) => pattern | 0x8000),
        ),
      ).toBeUndefined();
    },
  );

  test.each(BY_NAME)("%s: 100,000 f32 from all over the range are rounded to the nearest in the list", (_, format) => {
    const values = countUp(format);
    // Multiples of an odd number, mod 2³²: no two are equal, all exponents occur.
    const x = Float32Array.from({ length: 100_000 }, (_, i) => fromWord(Math.imul(i, 0x9e3779b1) >>> 0));
    const expected = Uint16Array.from(x, (value) => nearest(values, format, value));
    expect(firstDifference(toBits(open(), format, x), expected)).toBeUndefined();
  });
}
