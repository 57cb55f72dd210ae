/**
 * Losses as data. Every loss is a mean over elements (cross entropy and cosine: over points), with labels and masks as
 * inputs of the graph: `label.<task>` and, with `mask: true`, `mask.<task>` (u8, one per point; 0: does not count).
 */
import { KumiaiError, type TaskId } from "@kumiai/params";
import {
  abs,
  add,
  div,
  equal,
  gather,
  minimum,
  mul,
  neg,
  reshape,
  softplus,
  sqrt,
  square,
  sub,
  sum,
  sumSquare,
  toF32,
  toI32,
} from "../graph/functions.js";
import { describe, sizeOf, type Tensor } from "../graph/tensor.js";
import type { InputSpec } from "../types.js";

interface LossOptions {
  /** Factor of this loss in the sum over tasks. Default 1. */
  readonly lossWeight?: number;
  /** A mask is given with every batch. */
  readonly mask?: boolean;
}

export type LossSpec =
  /** Output [B, C, ...], labels [B, ...] in 0..C−1 or `ignoreIndex`. A weighted mean over points, as PyTorch's. */
  | ({
      readonly kind: "crossEntropy";
      readonly classWeights?: readonly number[];
      readonly ignoreIndex?: number;
    } & LossOptions)
  /** Output = logits, labels 0 or 1 of the same shape. `positiveWeight` multiplies the loss of the ones. */
  | ({ readonly kind: "binaryCrossEntropy"; readonly positiveWeight?: number } & LossOptions)
  | ({ readonly kind: "l1" } & LossOptions)
  | ({ readonly kind: "mse" } & LossOptions)
  /** Quadratic below `beta` (default 1), linear above. */
  | ({ readonly kind: "smoothL1"; readonly beta?: number } & LossOptions)
  /** 1 − cosine over axis 1: output and labels [B, C, ...]; for surface normals. */
  | ({ readonly kind: "cosine" } & LossOptions);

export interface TaskLoss {
  /** Scalar, already a mean, not yet multiplied by the loss weight. */
  readonly loss: Tensor;
  readonly lossWeight: number;
  readonly inputs: readonly InputSpec[];
}

/** The loss of one task and the inputs that it needs. Throws MODEL_INVALID. */
export function taskLoss(task: TaskId, output: Tensor, spec: LossSpec): TaskLoss {
  checkSpec(task, spec);
  const lossWeight = spec.lossWeight ?? 1;
  const [batch = 0, channels = 0, ...rest] = output.shape;
  const points = sizeOf(rest);
  const inputs: InputSpec[] = [];
  const declare = (input: InputSpec, size: readonly number[]): Tensor => {
    inputs.push(input);
    return reshape(output.graph.input(input.name, input.dtype, [batch, ...input.shape]), size);
  };
  const maskOf = (size: readonly number[]): Tensor | undefined =>
    spec.mask === true
      ? toF32(declare({ name: `mask.${task}`, dtype: "u8", shape: rest, role: "mask" }, size))
      : undefined;

  if (spec.kind === "crossEntropy") {
    if (output.shape.length < 2)
      throw invalid(task, `cross entropy needs [batch, classes, ...], received ${describe(output)}`);
    const label: InputSpec = {
      name: `label.${task}`,
      dtype: channels < 255 ? "u8" : "i32",
      shape: rest,
      role: "label",
      classes: { count: channels, ...(spec.ignoreIndex === undefined ? {} : { ignoreIndex: spec.ignoreIndex }) },
    };
    const labels = toI32(declare(label, [batch, points]));
    const weights = pointWeights(task, labels, channels, spec.classWeights, spec.ignoreIndex !== undefined);
    const shares = sharesOf(output, [batch, points], weights, maskOf([batch, points]));
    const logits = reshape(output, [batch, channels, points]);
    return { loss: output.graph.apply("crossEntropy", [logits, labels, shares]), lossWeight, inputs };
  }

  const shape = [channels, ...rest];
  const isBinary = spec.kind === "binaryCrossEntropy";
  const type = isBinary ? ({ dtype: "u8", classes: { count: 2 } } as const) : ({ dtype: "f32" } as const);
  const label = declare({ name: `label.${task}`, shape, role: "label", ...type }, [batch, channels, points]);
  const losses = elementLosses(spec, reshape(output, [batch, channels, points]), toF32(label));
  const mask = maskOf([batch, 1, points]);
  if (mask === undefined) return { loss: mul(sum(losses), 1 / sizeOf(losses.shape)), lossWeight, inputs };
  const perPoint = losses.shape[1] ?? 1;
  const shares = mul(sharesOf(output, mask.shape, undefined, mask), 1 / perPoint);
  return { loss: sum(mul(losses, shares)), lossWeight, inputs };
}

