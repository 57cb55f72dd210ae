export {
  abs,
  add,
  attention,
  concat,
  depthToSpace,
  detach,
  div,
  exp,
  expand,
  flatten,
  gather,
  gelu,
  leakyRelu,
  log,
  matmul,
  max,
  mean,
  mul,
  neg,
  pad,
  relu,
  reshape,
  sigmoid,
  silu,
  slice,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  tanh,
  toF32,
  transpose,
} from "./graph/functions.js";
export type { DType, Tensor } from "./graph/tensor.js";
export { defineModel, ModelBuilder } from "./model/define-model.js";
export type { Initializer, WeightInit } from "./model/initializer.js";
export type { LossSpec } from "./model/losses.js";
export {
  averagePool1d,
  averagePool2d,
  globalAveragePool,
  globalMaxPool,
  maxPool1d,
  maxPool2d,
  type Pool1dOptions,
  type Pool2dOptions,
} from "./model/pool.js";
export { bilinearResize, nearestResize } from "./model/resize.js";
export { Scope } from "./model/scope.js";
export { type ClassifierNetOptions, classifierNet } from "./models/classifier-net.js";
export { type DenseNetOptions, type DenseTask, denseNet } from "./models/dense-net.js";
export type { EncoderOptions } from "./models/encoder.js";
export { type SeriesNetOptions, type SeriesTask, seriesNet } from "./models/series-net.js";
export { openTrainingSession } from "./session/open-session.js";
export { learningRateAt, type ScheduleOptions } from "./session/schedule.js";
export type * from "./types.js";
