import { meanAngularError, rootMeanSquaredError } from "./continuous.js";
import { f1Ods } from "./f1-ods.js";
import { meanIou } from "./mean-iou.js";
import type { Metric, MetricLabel } from "./metric.js";

/** The metric that goes with a kind of labels. */
export function metricFor(label: MetricLabel): Metric {
  switch (label.kind) {
    case "classes":
      return meanIou(label.classCount);
    case "mask":
      return f1Ods();
    case "unitVector":
      return meanAngularError();
    case "scalar":
      return rootMeanSquaredError();
  }
}

/** Is `value` better than `other`? Equal is not better, and neither is NaN. */
export function isBetter(metric: Pick<Metric, "higherIsBetter">, value: number, other: number): boolean {
  return metric.higherIsBetter ? value > other : value < other;
}
