import { expect, test } from "vitest";
import { learningRateAt } from "./schedule.js";

test("grows linearly to the peak during the warm-up", () => {
  const rates = [0, 1, 2, 3].map((step) => learningRateAt(step, { peak: 0.4, totalSteps: 100, warmupSteps: 4 }));
  rates.forEach((rate, i) => {
    expect(rate).toBeCloseTo(0.1 * (i + 1), 12);
  });
});

test("falls along half a cosine from the peak to the floor", () => {
  const options = { peak: 1, totalSteps: 110, warmupSteps: 10, floor: 0.1 };
  expect(learningRateAt(10, options)).toBe(1);
  expect(learningRateAt(60, options)).toBeCloseTo(0.55, 12);
  expect(learningRateAt(110, options)).toBeCloseTo(0.1, 12);
  expect(learningRateAt(500, options)).toBeCloseTo(0.1, 12);
});

test("stays at the peak when the decay is constant", () => {
  expect(learningRateAt(99, { peak: 0.3, totalSteps: 100, decay: "constant" })).toBe(0.3);
});

test.each([{ peak: -1 }, { floor: -1 }, { totalSteps: 0 }, { warmupSteps: -1 }, { decay: "linear" as "cosine" }])(
  "INVALID_CONFIG for %o",
  (broken) => {
    expect(() => learningRateAt(0, { peak: 1, totalSteps: 10, ...broken })).toThrow(
      expect.objectContaining({ code: "INVALID_CONFIG" }),
    );
  },
);
