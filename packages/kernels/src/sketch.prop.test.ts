import fc from "fast-check";
import { expect, test } from "vitest";
import { addSketchInto, planSketch, type SketchSpec, sketchOf } from "./sketch.js";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
const vector = fc.array(finite, { maxLength: 67 }).map((values) => Float32Array.from(values));
const spec: fc.Arbitrary<SketchSpec> = fc.record({ size: fc.integer({ min: 1, max: 40 }), seed: fc.maxSafeInteger() });

function sumsOf(values: Float32Array, of: SketchSpec): Float64Array {
  const plan = planSketch(values.length, of);
  const sums = new Float64Array(plan.size);
  addSketchInto(sums, plan, values, 0);
  return sums;
}

test("pieces added in order give the whole, bit for bit", () => {
  fc.assert(
    fc.property(vector, spec, fc.array(fc.nat(66), { maxLength: 5 }), (values, of, cuts) => {
      const plan = planSketch(values.length, of);
      const sums = new Float64Array(plan.size);
      const borders = [0, ...cuts.map((cut) => Math.min(cut, values.length)), values.length].sort((a, b) => a - b);
      for (let i = 1; i < borders.length; i++) {
        addSketchInto(sums, plan, values.subarray(borders[i - 1], borders[i]), borders[i - 1]);
      }
      expect(sums).toEqual(sumsOf(values, of));
    }),
  );
});

test("pieces in any other order give the whole within 1e-12 of the summed magnitudes", () => {
  fc.assert(
    fc.property(vector, spec, fc.integer({ min: 1, max: 9 }), (values, of, step) => {
      const plan = planSketch(values.length, of);
      const sums = new Float64Array(plan.size);
      const starts = Array.from({ length: Math.ceil(values.length / step) }, (_, i) => i * step).reverse();
      for (const start of starts) addSketchInto(sums, plan, values.subarray(start, start + step), start);
      const bound = 1e-12 * values.reduce((sum, value) => sum + Math.abs(value), 0);
      sumsOf(values, of).forEach((value, b) => {
        expect(Math.abs(value - sums[b])).toBeLessThanOrEqual(bound);
      });
    }),
  );
});

test("the sketch is linear: S(x + a·y) = Sx + a·Sy, exactly where the sums are exact", () => {
  const whole = fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -1000, max: 1000 }));
  fc.assert(
    fc.property(fc.array(whole, { maxLength: 67 }), fc.integer({ min: -9, max: 9 }), spec, (pairs, a, of) => {
      const x = sketchOf(
        Float32Array.from(pairs, ([value]) => value),
        of,
      );
      const y = sketchOf(
        Float32Array.from(pairs, ([, value]) => value),
        of,
      );
      const mixed = sketchOf(
        Float32Array.from(pairs, ([xi, yi]) => xi + a * yi),
        of,
      );
      mixed.forEach((value, b) => {
        expect(value).toBeCloseTo(x[b] + a * y[b], 12);
      });
    }),
  );
});

test("what is sent is the f64 sums, each rounded once to f32", () => {
  fc.assert(
    fc.property(vector, spec, (values, of) => {
      expect(sketchOf(values, of)).toEqual(Float32Array.from(sumsOf(values, of)));
    }),
  );
});

test("every element lands once: the parity of the sum is that of the number of ones, a lone element keeps its magnitude", () => {
  const length = fc.integer({ min: 41, max: 300 });
  fc.assert(
    fc.property(spec, length, fc.nat(), (of, count, place) => {
      const ones = sumsOf(new Float32Array(count).fill(1), of).reduce((sum, value) => sum + value, 0);
      expect(Math.abs(ones % 2)).toBe(count % 2);

      const lone = new Float32Array(count);
      lone[place % count] = 5;
      expect(sumsOf(lone, of).reduce((sum, value) => sum + Math.abs(value), 0)).toBe(5);
    }),
  );
});
