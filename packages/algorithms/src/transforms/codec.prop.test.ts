import { createRng, KumiaiError } from "@kumiai/params";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeUpdate, encodeUpdate, type UpdateCodec } from "./codec.js";

/** All finite f32 there are, subnormal and huge; lengths around blocks of 8 and beyond. */
const vectors = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 67 })
  .map((values) => Float32Array.from(values));

/** Like updates: one scale, a few large coordinates. */
const updates = fc
  .tuple(fc.integer({ min: 1, max: 700 }), fc.nat(), fc.integer({ min: -30, max: 30 }))
  .map(([length, seed, exponent]) => {
    const rng = createRng(seed);
    return Float32Array.from({ length }, () => rng.normal() ** 3 * 2 ** exponent);
  });

const F16: UpdateCodec = { codec: "f16" };
const INT8: UpdateCodec = { codec: "int8", blockSize: 8, rounding: "nearest" };
/** By how much the worst element is beyond what it may be off; 0 or less where none is. NaN is beyond. */
function excess(y: Float32Array, x: Float32Array, boundAt: (i: number) => number): number {
  return y.reduce((worst, value, i) => {
    const over = Math.abs(value - (x[i] ?? Number.NaN)) - boundAt(i);
    return over > worst || Number.isNaN(over) ? over : worst;
  }, Number.NEGATIVE_INFINITY);
}

const maxOf = (x: Float32Array): number => x.reduce((max, value) => Math.max(max, Math.abs(value)), 0);

function roundTrip(spec: UpdateCodec, x: Float32Array, seed = 1): Float32Array {
  return decodeUpdate(encodeUpdate(spec, x, createRng(seed)), x.length);
}

describe("dense codecs", () => {
  test("f32 comes back bit by bit, and costs 16 + 4n bytes", () => {
    fc.assert(
      fc.property(vectors, (x) => {
        const frame = encodeUpdate({ codec: "f32" }, x);
        expect(frame.length).toBe(16 + 4 * x.length);
        expect(new Uint32Array(decodeUpdate(frame, x.length).buffer)).toEqual(new Uint32Array(x.slice().buffer));
      }),
    );
  });

  test("f16 is within 2⁻¹¹·|x| + 2⁻³⁹·max|x| of any finite vector, and costs 16 + 2n bytes", () => {
    fc.assert(
      fc.property(fc.oneof(vectors, updates), (x) => {
        const frame = encodeUpdate(F16, x);
        expect(frame.length).toBe(16 + 2 * x.length);
        const max = maxOf(x);
        const boundAt = (i: number) => 2 ** -11 * Math.abs(x[i] ?? 0) + 2 ** -39 * max + 2 ** -149;
        expect(excess(decodeUpdate(frame, x.length), x, boundAt)).toBeLessThanOrEqual(0);
      }),
    );
  });

  test("int8 is within half a step (max of the block/254, 1e-6 of it for rounding) of any finite vector; 16 + n + 4·⌈n/8⌉ bytes", () => {
    fc.assert(
      fc.property(fc.oneof(vectors, updates), (x) => {
        const frame = encodeUpdate(INT8, x);
        expect(frame.length).toBe(16 + x.length + 4 * Math.ceil(x.length / 8));
        const boundAt = (i: number) => (maxOf(x.subarray(i - (i % 8), i - (i % 8) + 8)) / 254) * (1 + 1e-6) + 2 ** -142;
        expect(excess(decodeUpdate(frame, x.length), x, boundAt)).toBeLessThanOrEqual(0);
      }),
    );
  });

  test("int8 of −x is −(int8 of x), and of 2x twice it", () => {
    fc.assert(
      fc.property(updates, (x) => {
        const once = roundTrip(INT8, x);
        const negated = x.map((value) => -value);
        expect(roundTrip(INT8, negated).map((value) => 0 - value)).toEqual(once.map((value) => value + 0));
        const doubled = x.map((value) => 2 * value);
        expect(roundTrip(INT8, doubled)).toEqual(once.map((value) => 2 * value));
      }),
    );
  });

  test("stochastic int8 is unbiased: the mean over 4,000 draws is within 5 standard errors (Δ/2/√4000) of x", () => {
    const x = Float32Array.of(127, 0.25, -0.5, 3.9, -90.1, 12.75, 1e-3, 0);
    const spec: UpdateCodec = { codec: "int8", blockSize: 8, rounding: "stochastic" };
    const rng = createRng(5);
    const sums = new Float64Array(x.length);
    for (let draw = 0; draw < 4000; draw++) {
      const y = decodeUpdate(encodeUpdate(spec, x, rng), x.length);
      expect(excess(y, x, () => 1)).toBeLessThanOrEqual(0);
      for (let i = 0; i < y.length; i++) sums[i] = (sums[i] ?? 0) + (y[i] ?? 0);
    }
    const off = sums.map((sum, i) => Math.abs(sum / 4000 - (x[i] ?? 0)));
    expect(Math.max(...off)).toBeLessThan((5 * 0.5) / Math.sqrt(4000));
  });
});

