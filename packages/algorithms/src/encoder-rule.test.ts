import { createRng, type KumiaiError } from "@kumiai/params";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createStrategy } from "./registry.js";
import { encoderOf, maxDifference, paramsFor, randomVector, specOf, updateOf } from "./testing/federation.js";
import { roundOfLevels } from "./testing/levels.js";

const encodersBy = (name: string, options: Readonly<Record<string, unknown>>, levels: readonly number[]) =>
  roundOfLevels(name, options, levels).encoders;

describe("by hand", () => {
  test("the median of 1, 9, 2, 4, 100 is 4, of 1, 9, 2, 4 it is 3; of two it is their mean, of one itself", () => {
    expect(new Set(encodersBy("coordinate-median", {}, [1, 9, 2, 4, 100]))).toEqual(new Set([4]));
    expect(new Set(encodersBy("coordinate-median", {}, [1, 9, 2, 4]))).toEqual(new Set([3]));
    expect(new Set(encodersBy("coordinate-median", {}, [1, 9]))).toEqual(new Set([5]));
    expect(encodersBy("coordinate-median", {}, [7])).toEqual([7]);
  });

  test("without the lowest and the highest, 1, 9, 2, 4, 100 have the mean 5; sample counts do not count", () => {
    expect(new Set(encodersBy("trimmed-mean", {}, [1, 9, 2, 4, 100]))).toEqual(new Set([5]));
    expect(new Set(encodersBy("trimmed-mean", { trim: 2 }, [1, 9, 2, 4, 100]))).toEqual(new Set([4]));
    expect(new Set(encodersBy("trimmed-mean", { trim: 0 }, [1, 9, 2, 4, 104]))).toEqual(new Set([24]));
  });

  test("krum: with f = 1 of 5, two neighbors count; of 0, 2, 3, 7, 100 the 2 has 1 + 4 and wins", () => {
    // Squared distances to the two nearest: 0: 4 + 9, 2: 1 + 4, 3: 1 + 9, 7: 16 + 25, 100: …
    const { encoders, output } = roundOfLevels("krum", {}, [0, 2, 3, 7, 100]);
    expect(new Set(encoders)).toEqual(new Set([2]));
    expect(output.diagnostics.robustness).toEqual([
      { rule: "krum", clients: ["a", "b", "c", "d", "e"], tolerated: 1, selected: ["b"] },
    ]);
  });

  test("multi-krum: the mean of the two best, 2 and 3; equal scores go by id", () => {
    expect(new Set(encodersBy("krum", { krumCount: 2 }, [0, 2, 3, 7, 100]))).toEqual(new Set([2.5]));
    expect(encodersBy("krum", {}, [5, 1])).toEqual([5, 5]);
  });
});

test("with trim 0 and equal sample counts the trimmed mean is the mean, to f32", () => {
  const levels = [1, 9, 2, 4, 100, 0.3];
  expect(maxDifference(encodersBy("trimmed-mean", { trim: 0 }, levels), encodersBy("fedavg", {}, levels))).toBeLessThan(
    4e-6,
  );
});

test("a group too small for the options holds what it can, and says so", () => {
  const toleratedOf = (name: string, options: Readonly<Record<string, unknown>>, count: number) =>
    roundOfLevels(
      name,
      options,
      Array.from({ length: count }, (_, i) => i),
    ).output.diagnostics.robustness?.[0]?.tolerated;
  expect([1, 2, 3, 4, 9].map((count) => toleratedOf("trimmed-mean", { trim: 2 }, count))).toEqual([0, 0, 1, 1, 2]);
  expect([1, 2, 3, 4, 9].map((count) => toleratedOf("coordinate-median", {}, count))).toEqual([0, 0, 1, 1, 4]);
  expect([1, 4, 5, 6, 7, 9].map((count) => toleratedOf("krum", { byzantine: 2 }, count))).toEqual([0, 0, 1, 1, 2, 2]);
});

/** Seven clients from one start; all move by about 0.1, the third to garbage. */
function poisoned(name: string, options: Readonly<Record<string, unknown>>, seed: number, garbage: number) {
  const clients = Array.from({ length: 7 }, (_, i) => specOf({ id: `s${i}` }));
  const size = clients[0]?.layout.size ?? 0;
  const base = randomVector(createRng(seed), size);
  const updates = clients.map((spec, i) => {
    const rng = createRng(seed).split(spec.id);
    return updateOf(spec, base, randomVector(rng, size, i === 2 ? garbage : 0.1), i === 2 ? 1_000_000 : 10);
  });
  const strategy = createStrategy(name, options);
  const { params } = strategy.aggregate(strategy.init(clients), { round: 1, clients, updates });
  const [honest] = clients;
  if (honest === undefined) throw new Error("no client");
  const own = encoderOf(honest, paramsFor({ params } as never, honest));
  const start = encoderOf(honest, base);
  return { moved: maxDifference(own, start), own, base: start, clients, updates };
}

