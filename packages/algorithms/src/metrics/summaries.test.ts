import { expect, test } from "vitest";
import {
  clientGainPercent,
  constantOutput,
  constantScore,
  interval95,
  isBetter,
  meanGainPercent,
  relativeGainPercent,
  sampleStd,
  studentQuantile975,
} from "./index.js";

test("relative gain is in percent of the baseline and positive where better", () => {
  expect(relativeGainPercent(40, 50, true)).toBe(25);
  expect(relativeGainPercent(10, 8, false)).toBe(20);
  expect(relativeGainPercent(10, 10, false)).toBe(0);
  expect(relativeGainPercent(-2, -1, true)).toBe(50);
});

test("a gain that cannot be said is null, and so is every mean above it", () => {
  expect(relativeGainPercent(0, 1, true)).toBeNull();
  expect(relativeGainPercent(Number.NaN, 1, true)).toBeNull();
  expect(relativeGainPercent(1, Number.NaN, true)).toBeNull();
  expect(clientGainPercent([1, null])).toBeNull();
  expect(clientGainPercent([])).toBeNull();
  expect(meanGainPercent([[1], [2, null]])).toBeNull();
});

test("the mean gain weighs clients equally, however many tasks they have", () => {
  expect(meanGainPercent([[6], [0, 2, 4, 2]])).toBe(4);
});

test("sample deviation and 95 % interval equal the hand result of 2, 4, 6", () => {
  expect(sampleStd([2, 4, 6])).toBe(2);
  const [low, high] = interval95([2, 4, 6]) ?? [0, 0];
  expect(low).toBeCloseTo(4 - (4.30265 * 2) / Math.sqrt(3), 9);
  expect(high).toBeCloseTo(4 + (4.30265 * 2) / Math.sqrt(3), 9);
});

test("spread needs two values", () => {
  expect(sampleStd([3])).toBeNull();
  expect(interval95([3])).toBeNull();
});

test("Student's quantiles beyond the table agree with scipy.stats.t.ppf within 1e-5", () => {
  expect(Math.abs(studentQuantile975(31) - 2.0395134464)).toBeLessThan(1e-5);
  expect(Math.abs(studentQuantile975(100) - 1.9839715185)).toBeLessThan(1e-5);
  expect(Math.abs(studentQuantile975(1000) - 1.9623390808)).toBeLessThan(1e-5);
});

test("a constant is fitted on training labels and scored on test labels", () => {
  // Training says class 1; a quarter of the test pixels is class 1, and both classes are there: (0.25 + 0) / 2.
  const classes = { kind: "classes", classCount: 2 } as const;
  expect(constantScore(classes, Uint8Array.of(1, 1, 1, 0), Uint8Array.of(1, 0, 0, 0), 4)).toBe(12.5);
  expect(constantScore({ kind: "mask" }, Uint8Array.of(0, 0), Uint8Array.of(1, 0, 0, 0), 2)).toBeCloseTo(40, 10);
  expect(constantScore({ kind: "scalar" }, Float32Array.of(0, 2), Float32Array.of(1, 3), 2)).toBeCloseTo(Math.SQRT2, 6);
});

test("the constant vector is the normalized mean, and its error is the mean angle to it", () => {
  const s = Math.SQRT1_2;
  // Two pixels: one leans 45° to +x, one 45° to −x.
  const labels = Float32Array.of(s, -s, 0, 0, s, s);
  expect(Array.from(constantOutput({ kind: "unitVector" }, labels, 2), (v) => Math.round(v * 1e6) / 1e6)).toEqual([
    0, 0, 1,
  ]);
  expect(constantScore({ kind: "unitVector" }, labels, labels, 2)).toBeCloseTo(45, 4);
});

test("equal is not better, and neither is NaN", () => {
  expect(isBetter({ higherIsBetter: true }, 2, 1)).toBe(true);
  expect(isBetter({ higherIsBetter: false }, 2, 1)).toBe(false);
  expect(isBetter({ higherIsBetter: false }, 1, 1)).toBe(false);
  expect(isBetter({ higherIsBetter: true }, Number.NaN, 1)).toBe(false);
});
