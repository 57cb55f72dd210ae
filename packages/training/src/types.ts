/** The training engine as its callers see it. Parameters are flat vectors; graphs, ONNX and the runtime stay behind this. */
import type { ParamLayout, ParamVector, Rng, TaskId } from "@kumiai/params";
import type { DType, Graph, Tensor } from "./graph/tensor.js";

/** Values for one input of the graph: f32 images or features, i32 class labels or token ids, u8 masks. */
export type InputArray = Float32Array | Int32Array | Uint8Array;

/** Inputs by name; each is [batch, ...shape] flattened. Label inputs are named `label.<task>`, masks `mask.<task>`. */
export type Batch = Readonly<Record<string, InputArray>>;

/** One input of a model. */
export interface InputSpec {
  readonly name: string;
  /** Type inside the graph; an array of another type is converted when it is fed, if its values fit. */
  readonly dtype: DType;
  /** Of one example, without the batch. */
  readonly shape: readonly number[];
  /** `label` and `mask` are needed in training only. */
  readonly role: "feature" | "label" | "mask";
  /** For class labels: how many there are, and which value means that a point does not count. */
  readonly classes?: { readonly count: number; readonly ignoreIndex?: number };
}

export interface TraceOptions {
  readonly batchSize: number;
  /** `eval`: no labels, no losses, no dropout, running statistics. */
  readonly mode: "train" | "eval";
}

/** The graph of a model for one batch size and mode. */
export interface ModelTrace {
  readonly graph: Graph;
  /** The flat params [P], an input of the graph. */
  readonly params: Tensor;
  /** The tensors of `params` by slot name. */
  readonly slots: ReadonlyMap<string, Tensor>;
  readonly inputs: readonly InputSpec[];
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly losses: readonly { readonly task: TaskId; readonly loss: Tensor; readonly lossWeight: number }[];
  /** Buffers by slot name, and what they become after a step. */
  readonly bufferUpdates: ReadonlyMap<string, Tensor>;
  /** Elements of the inputs `noise.<i>`: fresh uniform numbers in [0, 1) at every step, for dropout. */
  readonly noiseSizes: readonly number[];
}

/** A model: graph, layout and initial values. Built once by the DSL, immutable. */
export interface Model {
  readonly layout: ParamLayout;
  readonly tasks: readonly TaskId[];
  /** Features, labels and masks of a training step. */
  readonly inputs: readonly InputSpec[];
  /** By output name, shape of one example. */
  readonly outputs: ReadonlyMap<string, readonly number[]>;
  /** Fresh initial params (as each layer says); same rng, same bytes; a slot's values depend on its name alone. */
  initParams(rng: Rng): ParamVector;
  trace(options: TraceOptions): ModelTrace;
}

export type OptimizerSpec =
  | {
      readonly kind: "adamw";
      /** Default 0.9. */
      readonly beta1?: number;
      /** Default 0.999. */
      readonly beta2?: number;
      /** Default 1e-8. */
      readonly epsilon?: number;
      /** Decoupled; slots of one dimension (biases, norms) are exempt. Default 0.01. */
      readonly weightDecay?: number;
    }
  /** `weightDecay` is added to the gradient; slots of one dimension are exempt. Both default to 0. */
  | { readonly kind: "sgd"; readonly momentum?: number; readonly weightDecay?: number };

export interface SessionOptions {
  readonly batchSize: number;
  readonly optimizer: OptimizerSpec;
  /** Global gradient norm limit; absent: no clipping. */
  readonly clipNorm?: number;
  /** Threads inside one step. Default 1: parallelism comes from several workers. */
  readonly threadCount?: number;
  /** Of the random numbers inside a step (dropout). Default 0. */
  readonly seed?: number;
}

/** What an optimizer remembers between steps. Plain data: it can be sent to another thread or written to disk. */
export interface OptimizerState {
  /** Steps taken so far. */
  readonly stepCount: number;
  /** Flat vectors as long as the params: AdamW has two (first and second moment), SGD with momentum one. */
  readonly moments: readonly Float32Array[];
}

/**
 * Chooses how much each task's gradient counts in the params that tasks share, from their inner products: `gram` is
 * [T, T], row-major, tasks in the model's order. All 1 is the plain sum.
 */
export type TaskWeights = (gram: Float64Array, taskCount: number) => Float64Array;

export interface StepInput {
  readonly batch: Batch;
  readonly learningRate: number;
  /** μ of a proximal term μ/2·‖params − anchor‖² over encoder and decoder slots; needs `anchor`. */
  readonly proximalWeight?: number;
  readonly anchor?: ParamVector;
  /** Slot roles that stay fixed in this step. */
  readonly frozen?: readonly ("encoder" | "decoder" | "head" | "stem")[];
  /**
   * Weights of the tasks' gradients in encoder and stem; decoders and heads take the plain sum. Not asked where there is
   * one task or nothing shared to train: the step is then the plain one, to the bit.
   */
  readonly taskWeights?: TaskWeights;
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
  /**
   * One optimizer step on one batch. Throws TRAINING_DIVERGED when loss, gradient or the new params are not finite,
   * DATA_MALFORMED for inputs that do not fit, INVALID_CONFIG for options out of range; state is as before.
   */
  step(input: StepInput): Promise<StepResult>;
  /** Current params as a fresh vector. */
  params(): ParamVector;
  optimizerState(): OptimizerState;
  /**
   * Evaluation mode on the current params: raw model outputs by output name, [n, ...] for n examples; any n, run in
   * pieces of the batch size.
   */
  predict(inputs: Batch): Promise<Readonly<Record<string, Float32Array>>>;
}