describe("one site of seven sends garbage and claims a million examples", () => {
  const robust = [
    ["coordinate-median", {}],
    ["trimmed-mean", {}],
    ["krum", {}],
    ["krum", { krumCount: 4 }],
    ["fedprox", { encoderRule: "median" }],
    ["fedper", { encoderRule: "trimmed-mean" }],
    ["fedrep", { encoderRule: "krum" }],
    ["fedavg-all", { encoderRule: "median" }],
    ["mat-fl", { clusterCount: 1, encoderRule: "median" }],
    ["mat-fl", { clusterCount: 1, encoderRule: "krum" }],
  ] as const;

  test.each(robust)("%s %o: the encoder stays within what honest sites sent", (name, options) => {
    for (const [seed, garbage] of [
      [1, 1e3],
      [2, 1e30],
      [3, 1],
    ] as const) {
      const { own, clients, updates } = poisoned(name, options, seed, garbage);
      const honest = clients.flatMap((spec, i) => (i === 2 ? [] : [encoderOf(spec, updates[i]?.local ?? own)]));
      own.forEach((value, p) => {
        const sent = honest.map((encoder) => encoder[p] ?? Number.NaN);
        expect(value).toBeGreaterThanOrEqual(Math.min(...sent));
        expect(value).toBeLessThanOrEqual(Math.max(...sent));
      });
    }
  });

  /** Strategies that combine updates: what the honest one moved by, over `factor`, lies among what honest sites moved by. */
  const ofUpdates = [
    ...["median", "trimmed-mean", "krum"].flatMap((encoderRule) => [
      // All seven are one group, whose middle is taken in whole, and Ũ by α = 0.1.
      ["fedhca2", { encoderRule }, 1.1] as const,
      ["fedhca2-encoder-only", { encoderRule, encoderAlpha: 0 }, 1] as const,
      ["cooperative", { encoderRule }, 1] as const,
      ["cooperative", { encoderRule, momentum: 0.9 }, 1] as const,
    ]),
  ] as const;

  test.each(ofUpdates)(
    "%s %o: the encoder's step stays within those of honest sites, to 1e-6",
    (name, options, factor) => {
      for (const [seed, garbage] of [
        [1, 1e3],
        [2, 1e15],
        [3, 1],
      ] as const) {
        const { own, base, clients, updates } = poisoned(name, options, seed, garbage);
        const honest = clients.flatMap((spec, i) => (i === 2 ? [] : [encoderOf(spec, updates[i]?.local ?? own)]));
        own.forEach((value, p) => {
          const step = (value - (base[p] ?? Number.NaN)) / factor;
          const steps = honest.map((encoder) => (encoder[p] ?? Number.NaN) - (base[p] ?? Number.NaN));
          expect(step).toBeGreaterThanOrEqual(Math.min(...steps) - 1e-6);
          expect(step).toBeLessThanOrEqual(Math.max(...steps) + 1e-6);
        });
      }
    },
  );

  test.each(["fedhca2", "cooperative"])("%s without a rule is carried away", (name) => {
    expect(poisoned(name, {}, 1, 1e3).moved).toBeGreaterThan(10);
    expect(poisoned(name, { encoderRule: "median" }, 1, 1e3).moved).toBeLessThan(0.5);
  });

  test.each(["fedavg", "fedprox", "fedper"])("%s: the mean is carried away", (name) => {
    expect(poisoned(name, {}, 1, 1e3).moved).toBeGreaterThan(300);
    expect(poisoned(name, { encoderRule: "median" }, 1, 1e3).moved).toBeLessThan(0.5);
  });
});

test("fedhca2 and cooperative say whom their rule chose and how many it tolerates", () => {
  for (const name of ["fedhca2", "cooperative"]) {
    const { output } = roundOfLevels(name, { encoderRule: "krum" }, [0, 2, 3, 7, 100]);
    expect(output.diagnostics.robustness?.[0]).toEqual({
      rule: "krum",
      clients: ["a", "b", "c", "d", "e"],
      tolerated: 1,
      selected: ["b"],
    });
    expect(output.diagnostics.conflictWeights).toBeUndefined();
  }
});

test("median and trimmed mean do not care about order, and move with shift and scale, to f32", () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom("coordinate-median", "trimmed-mean"),
      (seed, count, name) => {
        const rng = createRng(seed);
        const levels = Array.from({ length: count }, () => Math.fround(rng.normal()));
        const [level = 0] = encodersBy(name, {}, levels);
        expect(encodersBy(name, {}, rng.shuffled(levels))[0]).toBe(level);
        expect(
          encodersBy(
            name,
            {},
            levels.map((x) => -4 * x),
          )[0],
        ).toBeCloseTo(-4 * level, 5);
      },
    ),
    { numRuns: 30 },
  );
});

test("clusters of 3 and of 4 sites each have their own median, over encoders of many numbers", () => {
  const levels = [1, 2, 4, -1, -2, -4, -8];
  const { encoders } = roundOfLevels("mat-fl", { clusterCount: 2, encoderRule: "median" }, levels, { width: 30_000 });
  expect(encoders).toEqual([2, 2, 2, -3, -3, -3, -3]);
});

test("fedhca2: the median of all four and that of three alike, over encoders of many numbers", () => {
  const options = { encoderRule: "median", encoderAlpha: 1 };
  const domains = ["rooms", "rooms", "rooms", "streets"];
  const { encoders } = roundOfLevels("fedhca2", options, [1, 2, 4, 16], { width: 30_000, domains });
  // The group's median, 2 and 16, and once that of all, 3.
  expect(encoders).toEqual([5, 5, 5, 19]);
});

test("soft groups weigh neighbors: another rule than the mean is refused", () => {
  let refused: unknown;
  try {
    createStrategy("mat-fl", { grouping: "soft", encoderRule: "median" });
  } catch (error) {
    refused = error;
  }
  expect(refused as KumiaiError).toMatchObject({ code: "INVALID_CONFIG", details: { option: "mat-fl.encoderRule" } });
});
