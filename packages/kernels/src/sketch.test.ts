import { expect, test } from "vitest";
import { addSketchInto, DEFAULT_SKETCH_SIZE, planSketch, sketchOf } from "./sketch.js";

const LONGEST = 2 ** 40;

/** [bucket, sign] of one element, as a sketch with nothing else in it shows them. */
function placeOf(seed: number, index: number): readonly number[] {
  const plan = planSketch(LONGEST, { seed });
  const sums = new Float64Array(plan.size);
  addSketchInto(sums, plan, Float32Array.of(1), index);
  const bucket = sums.findIndex((value) => value !== 0);
  return [bucket, sums[bucket]];
}

function sketchWith(values: Float32Array, size: number, seed: number, firstIndex = 0): Float64Array {
  const sums = new Float64Array(size);
  addSketchInto(sums, planSketch(LONGEST, { size, seed }), values, firstIndex);
  return sums;
}

// Golden values from a second program, in NumPy: the one that docs/explanation-sketches.md prints.
test.each([
  [0, 0, [140, -1, 644, -1, 561, 1, 3345, 1]],
  [0, 2 ** 32 - 2, [2067, -1, 3504, -1, 2413, 1, 1186, -1]],
  [0, 2 ** 40 - 5, [1504, 1, 2723, 1, 3989, -1, 2538, 1]],
  [1, 0, [3827, 1, 132, 1, 2671, 1, 3343, -1]],
  [1, 2 ** 32 - 2, [1240, -1, 3301, -1, 3570, 1, 1850, 1]],
  [-1, 0, [3055, 1, 1656, -1, 3030, 1, 2579, 1]],
  [2 ** 40 + 3, 0, [2302, -1, 1039, 1, 1385, -1, 1490, -1]],
  [2 ** 40 + 3, 2 ** 40 - 5, [3375, -1, 402, -1, 3655, 1, 3441, -1]],
  [-(2 ** 52), 2 ** 32 - 2, [3627, -1, 680, 1, 1065, 1, 3799, -1]],
])("seed %d, elements from %d: buckets and signs are the golden ones", (seed, first, golden) => {
  expect([0, 1, 2, 3].flatMap((i) => placeOf(seed, first + i))).toEqual(golden);
});

test("whole sketches are the golden ones, for sizes that are powers of two and others", () => {
  const upTo20 = Float32Array.from({ length: 20 }, (_, i) => i + 1);
  expect([...sketchOf(upTo20, { size: 8, seed: 7 })]).toEqual([-10, 16, -4, 37, -15, 28, -12, 4]);
  expect([...sketchOf(upTo20, { size: 5, seed: 7 })]).toEqual([10, -8, 22, 28, -8]);

  const long = Float32Array.from({ length: 100_000 }, (_, i) => (i % 7) - 3);
  const sketch = sketchOf(long, { seed: 12345 });
  expect(sketch).toHaveLength(DEFAULT_SKETCH_SIZE);
  expect(sketch.reduce((sum, value) => sum + Math.abs(value), 0)).toBe(31735);
  expect(sketch.reduce((sum, value, i) => sum + value * i, 0)).toBe(1303784);
});

test("an index beyond 2³² is hashed with its high bits: pieces that cross the border equal single elements", () => {
  const values = Float32Array.of(1, 2, 4, 8, 16, 32);
  const across = sketchWith(values, 64, 5, 2 ** 32 - 3);
  const oneByOne = new Float64Array(64);
  values.forEach((value, i) => {
    addSketchInto(oneByOne, planSketch(LONGEST, { size: 64, seed: 5 }), Float32Array.of(value), 2 ** 32 - 3 + i);
  });
  expect(across).toEqual(oneByOne);
  expect(across).not.toEqual(sketchWith(values, 64, 5, 2 ** 33 - 3));
});

test("a vector no longer than the sketch is its own sketch, and the plan says so", () => {
  const values = Float32Array.of(3, -1, 0.5);
  for (const size of [3, 4, 4096]) {
    expect(planSketch(3, { size, seed: 1 })).toEqual({ length: 3, size: 3, seed: 1, isExact: true });
    expect(sketchOf(values, { size, seed: 1 })).toEqual(values);
  }
  expect(planSketch(3, { size: 2, seed: 1 })).toEqual({ length: 3, size: 2, seed: 1, isExact: false });
  expect(sketchOf(new Float32Array(), { seed: 1 })).toHaveLength(0);

  const plan = planSketch(3, { seed: 1 });
  const sums = new Float64Array(plan.size);
  addSketchInto(sums, plan, values.subarray(1), 1);
  addSketchInto(sums, plan, values.subarray(0, 1), 0);
  expect([...sums]).toEqual([...values]);
});

test("a sketch of one number is the signed sum", () => {
  const sum = sketchOf(new Float32Array(1000).fill(1), { size: 1, seed: 3 })[0];
  expect(Math.abs(sum)).toBeLessThan(5 * Math.sqrt(1000));
  expect(Math.abs(sum) % 2).toBe(0);
});

test("sums are in f64: small elements are not lost beside large ones", () => {
  const values = new Float32Array(200);
  values
    .fill(1)
    .fill(2 ** 25, 0, 1)
    .fill(-(2 ** 25), 1, 2);
  const sums = sketchWith(values, 1, 9);
  const places = Array.from({ length: 200 }, (_, i) => sketchWith(Float32Array.of(1), 1, 9, i)[0]);
  expect(sums[0]).toBe(places.reduce((sum, sign, i) => sum + sign * values[i], 0));
});

test("numbers out of range are a RangeError that says what was expected", () => {
  const plan = planSketch(10, { size: 4, seed: 1 });
  const calls: readonly (() => unknown)[] = [
    () => planSketch(-1, { seed: 1 }),
    () => planSketch(2 ** 40 + 1, { seed: 1 }),
    () => planSketch(10, { size: 0, seed: 1 }),
    () => planSketch(10, { size: 2 ** 21, seed: 1 }),
    () => planSketch(10, { seed: 0.5 }),
    () => planSketch(10, { seed: Number.NaN }),
    () => addSketchInto(new Float64Array(5), plan, new Float32Array(1), 0),
    () => addSketchInto(new Float64Array(4), plan, new Float32Array(3), 8),
    () => addSketchInto(new Float64Array(4), plan, new Float32Array(11), 0),
    () => addSketchInto(new Float64Array(4), plan, new Float32Array(1), -1),
  ];
  for (const call of calls) {
    expect(call).toThrow(RangeError);
    expect(call).toThrow(/: expected .*, received /);
  }
});
