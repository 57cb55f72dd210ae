/**
 * What workers are asked to do. A job is a pure function of what it carries: params, optimizer state, the order of
 * examples and the learning rate of every step. No job draws random numbers, reads a clock or depends on what its
 * worker did before; so results do not depend on the number of workers.
 */
import type { GradientSurgery, TrainedGroup } from "@kumiai/algorithms";
import type { ParamVector, TaskId } from "@kumiai/params";
import type { OptimizerState, SessionOptions } from "@kumiai/training";
import type { ModelSpec } from "../model.js";
import type { TiedPiece } from "../tied-store.js";

/** Which examples go into which step, and how large the step is. */
export interface StepPlan {
  /** Row indices, [stepCount × batchSize]. */
  readonly order: Int32Array;
  /** One per step. */
  readonly learningRates: Float64Array;
}

/** One client's local training in one round. */
export interface TrainJob {
  readonly kind: "train";
  readonly model: ModelSpec;
  readonly session: SessionOptions;
  /** Key of examples that were shared with the pool. */
  readonly examples: string;
  readonly params: ParamVector;
  readonly plan: StepPlan;
  readonly proximalWeight: number;
  /** Of the proximal term: what the client was given last. */
  readonly anchor: ParamVector;
  /** Undefined: gradients of the tasks are summed. */
  readonly surgery: GradientSurgery | undefined;
  /** One after the other; their step counts sum to those of the plan. */
  readonly phases: readonly TrainPhase[];
}

export interface TrainPhase {
  readonly stepCount: number;
  readonly frozen: readonly TrainedGroup[];
  /** Null: fresh. */
  readonly optimizer: OptimizerState | null;
}

export interface TrainResult {
  readonly params: ParamVector;
  /** One per phase. */
  readonly optimizers: readonly OptimizerState[];
  /** Mean over the steps. */
  readonly taskLosses: Readonly<Record<TaskId, number>>;
}

/** One member of a pooled round. */
export interface PooledMember {
  readonly model: ModelSpec;
  readonly surgery: GradientSurgery | undefined;
  readonly examples: string;
  readonly plan: StepPlan;
  /** How the member's flat vector is cut from the tied store. */
  readonly pieces: readonly TiedPiece[];
}

/** One round of the pooled reference: members take turns on one tied store. */
export interface TrainPooledJob {
  readonly kind: "trainPooled";
  readonly session: SessionOptions;
  readonly members: readonly PooledMember[];
  /** Member index for each step, in order; a member occurs as often as its plan has steps. */
  readonly turns: Int32Array;
  readonly store: Float32Array;
  /** Moments as long as the store; null: fresh. */
  readonly optimizer: OptimizerState | null;
}

export interface TrainPooledResult {
  readonly store: Float32Array;
  readonly optimizer: OptimizerState;
  /** Per member: mean over its steps. */
  readonly taskLosses: readonly Readonly<Record<TaskId, number>>[];
}

/** Test metrics of one client's params. */
export interface EvaluateJob {
  readonly kind: "evaluate";
  readonly model: ModelSpec;
  readonly session: SessionOptions;
  readonly examples: string;
  readonly params: ParamVector;
}

export interface EvaluateResult {
  readonly metrics: Readonly<Record<TaskId, number>>;
}

/** Raw outputs for a few examples. */
export interface PredictJob {
  readonly kind: "predict";
  readonly model: ModelSpec;
  readonly session: SessionOptions;
  readonly examples: string;
  readonly params: ParamVector;
  /** Row indices. */
  readonly rows: readonly number[];
}

export interface PredictResult {
  /** Per task: [rows, planes, height, width]. */
  readonly outputs: Readonly<Record<TaskId, Float32Array>>;
}

/** How a model takes single examples: what an attacker can compute. */
export interface ProbeJob {
  readonly kind: "probe";
  readonly model: ModelSpec;
  readonly examples: string;
  readonly params: ParamVector;
  /** Row indices. */
  readonly rows: readonly number[];
  /** Also the cosine of each example's gradient step with `update` over `ranges`; null: losses only. */
  readonly alignWith: {
    readonly update: ParamVector;
    readonly ranges: readonly { readonly offset: number; readonly size: number }[];
  } | null;
}

export interface ProbeResult {
  /** The training loss of each example alone, the sum over tasks with their loss weights. */
  readonly losses: readonly number[];
  /** Null unless asked for. */
  readonly alignments: readonly number[] | null;
}

export type Job = TrainJob | TrainPooledJob | EvaluateJob | PredictJob | ProbeJob;

export type ResultOf<J extends Job> = J extends TrainJob
  ? TrainResult
  : J extends TrainPooledJob
    ? TrainPooledResult
    : J extends EvaluateJob
      ? EvaluateResult
      : J extends PredictJob
        ? PredictResult
        : ProbeResult;

/** Keys of the examples that a job reads. */
export function examplesOf(job: Job): readonly string[] {
  return job.kind === "trainPooled" ? job.members.map((member) => member.examples) : [job.examples];
}

/** Buffers that may leave the sender for good; params stay, because the sender still compares with them. */
export function transferablesOf(job: Job): readonly ArrayBuffer[] {
  if (job.kind === "train") return job.phases.flatMap(({ optimizer }) => momentsOf(optimizer));
  if (job.kind === "trainPooled") return momentsOf(job.optimizer);
  return [];
}

/** Everything in a result leaves the worker without a copy. */
export function transferablesOfResult(result: ResultOf<Job>): readonly ArrayBuffer[] {
  if ("params" in result) return [bufferOf(result.params), ...result.optimizers.flatMap(momentsOf)];
  if ("store" in result) return [bufferOf(result.store), ...momentsOf(result.optimizer)];
  if ("outputs" in result) return Object.values(result.outputs).map(bufferOf);
  return [];
}

function momentsOf(optimizer: OptimizerState | null): readonly ArrayBuffer[] {
  return (optimizer?.moments ?? []).map(bufferOf);
}

function bufferOf(vector: Float32Array): ArrayBuffer {
  return vector.buffer as ArrayBuffer;
}
