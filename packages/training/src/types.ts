/** The training engine as its callers see it. Parameters are flat vectors; graphs, ONNX and the runtime stay behind this. */
import type { ParamLayout, ParamVector, Rng, TaskId } from "@kumiai/params";

/** Values for one input of the graph: f32 images or features, i32 class labels or token ids, u8 masks. */
export type InputArray = Float32Array | Int32Array | Uint8Array;

/** Inputs by name; each is [batch, ...shape] flattened. Label inputs are named as the model declared them. */
export type Batch = Readonly<Record<string, InputArray>>;

/** A model: graph, layout and initial values. Built once by the DSL, immutable. */
export interface Model {
  readonly layout: ParamLayout;
  readonly tasks: readonly TaskId[];
  /** Fresh initial params (Kaiming/Xavier as each layer says); same rng, same bytes. */
  initParams(rng: Rng): ParamVector;
}

export type OptimizerSpec =
  | {
      readonly kind: "adamw";
      readonly beta1?: number;
      readonly beta2?: number;
      readonly epsilon?: number;
      readonly weightDecay?: number;
    }
  | { readonly kind: "sgd"; readonly momentum?: number; readonly weightDecay?: number };

export interface SessionOptions {
  readonly batchSize: number;
  readonly optimizer: OptimizerSpec;
  /** Global gradient norm limit; absent: no clipping. */
  readonly clipNorm?: number;
  /** Threads inside one step. Default 1: parallelism comes from several workers. */
  readonly threadCount?: number;
}

/** What an optimizer remembers between steps. Plain data: it can be sent to another thread or written to disk. */
export interface OptimizerState {
  /** Steps taken so far. */
  readonly stepCount: number;
  /** Flat vectors as long as the params: AdamW has two (first and second moment), SGD with momentum one. */
  readonly moments: readonly Float32Array[];
}

export interface StepInput {
  readonly batch: Batch;
  readonly learningRate: number;
  /** μ of a proximal term μ/2·‖params − anchor‖² over encoder and decoder slots; needs `anchor`. */
  readonly proximalWeight?: number;
  readonly anchor?: ParamVector;
  /** Slot roles that stay fixed in this step. */
  readonly frozen?: readonly ("encoder" | "decoder" | "head")[];
}

export interface StepResult {
  /** Weighted sum of the task losses (without the proximal term). */
  readonly loss: number;
  readonly taskLosses: ReadonlyMap<TaskId, number>;
  /** Global norm of the gradient before clipping. */
  readonly gradientNorm: number;
}

/** Owns native memory; close it (or `await using`). Holds the current params and optimizer state between steps. */
export interface TrainingSession extends AsyncDisposable {
  readonly model: Model;
  /** Loads params (copied) and optimizer state (copied; absent: fresh zeros). */
  load(params: ParamVector, optimizer?: OptimizerState): void;
  /** One optimizer step on one batch. Throws TRAINING_DIVERGED when loss or gradient is not finite; state is as before. */
  step(input: StepInput): Promise<StepResult>;
  /** Current params as a fresh vector. */
  params(): ParamVector;
  optimizerState(): OptimizerState;
  /** Evaluation mode on the current params: raw model outputs by output name, [batch, ...]. */
  predict(inputs: Batch): Promise<Readonly<Record<string, Float32Array>>>;
}
