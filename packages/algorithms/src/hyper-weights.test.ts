import { expect, test } from "vitest";
import { clamped, initialHyperWeight, maskedGradient, stepHyperWeight } from "./hyper-weights.js";

const OPTIMIZER = { learningRate: 0.5, momentum: 0.5, weightDecay: 0.25 };

test("two steps by hand: weight decay in the gradient, then momentum, then the step", () => {
  const first = stepHyperWeight(initialHyperWeight(0.4), 0.3, OPTIMIZER, false);
  // v = 0.3 + 0.25·0.4 = 0.4; value = 0.4 − 0.5·0.4 = 0.2
  expect(first.velocity).toBeCloseTo(0.4, 15);
  expect(first.value).toBeCloseTo(0.2, 15);
  const second = stepHyperWeight(first, -0.45, OPTIMIZER, false);
  // v = 0.5·0.4 − 0.45 + 0.25·0.2 = −0.2; value = 0.2 + 0.1 = 0.3
  expect(second.velocity).toBeCloseTo(-0.2, 15);
  expect(second.value).toBeCloseTo(0.3, 15);
});

test("the gradient is the negated alignment within [0, 1], both ends included, and 0 outside", () => {
  const gradients = [-0.01, 0, 0.5, 1, 1.01].map((value) => maskedGradient({ value, velocity: 0 }, 3));
  expect(gradients).toEqual([0, -3, -3, -3, 0]);
});

test("an update along the direction raises the hyper-weight, one against it lowers it", () => {
  const start = initialHyperWeight(0.5);
  const stepFor = (alignment: number): number =>
    stepHyperWeight(start, maskedGradient(start, alignment), { ...OPTIMIZER, weightDecay: 0 }, false).value;
  expect(stepFor(0.1)).toBeGreaterThan(0.5);
  expect(stepFor(-0.1)).toBeLessThan(0.5);
});

test("without projection a value may leave [0, 1], with it it may not", () => {
  expect(stepHyperWeight(initialHyperWeight(0.1), 10, OPTIMIZER, false).value).toBeLessThan(0);
  expect(stepHyperWeight(initialHyperWeight(0.1), 10, OPTIMIZER, true).value).toBe(0);
  expect(stepHyperWeight(initialHyperWeight(0.1), -10, OPTIMIZER, true).value).toBe(1);
});

test("clamps when used", () => {
  expect([-1, 0.3, 2].map((value) => clamped({ value, velocity: 0 }))).toEqual([0, 0.3, 1]);
});
