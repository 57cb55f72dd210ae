export { constantOutput, constantScore } from "./constant-score.js";
export { meanAngularError, rootMeanSquaredError } from "./continuous.js";
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
export { clientGainPercent, meanGainPercent, relativeGainPercent } from "./relative-gain.js";
export { interval95, mean, sampleStd, studentQuantile975 } from "./statistics.js";
