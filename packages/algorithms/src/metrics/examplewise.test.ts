/** Metrics of one label per example: factory tasks. */
import { KumiaiError } from "@kumiai/params";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  areaUnderCurve,
  constantOutput,
  constantScore,
  type MetricLabel,
  type MetricName,
  mergeStats,
  metricFor,
  metricNamed,
  metricNames,
} from "./index.js";
import type { LabelArray } from "./metric.js";

const BINARY = { kind: "mask" } as const;
const PAIR = { kind: "classes", classCount: 2 } as const;
const THREE = { kind: "classes", classCount: 3 } as const;
const SCALAR = { kind: "scalar" } as const;

/** Examples of one pixel each: rows of output values, one label each. */
function score(
  name: string,
  label: MetricLabel,
  rows: readonly (readonly number[])[],
  labels: LabelArray,
  mask?: Uint8Array,
): number {
  const metric = metricNamed(name, label);
  const stat = metric.empty();
  const output = Float32Array.from(rows.flat());
  metric.updateInto(stat, { output, labels, pixels: 1, ...(mask === undefined ? {} : { mask }) });
  return metric.result(stat);
}

const oneHot = (classes: readonly number[]) => classes.map((c) => [0, 1, 2].map((k) => (k === c ? 3 : -1)));
const column = (values: readonly number[]) => values.map((value) => [value]);

describe("classes", () => {
  // Truth 0 0 0 0 1 1, predicted 0 0 0 1 1 2: F1 of 0 is 6/7, of 1 2/4, of 2 (predicted, never true) 0.
  const truth = Uint8Array.of(0, 0, 0, 0, 1, 1);
  const predicted = oneHot([0, 0, 0, 1, 1, 2]);

  test("macro-F1 is the mean of F1 over the classes that occur, whatever their size", () => {
    expect(score("macro-f1", THREE, predicted, truth)).toBeCloseTo((100 * (6 / 7 + 2 / 4 + 0)) / 3, 10);
    expect(score("macro-f1", THREE, oneHot([0, 0, 0, 1, 1, 1]), truth)).toBeCloseTo((100 * (6 / 7 + 4 / 5)) / 2, 10);
  });

  test("accuracy is the share of right predictions", () => {
    expect(score("accuracy", THREE, predicted, truth)).toBeCloseTo((100 * 4) / 6, 10);
  });

  test("of a mask, a logit above 0 says yes", () => {
    // Truth 1 0 0 1, said 1 0 1 0: F1 1/2 for both sides.
    const rows = column([0.1, -3, 2, 0]);
    expect(score("accuracy", BINARY, rows, Uint8Array.of(1, 0, 0, 1))).toBe(50);
    expect(score("macro-f1", BINARY, rows, Uint8Array.of(1, 0, 0, 1))).toBe(50);
  });
});

describe("AUROC", () => {
  test("is the share of pairs in the right order, ties counting half", () => {
    // Positives 3, 1, 1; negatives 0, 1: right pairs 2 + 1½ + 1½ of 6.
    const rows = column([3, 1, 1, 0, 1]);
    expect(score("auroc", BINARY, rows, Uint8Array.of(1, 1, 1, 0, 0))).toBeCloseTo((100 * 5) / 6, 10);
  });

  test("of two classes ranks by the difference of their logits", () => {
    const rows = [
      [5, 6],
      [0, 0.5],
      [1, -1],
    ];
    expect(score("auroc", PAIR, rows, Uint8Array.of(1, 0, 0))).toBe(100);
    expect(score("auroc", PAIR, rows, Uint8Array.of(0, 1, 0))).toBe(50);
  });

  test("is NaN where one of the two classes does not occur, and 50 for any constant", () => {
    expect(score("auroc", BINARY, column([1, 2]), Uint8Array.of(1, 1))).toBeNaN();
    expect(score("auroc", BINARY, column([7, 7, 7]), Uint8Array.of(1, 0, 0))).toBe(50);
  });

  test("equals the count over all pairs", () => {
    const scores = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(scores, scores, (negatives, positives) => {
        const pairs = positives.flatMap((p) => negatives.map((n) => (p > n ? 1 : p === n ? 0.5 : 0)));
        const expected = pairs.reduce((sum: number, pair) => sum + pair, 0) / pairs.length;
        expect(areaUnderCurve(negatives, positives)).toBeCloseTo(expected, 12);
      }),
    );
  });

  test("refuses more than two classes and labels other than 0 and 1", () => {
    expect(() => metricNamed("auroc", THREE)).toThrow(/metric auroc: expected labels of two classes, received 3/);
    expect(() => score("auroc", BINARY, column([1]), Uint8Array.of(2))).toThrow(KumiaiError);
  });
});

