/** Compiled graphs with the arrays that they read and write. */
import { KumiaiError } from "@kumiai/params";
import { emitOnnx } from "../graph/emit.js";
import { sizeOf } from "../graph/tensor.js";
import type { InputSpec, Model, SessionOptions } from "../types.js";
import { createFeed, type Feed } from "./feed.js";
import { bind, compile, type InferenceSession, type Tensor } from "./runtime.js";
import { buildStepGraph, buildUpdateGraph } from "./step-graph.js";

export interface BoundArray {
  /** As the graph calls it. */
  readonly graphName: string;
  readonly array: Float32Array;
  readonly tensor: Tensor;
}

/** One training step. */
export interface StepProgram {
  readonly session: InferenceSession;
  readonly feeds: readonly Feed[];
  /** Inputs to be filled with fresh uniform numbers. */
  readonly noises: readonly BoundArray[];
}

/** The second half of a step, for a gradient that the host writes into `gradient`. */
export interface UpdateProgram {
  readonly session: InferenceSession;
  readonly gradient: BoundArray;
  readonly norm: BoundArray;
}

/** Evaluation of one batch. */
export interface PredictProgram {
  readonly session: InferenceSession;
  readonly feeds: readonly Feed[];
  readonly outputs: readonly (BoundArray & { readonly name: string })[];
}

export async function openStepProgram(model: Model, options: SessionOptions, proximal: boolean): Promise<StepProgram> {
  const { batchSize, optimizer, clipNorm, threadCount = 1 } = options;
  if (model.tasks.length === 0) {
    throw new KumiaiError(
      "MODEL_INVALID",
      "the model has no task, so there is no loss to train on; declare one with task()",
    );
  }
  const clip = clipNorm === undefined ? {} : { clipNorm };
  const { bytes, trace } = buildStepGraph(model, { batchSize, optimizer, proximal, ...clip });
  const session = await compile(bytes, { threadCount });
  return {
    session,
    feeds: feedsOf(session, trace.inputs, batchSize),
    noises: trace.noiseSizes.map((size, i) => boundArray(`noise.${i}`, [size])),
  };
}

export async function openUpdateProgram(
  { layout }: Model,
  { optimizer, clipNorm, threadCount = 1 }: SessionOptions,
  proximal: boolean,
): Promise<UpdateProgram> {
  const bytes = buildUpdateGraph(layout, { optimizer, proximal, ...(clipNorm === undefined ? {} : { clipNorm }) });
  const session = await compile(bytes, { threadCount });
  return { session, gradient: boundArray("gradient", [layout.size]), norm: boundArray("norm", [1]) };
}

export async function openPredictProgram(model: Model, options: SessionOptions): Promise<PredictProgram> {
  const { batchSize, threadCount = 1 } = options;
  const trace = model.trace({ batchSize, mode: "eval" });
  // An output may be called like an input; in the graph it may not.
  const outputs = [...trace.outputs].map(([name, tensor]) => ({ name, graphName: `output.${name}`, tensor }));
  const bytes = emitOnnx(
    "predict",
    outputs.map(({ graphName, tensor }) => ({ name: graphName, tensor })),
  );
  const session = await compile(bytes, { threadCount });
  return {
    session,
    feeds: feedsOf(session, trace.inputs, batchSize),
    outputs: outputs.map(({ name, graphName, tensor }) => ({ name, ...boundArray(graphName, tensor.shape) })),
  };
}

/** The inputs that the compiled graph has: what nothing depends on is not in it. */
export function feedsOf(session: InferenceSession, inputs: readonly InputSpec[], batchSize: number): readonly Feed[] {
  const used = new Set(session.inputNames);
  return inputs.filter(({ name }) => used.has(name)).map((spec) => createFeed(spec, batchSize));
}

export function boundArray(graphName: string, shape: readonly number[]): BoundArray {
  const array = new Float32Array(sizeOf(shape));
  return { graphName, array, tensor: bind(array, shape) };
}