const LOSS_KINDS: readonly LossSpec["kind"][] = [
  "crossEntropy",
  "binaryCrossEntropy",
  "l1",
  "mse",
  "smoothL1",
  "cosine",
];

/** A spec may come from a file or from JavaScript, so the compiler's word is not enough. */
function checkSpec(task: TaskId, spec: LossSpec): void {
  const { kind, lossWeight = 1 } = (spec ?? {}) as LossSpec;
  if (!LOSS_KINDS.includes(kind)) {
    throw invalid(task, `expected the kind to be one of ${LOSS_KINDS.join(", ")}, received ${String(kind)}`);
  }
  const check = (name: string, value: number, isValid: boolean, expected: string): void => {
    if (!isValid || !Number.isFinite(value)) throw invalid(task, `${name}: expected ${expected}, received ${value}`);
  };
  check("lossWeight", lossWeight, lossWeight >= 0, "0 or more");
  if (spec.kind === "crossEntropy") {
    for (const weight of spec.classWeights ?? []) check("classWeights", weight, weight >= 0, "numbers of 0 or more");
  } else if (spec.kind === "binaryCrossEntropy") {
    const { positiveWeight = 1 } = spec;
    check("positiveWeight", positiveWeight, positiveWeight >= 0, "0 or more");
  } else if (spec.kind === "smoothL1") {
    const { beta = 1 } = spec;
    check("beta", beta, beta > 0, "a number above 0");
  }
}

/** Weight of each point by its class; class C stands for ignored points. */
function pointWeights(
  task: TaskId,
  labels: Tensor,
  classCount: number,
  classWeights: readonly number[] | undefined,
  ignores: boolean,
): Tensor | undefined {
  if (classWeights !== undefined && classWeights.length !== classCount) {
    throw invalid(task, `expected ${classCount} class weights, received ${classWeights.length}`);
  }
  if (classWeights === undefined && !ignores) return undefined;
  const table = [...(classWeights ?? Array<number>(classCount).fill(1)), 0];
  return gather(labels.graph.constant(Float32Array.from(table), [classCount + 1]), labels);
}

/** Weights that sum to 1; all zero when everything is masked out. */
function sharesOf(
  like: Tensor,
  shape: readonly number[],
  weights: Tensor | undefined,
  mask: Tensor | undefined,
): Tensor {
  const parts = [weights, mask].filter((part) => part !== undefined);
  const [first, second] = parts;
  if (first === undefined) return like.graph.apply("full", [], { shape, value: 1 / sizeOf(shape) });
  const product = second === undefined ? first : mul(first, second);
  const total = sum(product);
  return div(product, add(total, equal(total, 0)));
}

/** [B, C, N], or [B, 1, N] for cosine. */
function elementLosses(spec: Exclude<LossSpec, { kind: "crossEntropy" }>, z: Tensor, t: Tensor): Tensor {
  switch (spec.kind) {
    case "binaryCrossEntropy": {
      // (1 − t)·z + (1 + (p − 1)·t)·softplus(−z)
      const weight = spec.positiveWeight ?? 1;
      const tail = softplus(neg(z));
      const scaled = weight === 1 ? tail : mul(add(mul(t, weight - 1), 1), tail);
      return add(mul(sub(z.graph.scalar(1), t), z), scaled);
    }
    case "l1":
      return abs(sub(z, t));
    case "mse":
      return square(sub(z, t));
    case "smoothL1": {
      const beta = spec.beta ?? 1;
      // With a = min(|d|, β): a²/(2β) + |d| − a.
      const distance = abs(sub(z, t));
      const near = minimum(distance, beta);
      return add(mul(square(near), 0.5 / beta), sub(distance, near));
    }
    case "cosine": {
      const lengthOf = (v: Tensor): Tensor => sqrt(add(sumSquare(v, { axes: [1], keepDims: true }), 1e-12));
      const dot = sum(mul(z, t), { axes: [1], keepDims: true });
      return sub(z.graph.scalar(1), div(dot, mul(lengthOf(z), lengthOf(t))));
    }
  }
}

function invalid(task: TaskId, what: string): KumiaiError {
  return new KumiaiError("MODEL_INVALID", `loss of task ${task}: ${what}`, { task });
}