describe("values, in real units", () => {
  const cycles = { kind: "scalar", scale: 50, unit: "cycles" } as const;
  // Errors of −0.2, 0 and 0.4, in cycles −10, 0 and 20.
  const rows = column([0.25, 1, 1.5]);
  const truth = Float32Array.of(0.45, 1, 1.1);

  test("MAE and RMSE are multiplied by the scale and carry the unit, within 1e-5", () => {
    expect(score("mae", cycles, rows, truth)).toBeCloseTo(10, 5);
    expect(score("rmse", cycles, rows, truth)).toBeCloseTo(Math.sqrt(500 / 3), 5);
    expect(["mae", "rmse", "phm08"].map((name) => metricNamed(name, cycles).unit)).toEqual(["cycles", "cycles", ""]);
  });

  test("PHM08 punishes too late more than too early; the sum as published, or its mean per engine, within 1e-5", () => {
    const expected = Math.exp(10 / 13) - 1 + 0 + (Math.exp(20 / 10) - 1);
    expect(score("phm08", cycles, rows, truth)).toBeCloseTo(expected, 5);
    expect(score("phm08-mean", cycles, rows, truth)).toBeCloseTo(expected / 3, 5);
  });

  test("a scale that is not above 0 is INVALID_CONFIG", () => {
    expect(() => metricNamed("mae", { kind: "scalar", scale: 0 })).toThrow(/metric MAE: scale: expected a number/);
  });
});

test("a metric that does not fit the labels is INVALID_CONFIG, with those that do and the nearest", () => {
  expect(() => metricNamed("macro-f2", THREE)).toThrow(
    'metric: expected one of miou, macro-f1, accuracy, auroc for labels of the kind classes, received "macro-f2"; did you mean macro-f1?',
  );
  expect(() => metricNamed("accuracy", SCALAR)).toThrow(expect.objectContaining({ code: "INVALID_CONFIG" }));
  expect(() => metricNamed("toString", SCALAR)).toThrow(expect.objectContaining({ code: "INVALID_CONFIG" }));
});

const EVERY: readonly (readonly [MetricName, MetricLabel])[] = [PAIR, THREE, BINARY, { kind: "unitVector" }, SCALAR]
  .map((label) => label as MetricLabel)
  .flatMap((label) => metricNames(label.kind).map((name) => [name, label] as const))
  .filter(([name, label]) => !(name === "auroc" && label === THREE));

test("the first name of each kind is the metric that goes with it", () => {
  for (const label of [THREE, BINARY, { kind: "unitVector" } as const, SCALAR]) {
    expect(metricNamed(metricNames(label.kind)[0] ?? "", label).name).toBe(metricFor(label).name);
  }
});

/** Within 1e-9 of the score; AUROC of one class alone is NaN on both sides. */
function expectSame(received: number, expected: number): void {
  if (Number.isNaN(expected)) expect(received).toBeNaN();
  else expect(Math.abs(received - expected)).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(expected)));
}

interface Sample {
  readonly rows: readonly (readonly number[])[];
  readonly labels: readonly (readonly number[])[];
  readonly mask: readonly number[];
}

/** 2 to 8 examples of one pixel, some without a label. */
function samples(name: MetricName, label: MetricLabel): fc.Arbitrary<Sample> {
  const value = fc.double({ min: -3, max: 3, noNaN: true }).map(Math.fround);
  const planes = metricNamed(name, label).outputPlanes;
  const one = label.kind === "classes" ? fc.nat(label.classCount - 1) : label.kind === "mask" ? fc.nat(1) : value;
  return fc.integer({ min: 2, max: 8 }).chain((count) => {
    const list = <T>(item: fc.Arbitrary<T>, length: number) => fc.array(item, { minLength: length, maxLength: length });
    const labelPlanes = label.kind === "unitVector" ? 3 : 1;
    return fc.record({
      rows: list(list(value, planes), count),
      labels: list(list(one, labelPlanes), count),
      mask: list(fc.nat(1), count).map((mask) => [1, ...mask.slice(1)]),
    });
  });
}

const packed = (label: MetricLabel, values: readonly (readonly number[])[]): LabelArray =>
  label.kind === "classes" || label.kind === "mask" ? Uint8Array.from(values.flat()) : Float32Array.from(values.flat());

