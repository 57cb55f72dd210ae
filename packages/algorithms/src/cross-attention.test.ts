import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { softmaxInPlace } from "./cross-attention.js";
import { maxDifference } from "./testing/federation.js";
import { attendAll, norm as normOf } from "./testing/vectors.js";

const DOT = { attention: "dot", temperature: 1 } as const;
const entry = fc.float({ min: -10, max: 10, noNaN: true });
const rows = fc.array(
  fc.array(entry, { minLength: 5, maxLength: 5 }).map((row) => Float32Array.from(row)),
  { minLength: 1, maxLength: 6 },
);
const options = fc.record({
  attention: fc.constantFrom("dot" as const, "cosine" as const),
  temperature: fc.double({ min: 0.01, max: 10, noNaN: true }),
});

function norm(row: Float32Array, from: number, to: number): number {
  return normOf(row.subarray(from, to));
}

describe("attendAll", () => {
  test("by hand: rows 2 and 0 in one tensor of 4 entries attend with softmax(4/√4, 0)", () => {
    const deltas = [Float32Array.of(2, 0, 0, 0), new Float32Array(4)];
    const [first, second] = attendAll(deltas, [4], DOT);
    const share = Math.exp(2) / (Math.exp(2) + 1);
    expect(first?.[0]).toBeCloseTo(2 * share, 6);
    expect(second?.[0]).toBeCloseTo(1, 6);
  });

  test("each tensor has its own attention", () => {
    const deltas = [Float32Array.of(3, 3), Float32Array.of(3, -3)];
    const [first] = attendAll(deltas, [1, 1], DOT);
    expect(first?.[0]).toBeCloseTo(3, 6);
    expect(first?.[1]).toBeCloseTo(3, 6);
    const [together] = attendAll(deltas, [2], DOT);
    expect(together?.[1]).toBeLessThan(3);
  });

  test("cosine attention does not depend on the scale of an update, dot attention does", () => {
    const deltas = [Float32Array.of(1, 0), Float32Array.of(1, 1), Float32Array.of(-1, 0)];
    const small = deltas.map((delta) => delta.map((value) => value / 1024));
    const cosine = { attention: "cosine", temperature: 0.25 } as const;
    const scaledBack = (out: readonly Float32Array[]): Float32Array =>
      (out[0] ?? new Float32Array(2)).map((x) => x * 1024);
    const of = (input: readonly Float32Array[], how: typeof DOT | typeof cosine) => attendAll(input, [2], how);
    expect(maxDifference(scaledBack(of(small, cosine)), of(deltas, cosine)[0] ?? [])).toBeLessThan(1e-6);
    expect(maxDifference(scaledBack(of(small, DOT)), of(deltas, DOT)[0] ?? [])).toBeGreaterThan(0.1);
  });

  test("huge updates do not overflow the softmax", () => {
    const deltas = [Float32Array.of(1e18, 0), Float32Array.of(-1e18, 1)];
    const out = attendAll(deltas, [2], DOT);
    expect(out.map((row) => [...row])).toEqual(deltas.map((row) => [...row]));
  });

  test("a result is a convex combination: per tensor no longer than the longest delta, to 1e-6", () => {
    fc.assert(
      fc.property(rows, options, (deltas, how) => {
        for (const row of attendAll(deltas, [3, 2], how)) {
          for (const [from, to] of [[0, 3] as const, [3, 5] as const]) {
            const longest = Math.max(...deltas.map((delta) => norm(delta, from, to)));
            expect(norm(row, from, to)).toBeLessThanOrEqual(longest * (1 + 1e-6) + 1e-30);
          }
        }
      }),
    );
  });

  test("permuting the rows permutes the results, to 1e-6", () => {
    fc.assert(
      fc.property(rows, options, (deltas, how) => {
        const forward = attendAll(deltas, [3, 2], how);
        const backward = attendAll([...deltas].reverse(), [3, 2], how).toReversed();
        forward.forEach((row, k) => {
          expect(maxDifference(row, backward[k] ?? [])).toBeLessThanOrEqual(1e-5);
        });
      }),
    );
  });

  test("equal deltas attend to themselves, to 1e-6 relative", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 5 }), options, ([first], count, how) => {
        if (first === undefined) return;
        const out = attendAll(
          Array.from({ length: count }, () => first),
          [5],
          how,
        );
        for (const row of out) expect(maxDifference(row, first)).toBeLessThanOrEqual(1e-5);
      }),
    );
  });
});

test("softmax sums to 1 and keeps the order of the scores", () => {
  const shares = Float64Array.of(1000, 999, -1000);
  softmaxInPlace(shares);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 15);
  expect(shares[0]).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
  expect(shares[2]).toBe(0);
});
