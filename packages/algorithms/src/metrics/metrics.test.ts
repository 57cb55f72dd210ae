import { KumiaiError } from "@kumiai/params";
import { expect, test } from "vitest";
import { f1Ods, meanAngularError, meanIou, mergeStats, metricFor, rootMeanSquaredError } from "./index.js";
import type { LabelArray, Metric } from "./metric.js";

function scoreOf(metric: Metric, output: readonly number[], labels: LabelArray, pixels: number): number {
  const stat = metric.empty();
  metric.updateInto(stat, { output: Float32Array.from(output), labels, pixels });
  return metric.result(stat);
}

/** Logits [classes, pixels] whose highest plane is the given class. */
function logitsOf(classes: readonly number[], classCount: number): number[] {
  return Array.from({ length: classCount }, (_, c) => classes.map((predicted) => (predicted === c ? 2 : -1))).flat();
}

test("mIoU of four pixels equals the hand result", () => {
  // Truth 0 0 1 1, predicted 0 1 1 1: IoU 1/2 and 2/3.
  const score = scoreOf(meanIou(2), logitsOf([0, 1, 1, 1], 2), Uint8Array.of(0, 0, 1, 1), 4);
  expect(score).toBeCloseTo((100 * (1 / 2 + 2 / 3)) / 2, 10);
});

test("mIoU leaves out classes that are neither true nor predicted, and counts a class that is only predicted as 0", () => {
  expect(scoreOf(meanIou(11), logitsOf([0, 0, 3], 11), Uint8Array.of(0, 0, 3), 3)).toBe(100);
  expect(scoreOf(meanIou(11), logitsOf([0, 0, 7], 11), Uint8Array.of(0, 0, 0), 3)).toBeCloseTo((100 * (2 / 3)) / 2, 10);
});

test("mIoU is over the data set, not a mean over images", () => {
  const metric = meanIou(2);
  const stat = metric.empty();
  // Two images of two pixels in one batch, [batch, planes, pixels].
  metric.updateInto(stat, {
    output: Float32Array.from([...logitsOf([1, 0], 2), ...logitsOf([0, 0], 2)]),
    labels: Uint8Array.of(1, 1, 0, 0),
    pixels: 2,
  });
  expect(metric.result(stat)).toBeCloseTo((100 * (1 / 2 + 2 / 3)) / 2, 10);
});

test("F1 (ODS) finds the threshold between scores that can be told apart", () => {
  expect(scoreOf(f1Ods(), [-3, -1, 0.5, 2], Uint8Array.of(0, 0, 1, 1), 4)).toBe(100);
  // Best threshold takes the upper three: precision 2/3, recall 1.
  expect(scoreOf(f1Ods(), [-3, -1, 0.5, 2], Uint8Array.of(0, 1, 0, 1), 4)).toBeCloseTo(80, 10);
});

test("F1 (ODS) of a constant score is that of calling everything positive, and 0 without positives", () => {
  expect(scoreOf(f1Ods(), [0, 0, 0, 0], Uint8Array.of(0, 0, 0, 1), 4)).toBeCloseTo(40, 10);
  expect(scoreOf(f1Ods(), [100, 100, 100, 100], Uint8Array.of(0, 0, 0, 1), 4)).toBeCloseTo(40, 10);
  expect(scoreOf(f1Ods(), [-1, 3], Uint8Array.of(0, 0), 2)).toBe(0);
});

test("mean angular error normalizes predictions, and a zero vector counts as 90 degrees", () => {
  const truth = Float32Array.of(0, 0, 0, 0, 1, 1); // two pixels, both z
  expect(scoreOf(meanAngularError(), [0, 5, 0, 0, 7, 5], truth, 2)).toBeCloseTo((0 + 45) / 2, 5);
  expect(scoreOf(meanAngularError(), [0, 0, 0, 0, 0, -1], truth, 2)).toBeCloseTo((90 + 180) / 2, 5);
});

test("mean angular error is exact for small angles within 1e-6 degrees", () => {
  const small = 1e-4;
  const score = scoreOf(meanAngularError(), [Math.sin(small), 0, Math.cos(small)], Float32Array.of(0, 0, 1), 1);
  expect(Math.abs(score - (small * 180) / Math.PI)).toBeLessThan(1e-6);
});

test("RMSE equals the hand result", () => {
  expect(scoreOf(rootMeanSquaredError(), [1, 2, 3, 4], Float32Array.of(1, 2, 3, 0), 4)).toBeCloseTo(2, 10);
});

test("a statistic of nothing has no score", () => {
  for (const metric of [meanIou(3), f1Ods(), meanAngularError(), rootMeanSquaredError()]) {
    expect(metric.result(metric.empty())).toBeNaN();
  }
});

test("metricFor gives each label kind its metric, unit and direction", () => {
  const rows = [
    metricFor({ kind: "classes", classCount: 4 }),
    metricFor({ kind: "mask" }),
    metricFor({ kind: "unitVector" }),
    metricFor({ kind: "scalar" }),
  ].map(({ name, unit, higherIsBetter, outputPlanes }) => [name, unit, higherIsBetter, outputPlanes]);
  expect(rows).toEqual([
    ["mIoU", "%", true, 4],
    ["F1 (ODS)", "%", true, 1],
    ["mean angular error", "°", false, 3],
    ["RMSE", "", false, 1],
  ]);
});

test("refuses sizes that do not fit, classes out of range, outputs that are not finite, and foreign statistics", () => {
  const code = (act: () => unknown): string => {
    try {
      act();
    } catch (error) {
      if (error instanceof KumiaiError) return error.code;
      throw error;
    }
    return "none";
  };
  expect(code(() => scoreOf(meanIou(2), [1, 2, 3], Uint8Array.of(0), 1))).toBe("DATA_MALFORMED");
  expect(code(() => scoreOf(meanIou(2), [1, 2], Uint8Array.of(2), 1))).toBe("DATA_MALFORMED");
  expect(code(() => scoreOf(meanIou(2), [1, 2], Int32Array.of(-1), 1))).toBe("DATA_MALFORMED");
  expect(code(() => scoreOf(f1Ods(), [Number.NaN], Uint8Array.of(1), 1))).toBe("NON_FINITE");
  expect(code(() => scoreOf(rootMeanSquaredError(), [Number.POSITIVE_INFINITY], Float32Array.of(1), 1))).toBe(
    "NON_FINITE",
  );
  expect(code(() => scoreOf(meanAngularError(), [1, 2, 3], Float32Array.of(1), 1))).toBe("DATA_MALFORMED");
  expect(code(() => mergeStats(f1Ods().empty(), meanIou(2).empty()))).toBe("DATA_MALFORMED");
});