test.each(EVERY)(
  "%s of %o: unlabeled examples do not count, whatever stands in their place, within 1e-9",
  (name, label) => {
    fc.assert(
      fc.property(samples(name, label), ({ rows, labels, mask }) => {
        const isIn = (_: unknown, i: number): boolean => mask[i] === 1;
        const spoilt = labels.map((row, i) => (mask[i] === 1 ? row : row.map(() => 255)));
        const masked = score(name, label, rows, packed(label, spoilt), Uint8Array.from(mask));
        const expected = score(name, label, rows.filter(isIn), packed(label, labels.filter(isIn)));
        expectSame(masked, expected);

        const [train, own] = [packed(label, spoilt), packed(label, labels.filter(isIn))];
        const masks = { trainMask: Uint8Array.from(mask), testMask: Uint8Array.from(mask) };
        const constant = constantScore(label, train, train, 1, { metric: name, ...masks });
        expectSame(constant, constantScore(label, own, own, 1, { metric: name }));
      }),
      { numRuns: 30 },
    );
  },
);

test.each(EVERY)("%s of %o: batches score as the whole, merged in any order, within 1e-9", (name, label) => {
  fc.assert(
    fc.property(samples(name, label), fc.nat(8), ({ rows, labels }, cut) => {
      const metric = metricNamed(name, label);
      const parts = [
        [cut, rows.length],
        [0, Math.min(cut, rows.length)],
      ].map(([from, to]) => {
        const stat = metric.empty();
        const output = Float32Array.from(rows.slice(from, to).flat());
        metric.updateInto(stat, { output, labels: packed(label, labels.slice(from, to)), pixels: 1 });
        return stat;
      });
      const [tail, head] = parts;
      if (tail === undefined || head === undefined) throw new Error("two parts");
      const whole = score(name, label, rows, packed(label, labels));
      expectSame(metric.result(mergeStats(tail, head)), whole);
    }),
    { numRuns: 30 },
  );
});

test("no other constant beats the constant of the scored labels themselves, within 1e-4 of the score", () => {
  const names = EVERY.filter(([, label]) => label.kind !== "unitVector");
  for (const [name, label] of names) {
    const rival = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(samples(name, label), rival, ({ labels }, other) => {
        const metric = metricNamed(name, label);
        const own = packed(label, labels);
        const best = constantScore(label, own, own, 1, { metric: name });
        const rows = labels.map(() => other.slice(0, metric.outputPlanes));
        const rivalScore = score(name, label, rows, own);
        fc.pre(!Number.isNaN(best));
        const lead = metric.higherIsBetter ? best - rivalScore : rivalScore - best;
        expect(lead, `${name} of ${label.kind}`).toBeGreaterThanOrEqual(-1e-4 * (1 + Math.abs(best)));
      }),
      { numRuns: 60 },
    );
  }
});

test("constants of one hand sample: the median for MAE, the mean for RMSE, the least penalty for PHM08, the majority's sign", () => {
  const labels = Float32Array.of(0, 0, 3, 9, 18);
  const constant = (metric: MetricName) => constantOutput(SCALAR, labels, 1, { metric })[0];
  expect(constant("mae")).toBe(3);
  expect(constant("rmse")).toBe(6);
  // On a grid of hundredths nothing is better.
  const penalty = (c: number) =>
    labels.reduce((sum, t) => sum + (c < t ? Math.exp((t - c) / 13) : Math.exp((c - t) / 10)) - 1, 0);
  const c = constant("phm08") ?? Number.NaN;
  for (let rival = 0; rival <= 18; rival += 0.01) expect(penalty(rival)).toBeGreaterThan(penalty(c) - 1e-6);
  expect(constantOutput(BINARY, Uint8Array.of(1, 1, 0), 1, { metric: "accuracy" })).toEqual(Float32Array.of(1));
  expect(constantOutput(BINARY, Uint8Array.of(1, 0, 0), 1, { metric: "macro-f1" })).toEqual(Float32Array.of(-1));
});

test("a mask without a single training label is DATA_MALFORMED, and so is one of another length", () => {
  const fit = (trainMask: Uint8Array) => constantOutput(THREE, Uint8Array.of(1, 2), 1, { trainMask });
  expect(() => fit(new Uint8Array(2))).toThrow(/expected at least one training label, received none/);
  expect(() => fit(new Uint8Array(3))).toThrow(/expected a mask of 2 values, received 3/);
  const wrong = () => score("accuracy", THREE, oneHot([0, 1]), Uint8Array.of(1, 2), new Uint8Array(3));
  expect(wrong).toThrow(expect.objectContaining({ code: "DATA_MALFORMED" }));
});
