import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GradientSurgery, surgeryWeights } from "./gradient-surgery.js";

type Vector = readonly number[];

const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

function gramOf(gradients: readonly Vector[]): Float64Array {
  return Float64Array.from(gradients.flatMap((a) => gradients.map((b) => dot(a, b))));
}

function weightsOf(surgery: GradientSurgery, gradients: readonly Vector[]): number[] {
  return [...surgeryWeights(surgery)(gramOf(gradients), gradients.length)];
}

function combined(surgery: GradientSurgery, gradients: readonly Vector[]): Vector {
  const weights = weightsOf(surgery, gradients);
  return (gradients[0] ?? []).map((_, i) => gradients.reduce((sum, g, t) => sum + (weights[t] ?? 0) * (g[i] ?? 0), 0));
}

const PCGRAD: GradientSurgery = { kind: "pcgrad" };
const cagrad = (conflictRadius: number): GradientSurgery => ({ kind: "cagrad", conflictRadius });

const component = fc.double({ min: -3, max: 3, noNaN: true });
/** Two to four gradients in five dimensions, none of them tiny. */
const gradients = fc
  .array(fc.tuple(component, component, component, component, component), { minLength: 2, maxLength: 4 })
  .filter((all) => all.every((g) => dot(g, g) > 1e-3));

describe("pcgrad", () => {
  test("by hand: two gradients that conflict lose what is against each other", () => {
    // g₁ = (1, 0), g₂ = (−1, 1): g₁' = g₁ + ½·g₂ = (½, ½), g₂' = g₂ + g₁ = (0, 1).
    const pair = [
      [1, 0],
      [-1, 1],
    ];
    expect(weightsOf(PCGRAD, pair)).toEqual([2, 1.5]);
    expect(combined(PCGRAD, pair)).toEqual([0.5, 1.5]);
  });

  test("by hand: of three, each is projected in turn, starting with the next one", () => {
    // g₁ = (2, 0), g₂ = (−1, 1), g₃ = (0, −1).
    // g₁: ⟨g₁, g₂⟩ = −2 → g₁ + g₂ = (1, 1); ⟨(1, 1), g₃⟩ = −1 → + g₃ = (1, 0).
    // g₂: ⟨g₂, g₃⟩ = −1 → g₂ + g₃ = (−1, 0); ⟨(−1, 0), g₁⟩ = −2 → + ½·g₁ = (0, 0).
    // g₃: ⟨g₃, g₁⟩ = 0; ⟨g₃, g₂⟩ = −1 → g₃ + ½·g₂ = (−½, −½).
    const three = [
      [2, 0],
      [-1, 1],
      [0, -1],
    ];
    expect(weightsOf(PCGRAD, three)).toEqual([1.5, 2.5, 3]);
    expect(combined(PCGRAD, three)).toEqual([0.5, -0.5]);
  });

  test("gradients that do not conflict are summed as they are", () => {
    const agreeing = fc.array(fc.tuple(fc.double({ min: 0, max: 3, noNaN: true }), fc.constant(1)), { minLength: 1 });
    fc.assert(
      fc.property(agreeing, (all) => {
        expect(weightsOf(PCGRAD, all)).toEqual(all.map(() => 1));
      }),
    );
  });

  test("a step for two tasks is against neither of them (1e-9)", () => {
    const pairs = gradients.map((all) => all.slice(0, 2));
    fc.assert(
      fc.property(pairs, (pair) => {
        for (const gradient of pair) expect(dot(combined(PCGRAD, pair), gradient)).toBeGreaterThan(-1e-9);
      }),
    );
  });
});

describe("cagrad", () => {
  test("equal gradients g give T·g·(1 + c)/(1 + c²); radius 0 gives the plain sum (1e-6)", () => {
    const equal = [
      [1, 2],
      [1, 2],
      [1, 2],
    ];
    for (const [c, factor] of [
      [0, 3],
      [0.4, (3 * 1.4) / 1.16],
    ] as const) {
      combined(cagrad(c), equal).forEach((value, i) => {
        expect(Math.abs(value - factor * (i + 1))).toBeLessThan(1e-9);
      });
    }
    fc.assert(
      fc.property(gradients, (all) => {
        combined(cagrad(0), all).forEach((value, i) => {
          const sum = all.reduce((total, g) => total + (g[i] ?? 0), 0);
          expect(Math.abs(value - sum)).toBeLessThan(1e-6);
        });
      }),
    );
  });

  test("the direction is within c·‖g₀‖ of the mean, and its worst task is no worse off than with the mean (1e-6)", () => {
    fc.assert(
      fc.property(gradients, fc.double({ min: 0, max: 0.9, noNaN: true }), (all, c) => {
        const mean = (all[0] ?? []).map((_, i) => all.reduce((sum, g) => sum + (g[i] ?? 0), 0) / all.length);
        fc.pre(dot(mean, mean) > 1e-3);
        const direction = combined(cagrad(c), all).map((value) => (value / all.length) * (1 + c * c));
        const off = direction.map((value, i) => value - (mean[i] ?? 0));
        expect(Math.sqrt(dot(off, off))).toBeLessThan(c * Math.sqrt(dot(mean, mean)) + 1e-6);
        const worst = (d: Vector) => Math.min(...all.map((g) => dot(g, d)));
        expect(worst(direction)).toBeGreaterThan(worst(mean) - 1e-6);
      }),
    );
  });
});

test.each([PCGRAD, cagrad(0.4)])(
  "%o: losses a thousand times larger give a step a thousand times longer (1e-6)",
  (surgery) => {
    fc.assert(
      fc.property(gradients, (all) => {
        const step = combined(surgery, all);
        const scaled = combined(
          surgery,
          all.map((g) => g.map((value) => 1000 * value)),
        );
        step.forEach((value, i) => {
          expect(Math.abs((scaled[i] ?? 0) / 1000 - value)).toBeLessThan(1e-6);
        });
      }),
    );
  },
);
