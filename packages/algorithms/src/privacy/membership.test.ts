import { createRng } from "@kumiai/params";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bestThreshold, membershipAdvantage, updateAlignment } from "./membership.js";

const range = (count: number, of: (i: number) => number) => Array.from({ length: count }, (_, i) => of(i));

describe("membershipAdvantage", () => {
  test("scores that part members from the rest give 100 %, with an interval of one point", () => {
    const scores = { members: range(20, (i) => 100 + i), nonMembers: range(30, (i) => i) };
    expect(membershipAdvantage(scores, createRng(1))).toEqual({
      advantagePercent: 100,
      interval95: [100, 100],
      aurocPercent: 100,
      memberCount: 20,
      nonMemberCount: 30,
    });
  });

  test("a score that is the same for all gives 0", () => {
    const scores = { members: range(20, () => 3), nonMembers: range(20, () => 3) };
    expect(membershipAdvantage(scores, createRng(1))).toMatchObject({ advantagePercent: 0, interval95: [0, 0] });
  });

  test("scores that say nothing give 0 on average: 200 draws of 40 and 40 lie within 3 points of it, and some are negative", () => {
    const drawn = range(200, (seed) => {
      const rng = createRng(seed);
      const scores = { members: range(40, () => rng.normal()), nonMembers: range(40, () => rng.normal()) };
      return membershipAdvantage(scores, rng.split("attack")).advantagePercent;
    });
    // The standard deviation of one draw is about 11 points, of the mean 0.8. With the threshold chosen on all candidates it would be 17.
    expect(Math.abs(drawn.reduce((sum, value) => sum + value, 0) / drawn.length)).toBeLessThan(3);
    expect(Math.min(...drawn)).toBeLessThan(0);
  });

  test("two normal scores one deviation apart have the advantage that theory says, 38.3 %, within 5 points at 2,000 each", () => {
    const rng = createRng(3);
    const scores = { members: range(2000, () => rng.normal() + 1), nonMembers: range(2000, () => rng.normal()) };
    const { advantagePercent, interval95, aurocPercent } = membershipAdvantage(scores, rng.split("attack"));
    // TPR − FPR at the middle is 2Φ(½) − 1; AUROC is Φ(1/√2).
    expect(Math.abs(advantagePercent - 38.3)).toBeLessThan(5);
    expect(Math.abs(aurocPercent - 76.02)).toBeLessThan(3);
    expect(interval95[0]).toBeLessThan(advantagePercent);
    expect(interval95[1]).toBeGreaterThan(advantagePercent);
    expect(interval95[1] - interval95[0]).toBeLessThan(8);
  });

  test("of 100 draws with a true advantage of 38.3 %, the 95 % interval holds it in 85 % or more", () => {
    const held = range(100, (seed) => {
      const rng = createRng(1000 + seed);
      const scores = { members: range(40, () => rng.normal() + 1), nonMembers: range(64, () => rng.normal()) };
      const [low, high] = membershipAdvantage(scores, rng.split("attack")).interval95;
      return low <= 38.3 && 38.3 <= high ? 1 : 0;
    });
    expect(held.reduce((sum, one) => sum + one, 0) / held.length).toBeGreaterThanOrEqual(0.85);
  });

  test("the same seed gives the same numbers; scaling and shifting all scores changes none", () => {
    const rng = createRng(8);
    const [members, nonMembers] = [range(16, () => rng.int(9)), range(16, () => rng.int(7))];
    const once = membershipAdvantage({ members, nonMembers }, createRng(2));
    expect(membershipAdvantage({ members, nonMembers }, createRng(2))).toEqual(once);
    const moved = (scores: readonly number[]) => scores.map((score) => 4 * score - 16);
    expect(membershipAdvantage({ members: moved(members), nonMembers: moved(nonMembers) }, createRng(2))).toEqual(once);
  });

  test("too few candidates and scores that are not numbers are refused, naming the side", () => {
    const enough = range(8, (i) => i);
    const attack = (members: readonly number[], nonMembers: readonly number[]) => () =>
      membershipAdvantage({ members, nonMembers }, createRng(1));
    expect(attack(enough.slice(1), enough)).toThrow(/expected at least 8 members, received 7/);
    expect(attack(enough, [])).toThrow(expect.objectContaining({ code: "DATA_MALFORMED" }));
    expect(attack(enough, [...enough, Number.NaN])).toThrow(/score 8 of the non-members is NaN/);
  });
});

describe("bestThreshold", () => {
  const advantageAt = (members: readonly number[], others: readonly number[], threshold: number) => {
    const share = (scores: readonly number[]) => scores.filter((score) => score >= threshold).length / scores.length;
    return share(members) - share(others);
  };

  test("no threshold does better, ties included", () => {
    const scores = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(scores, scores, (members, others) => {
        const best = advantageAt(members, others, bestThreshold(members, others));
        for (let threshold = -4.5; threshold <= 5; threshold += 0.5) {
          expect(advantageAt(members, others, threshold)).toBeLessThanOrEqual(best + 1e-9);
        }
      }),
    );
  });

  test("where members score lower than the rest, nobody is called", () => {
    expect(bestThreshold([1, 2], [3, 4])).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("updateAlignment", () => {
  const whole = [{ offset: 0, size: 3 }];

  test("is the cosine of the step against the gradient with the update, over the given ranges only", () => {
    const gradient = Float32Array.of(3, 4, 100);
    expect(updateAlignment(gradient, Float32Array.of(-3, -4, 0), [{ offset: 0, size: 2 }])).toBe(1);
    expect(updateAlignment(gradient, Float32Array.of(4, 0, 7), [{ offset: 0, size: 2 }])).toBeCloseTo(-0.6, 12);
    const ranges = [
      { offset: 0, size: 1 },
      { offset: 2, size: 1 },
    ];
    expect(updateAlignment(Float32Array.of(0, 9, -5), Float32Array.of(1, 9, 0), ranges)).toBe(0);
  });

  test("is 0 where the gradient or the update is zero", () => {
    expect(updateAlignment(new Float32Array(3), Float32Array.of(1, 2, 3), whole)).toBe(0);
    expect(updateAlignment(Float32Array.of(1, 2, 3), new Float32Array(3), whole)).toBe(0);
  });
});
