export {
  type Allocator,
  BLOCK,
  type BlockRule,
  type KernelBackend,
  type KernelBlock,
  type Kernels,
  mixScratchBytes,
  type Operand,
  packedLength,
  ruleOf,
  scratchBytes,
  type TrimmedMean,
  unpackGram,
  type WeightedSums,
} from "./backend.js";
export type {
  ByteCopy,
  Measured,
  MeasureOutcome,
  MeasurePlan,
  MeasureSegment,
  MixBlock,
  MixOutcome,
  MixPlan,
  MixSegment,
  NonFinite,
  Row,
} from "./passes/plan.js";
export { crossStart, type Listed, listed } from "./passes/plan.js";
export { measureHere, mixHere, readRange } from "./passes/run.js";
export { openThreads, type PassThreads, ThreadFailed, type ThreadsOptions } from "./passes/threads.js";
export { type FileBytes, TransferFailed } from "./passes/transfer.js";
export {
  type FilePiece,
  type MemoryPiece,
  type Piece,
  type Range,
  sliceOf,
  type Vector,
  vectorFrom,
  vectorOf,
} from "./passes/vector.js";
export { referenceBackend } from "./reference/kernels.js";
export { backendNamed, selectBackend } from "./select.js";
export { openSharedHeap, type SharedHeap } from "./shared-heap.js";
export { simdBackend, supportsSimd } from "./simd/kernels.js";
export {
  addSketchInto,
  DEFAULT_SKETCH_SIZE,
  planSketch,
  type SketchPlan,
  type SketchSpec,
  sketchOf,
} from "./sketch.js";
export { shrinkSketchGram } from "./sketch-gram.js";