describe("topk", () => {
  const shares = fc.double({ min: 0.001, max: 1, noNaN: true });
  const spec = (share: number, values: "f32" | "f16" | "int8" = "f32"): UpdateCodec => ({
    codec: "topk",
    share,
    values: values === "int8" ? { codec: "int8", blockSize: 8, rounding: "nearest" } : { codec: values },
  });

  test("keeps ⌈share·n⌉ coordinates to the bit, none of which is smaller than one that it drops", () => {
    fc.assert(
      fc.property(fc.oneof(vectors, updates), shares, (x, share) => {
        const y = roundTrip(spec(share), x);
        const sorted = x.map(Math.abs).sort().reverse();
        const count = x.length === 0 ? 0 : Math.max(1, Math.ceil(share * x.length));
        const threshold = sorted[count - 1] ?? 0;
        expect(y.filter((value) => value !== 0).length).toBe(sorted.slice(0, count).filter((v) => v > 0).length);
        const wrong = x.filter((own, i) => (y[i] === 0 ? Math.abs(own) > threshold : y[i] !== own));
        expect([...wrong]).toEqual([]);
      }),
    );
  });

  test("of equals the first are kept", () => {
    expect([...roundTrip(spec(0.5), Float32Array.of(1, -2, 2, 1, 1, -2))]).toEqual([0, -2, 2, 0, 0, -2]);
    expect([...roundTrip(spec(0.5), Float32Array.of(1, -1, 1, 1))]).toEqual([1, -1, 0, 0]);
  });

  test("costs at most a bit for each element, or a byte for each place where gaps are below 128", () => {
    fc.assert(
      fc.property(updates, shares, (x, share) => {
        const count = Math.max(1, Math.ceil(share * x.length));
        const frame = encodeUpdate(spec(share, "f16"), x);
        expect(frame.length).toBeLessThanOrEqual(16 + 2 * count + Math.ceil(x.length / 8));
      }),
    );
    const spread = Float32Array.from({ length: 10_000 }, (_, i) => (i % 100 === 7 ? 1 : 0));
    expect(encodeUpdate(spec(0.01, "f16"), spread).length).toBe(16 + 100 + 200);
  });

  test("values as f16 and int8 come within the bounds of those codecs", () => {
    fc.assert(
      fc.property(updates, shares, (x, share) => {
        const exact = roundTrip(spec(share), x);
        const max = maxOf(x);
        const halfBound = (i: number) => 2 ** -11 * Math.abs(exact[i] ?? 0) + 2 ** -39 * max;
        expect(excess(roundTrip(spec(share, "f16"), x), exact, halfBound)).toBeLessThanOrEqual(0);
        const byteBound = () => (max / 254) * (1 + 1e-6);
        expect(excess(roundTrip(spec(share, "int8"), x), exact, byteBound)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

describe("every codec", () => {
  const specs: readonly UpdateCodec[] = [
    { codec: "f32" },
    F16,
    INT8,
    { codec: "int8", blockSize: 256, rounding: "stochastic" },
    { codec: "topk", share: 0.1, values: F16 },
    { codec: "topk", share: 0.9, values: { codec: "int8", blockSize: 16, rounding: "nearest" } },
  ];
  const anySpec = fc.constantFrom(...specs);

  test("gives the same bytes for the same vector and stream, and reads nothing else", () => {
    fc.assert(
      fc.property(anySpec, updates, (spec, x) => {
        const before = x.slice();
        expect(encodeUpdate(spec, x, createRng(3))).toEqual(encodeUpdate(spec, x.slice(), createRng(3)));
        expect(x).toEqual(before);
      }),
    );
  });

  test("refuses NaN and infinities with NON_FINITE and the place", () => {
    for (const spec of specs) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        expect(() => encodeUpdate(spec, Float32Array.of(0, 1, bad), createRng(1))).toThrow(
          expect.objectContaining({ code: "NON_FINITE", details: { element: 2 } }),
        );
      }
    }
  });

  test("a frame that was cut or changed anywhere decodes to finite numbers or is refused as FRAME_MALFORMED", () => {
    fc.assert(
      fc.property(anySpec, updates, fc.nat(), fc.nat({ max: 255 }), fc.boolean(), (spec, x, at, byte, cut) => {
        const frame = encodeUpdate(spec, x, createRng(1));
        const damaged = cut ? frame.slice(0, at % frame.length) : frame.slice();
        if (!cut) damaged[at % 4 === 0 ? (at / 4) % 16 : at % frame.length] = byte;
        try {
          const y = decodeUpdate(damaged, x.length);
          expect(cut).toBe(false);
          expect(y).toHaveLength(x.length);
          expect(y.every(Number.isFinite)).toBe(true);
        } catch (error) {
          if (!(error instanceof KumiaiError)) throw error;
          expect(error.code).toBe("FRAME_MALFORMED");
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a frame cannot make the receiver take another length than it knows", () => {
    for (const spec of specs) {
      const frame = encodeUpdate(spec, Float32Array.of(1, 2, 3), createRng(1));
      expect(() => decodeUpdate(frame, 4)).toThrow(expect.objectContaining({ code: "FRAME_MALFORMED" }));
    }
  });

  test("a frame is read from anywhere in a larger buffer", () => {
    for (const spec of specs) {
      const x = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i));
      const frame = encodeUpdate(spec, x, createRng(1));
      const shifted = new Uint8Array(frame.length + 3);
      shifted.set(frame, 3);
      expect(decodeUpdate(shifted.subarray(3), 300)).toEqual(decodeUpdate(frame, 300));
    }
  });
});
