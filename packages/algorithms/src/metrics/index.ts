export { areaUnderCurve, auroc } from "./auroc.js";
export { accuracy, macroF1 } from "./classification.js";
export type { CountedLabel } from "./confusion.js";
export { type ConstantOptions, constantOutput, constantScore } from "./constant-score.js";
export {
  meanAbsoluteError,
  meanAngularError,
  phm08Score,
  rootMeanSquaredError,
  type ScalarLabel,
} from "./continuous.js";
export { f1Ods } from "./f1-ods.js";
export { meanIou } from "./mean-iou.js";
export {
  type LabelArray,
  type Metric,
  type MetricLabel,
  type MetricStat,
  mergeStats,
  type ScoredBatch,
} from "./metric.js";
export { isBetter, metricFor } from "./metric-for.js";
export { type MetricName, metricNamed, metricNames } from "./metric-named.js";
export { clientGainPercent, meanGainPercent, relativeGainPercent } from "./relative-gain.js";
export { interval95, mean, sampleStd, studentQuantile975 } from "./statistics.js";
