import fc from "fast-check";
import { expect, test } from "vitest";
import {
  constantScore,
  type MetricLabel,
  type MetricStat,
  mergeStats,
  metricFor,
  relativeGainPercent,
} from "./index.js";
import type { LabelArray } from "./metric.js";

const PIXELS = 6;

interface Sample {
  readonly label: MetricLabel;
  readonly output: Float32Array;
  readonly labels: LabelArray;
  readonly examples: number;
}

const value = fc.double({ min: -20, max: 20, noNaN: true });

/** 1 to 5 examples of six pixels with any outputs and well-formed labels. */
function samplesOf(label: MetricLabel): fc.Arbitrary<Sample> {
  const planes = label.kind === "unitVector" ? 3 : 1;
  const labelValue =
    label.kind === "classes" ? fc.nat(label.classCount - 1) : label.kind === "mask" ? fc.nat(1) : value;
  return fc.integer({ min: 1, max: 5 }).chain((examples) => {
    const pixels = examples * PIXELS;
    const list = (item: fc.Arbitrary<number>, length: number) =>
      fc.array(item, { minLength: length, maxLength: length });
    return fc
      .tuple(list(value, pixels * metricFor(label).outputPlanes), list(labelValue, pixels * planes))
      .map(([output, labels]) => ({
        label,
        output: Float32Array.from(output),
        labels: label.kind === "classes" || label.kind === "mask" ? Uint8Array.from(labels) : Float32Array.from(labels),
        examples,
      }));
  });
}

const LABELS: readonly MetricLabel[] = [
  { kind: "classes", classCount: 4 },
  { kind: "mask" },
  { kind: "unitVector" },
  { kind: "scalar" },
];

/** The statistic of the given examples of a sample, each updated on its own. */
function statOf(sample: Sample, examples: readonly number[]): MetricStat {
  const metric = metricFor(sample.label);
  const stat = metric.empty();
  const outputStride = sample.output.length / sample.examples;
  const labelStride = sample.labels.length / sample.examples;
  for (const k of examples) {
    metric.updateInto(stat, {
      output: sample.output.subarray(k * outputStride, (k + 1) * outputStride),
      labels: sample.labels.subarray(k * labelStride, (k + 1) * labelStride),
      pixels: PIXELS,
    });
  }
  return stat;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, k) => k);

for (const label of LABELS) {
  test(`${label.kind}: merged parts score as the whole, in any order, within 1e-9`, () => {
    fc.assert(
      fc.property(samplesOf(label), fc.nat(5), (sample, cut) => {
        const metric = metricFor(label);
        const whole = metric.empty();
        metric.updateInto(whole, { output: sample.output, labels: sample.labels, pixels: PIXELS });
        const examples = range(sample.examples);
        const head = statOf(sample, examples.slice(0, cut).reverse());
        const tail = statOf(sample, examples.slice(cut));
        expect(metric.result(mergeStats(tail, head))).toBeCloseTo(metric.result(whole), 9);
      }),
    );
  });

  test(`${label.kind}: the score stays within its bounds`, () => {
    const highest = { classes: 100, mask: 100, unitVector: 180, scalar: Number.MAX_VALUE }[label.kind];
    fc.assert(
      fc.property(samplesOf(label), (sample) => {
        const score = metricFor(label).result(statOf(sample, range(sample.examples)));
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(highest);
      }),
    );
  });

  test(`${label.kind}: pixels may change places`, () => {
    fc.assert(
      fc.property(samplesOf(label), (sample) => {
        const metric = metricFor(label);
        const mirrored = metric.empty();
        // Whole planes mirrored: [examples, planes, pixels] with the pixels of every plane in reverse.
        const mirror = (index: number): number => index - (index % PIXELS) + (PIXELS - 1 - (index % PIXELS));
        metric.updateInto(mirrored, {
          output: sample.output.map((_, i) => sample.output[mirror(i)] as number),
          labels: sample.labels.map((_, i) => sample.labels[mirror(i)] as number),
          pixels: PIXELS,
        });
        expect(metric.result(mirrored)).toBeCloseTo(metric.result(statOf(sample, range(sample.examples))), 9);
      }),
    );
  });
}

test("the constant of the scored labels themselves is not beaten by any other constant, within 1e-3", () => {
  // For vectors the mean direction is only near the best, so they are left out.
  for (const label of LABELS.filter((candidate) => candidate.kind !== "unitVector")) {
    fc.assert(
      fc.property(samplesOf(label), fc.array(value, { minLength: 4, maxLength: 4 }), (sample, other) => {
        const metric = metricFor(label);
        const best = constantScore(label, sample.labels, sample.labels, PIXELS);
        const stat = metric.empty();
        const output = sample.output.map((_, i) => other[Math.floor(i / PIXELS) % metric.outputPlanes] as number);
        metric.updateInto(stat, { output, labels: sample.labels, pixels: PIXELS });
        const rival = metric.result(stat);
        expect(metric.higherIsBetter ? best - rival : rival - best).toBeGreaterThanOrEqual(-1e-3);
      }),
    );
  }
});

test("relative gain changes its sign with the metric's direction and does not depend on the unit", () => {
  const positive = fc.double({ min: 0.01, max: 1000, noNaN: true });
  fc.assert(
    fc.property(positive, positive, positive, (baseline, score, unit) => {
      const up = relativeGainPercent(baseline, score, true);
      const down = relativeGainPercent(baseline, score, false);
      expect(up).not.toBeNull();
      expect((up ?? 0) + (down ?? 0)).toBe(0);
      const scaled = relativeGainPercent(baseline * unit, score * unit, true);
      expect(Math.abs((scaled ?? 0) - (up ?? 0))).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(up ?? 0)));
    }),
  );
});
