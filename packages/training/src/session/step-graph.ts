/**
 * One training step as one graph. After the backward pass all gradients are one flat vector, so that clipping, the proximal
 * term, frozen groups, weight decay and the optimizer are a few passes over it.
 *
 * Notation: p params, g gradient, m, v moments, u update mask (0 for frozen slots and buffers), all [P].
 *   proximal: g ← g + μ·(p − anchor)         clipping: g ← g·min(1, limit / ‖g‖)
 *   AdamW (Loshchilov & Hutter 2019):
 *     m ← m + u·(1 − β₁)·(g − m),  v ← v + u·(1 − β₂)·(g² − v)
 *     p ← p − u·(lr·wd·p + lr / c₁ · m / (√v / √c₂ + ε)),  c = 1 − β^t from the host
 *   SGD: g ← g + wd·p,  m ← u·(momentum·m + g) + (1 − u)·m,  p ← p − u·lr·m
 */
import type { ParamLayout } from "@kumiai/params";
import { gradientsOf } from "../graph/autodiff.js";
import { emitOnnx, type OnnxOutput } from "../graph/emit.js";
import { add, concat, div, minimum, mul, reshape, slice, sqrt, square, sub, sumSquare } from "../graph/functions.js";
import type { Graph, Tensor } from "../graph/tensor.js";
import type { Model, ModelTrace, OptimizerSpec } from "../types.js";

/** Scalars that the host gives at every step, in this order in the input `scalars`. */
export const STEP_SCALARS = ["learningRate", "correction1", "correction2"] as const;

export interface StepGraphOptions {
  readonly batchSize: number;
  readonly optimizer: OptimizerSpec;
  readonly clipNorm?: number;
  readonly proximal: boolean;
}

export interface StepGraph {
  readonly bytes: Uint8Array;
  readonly trace: ModelTrace;
}

/** How many moment vectors an optimizer keeps. */
export function momentCountOf(optimizer: OptimizerSpec): number {
  if (optimizer.kind === "adamw") return 2;
  return (optimizer.momentum ?? 0) > 0 ? 1 : 0;
}

/**
 * Inputs: params, moment.<i>, updateMask, scalars, (proximal, anchor), features, labels, masks, noise.<i>.
 * Outputs: newParams, newMoment.<i>, and report = [loss, gradient norm, task losses...].
 */
export function buildStepGraph(model: Model, options: StepGraphOptions): StepGraph {
  const trace = model.trace({ batchSize: options.batchSize, mode: "train" });
  const { graph, params } = trace;
  const loss = trace.losses
    .map((task) => mul(task.loss, task.lossWeight))
    .reduce((total, part) => add(total, part), graph.scalar(0));
  const flat = { shape: [model.layout.size] };
  const updateMask = graph.input("updateMask", "f32", flat.shape);
  let gradient = mul(flatGradient(model.layout, trace, loss), updateMask);
  if (options.proximal) {
    const pull = mul(sub(params, graph.input("anchor", "f32", flat.shape)), graph.input("proximal", "f32", flat.shape));
    gradient = add(gradient, mul(pull, updateMask));
  }
  const norm = sqrt(sumSquare(gradient));
  if (options.clipNorm !== undefined) {
    gradient = mul(gradient, minimum(div(graph.scalar(options.clipNorm), add(norm, 1e-6)), 1));
  }
  const update = optimizerUpdate({ layout: model.layout, graph, params, gradient, updateMask }, options.optimizer);
  const report = concat(
    [loss, norm, ...trace.losses.map((task) => task.loss)].map((value) => reshape(value, [1])),
    0,
  );
  const outputs: OnnxOutput[] = [
    { name: "newParams", tensor: withBuffers(model.layout, trace, update.params) },
    ...update.moments.map((tensor, i) => ({ name: `newMoment.${i}`, tensor })),
    { name: "report", tensor: report },
  ];
  return { bytes: emitOnnx("step", outputs), trace };
}

function flatGradient(layout: ParamLayout, trace: ModelTrace, loss: Tensor): Tensor {
  const trained = layout.slots.filter((slot) => slot.role.kind !== "buffer");
  const targets = trained.map((slot) => {
    const tensor = trace.slots.get(slot.name);
    if (tensor === undefined) throw new Error(`slot ${slot.name} is not in the graph`);
    return tensor;
  });
  const parts = gradientsOf(loss, targets).map((gradient) => reshape(gradient, [-1]));
  const bufferSize = layout.size - parts.reduce((size, part) => size + (part.shape[0] ?? 0), 0);
  if (bufferSize > 0) parts.push(trace.graph.apply("full", [], { shape: [bufferSize], value: 0 }));
  return concat(parts, 0);
}

interface OptimizerInput {
  readonly layout: ParamLayout;
  readonly graph: Graph;
  readonly params: Tensor;
  readonly gradient: Tensor;
  readonly updateMask: Tensor;
}

interface Update {
  readonly params: Tensor;
  readonly moments: readonly Tensor[];
}

function optimizerUpdate(input: OptimizerInput, optimizer: OptimizerSpec): Update {
  const scalars = input.graph.input("scalars", "f32", [STEP_SCALARS.length]);
  const at = (name: (typeof STEP_SCALARS)[number]): Tensor => {
    const index = STEP_SCALARS.indexOf(name);
    return slice(scalars, { axes: [0], starts: [index], ends: [index + 1] });
  };
  const rate = mul(input.updateMask, at("learningRate"));
  return optimizer.kind === "adamw"
    ? adamw(input, optimizer, { rate, correction1: at("correction1"), correction2: at("correction2") })
    : sgd(input, optimizer, rate);
}

function adamw(
  { layout, graph, params, gradient, updateMask }: OptimizerInput,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 }: Extract<OptimizerSpec, { kind: "adamw" }>,
  { rate, correction1, correction2 }: Record<"rate" | "correction1" | "correction2", Tensor>,
): Update {
  const m = graph.input("moment.0", "f32", params.shape);
  const v = graph.input("moment.1", "f32", params.shape);
  const newM = add(m, mul(sub(gradient, m), mul(updateMask, 1 - beta1)));
  const newV = add(v, mul(sub(square(gradient), v), mul(updateMask, 1 - beta2)));
  // ε is scaled up instead of √v down: one pass less.
  const root = sqrt(correction2);
  const direction = mul(div(newM, add(sqrt(newV), mul(root, epsilon))), div(root, correction1));
  const decayed = weightDecay === 0 ? direction : add(direction, mul(params, decayMask(layout, graph, weightDecay)));
  return { params: sub(params, mul(decayed, rate)), moments: [newM, newV] };
}

function sgd(
  { layout, graph, params, gradient, updateMask }: OptimizerInput,
  { momentum = 0, weightDecay = 0 }: Extract<OptimizerSpec, { kind: "sgd" }>,
  rate: Tensor,
): Update {
  const decayed = weightDecay === 0 ? gradient : add(gradient, mul(params, decayMask(layout, graph, weightDecay)));
  if (momentum === 0) return { params: sub(params, mul(decayed, rate)), moments: [] };
  const m = graph.input("moment.0", "f32", params.shape);
  const newM = add(m, mul(updateMask, add(mul(m, momentum - 1), decayed)));
  return { params: sub(params, mul(newM, rate)), moments: [newM] };
}

/** `weightDecay` for weights, 0 for slots of one dimension (biases and norms). */
function decayMask(layout: ParamLayout, graph: Graph, weightDecay: number): Tensor {
  const mask = new Float32Array(layout.size);
  for (const slot of layout.slots) {
    if (slot.shape.length > 1) mask.fill(weightDecay, slot.offset, slot.offset + slot.size);
  }
  return graph.constant(mask, [layout.size]);
}

/** Buffers stand at the end of the vector; the step replaces them by their next values. */
function withBuffers(layout: ParamLayout, trace: ModelTrace, params: Tensor): Tensor {
  const buffers = layout.slots.filter((slot) => slot.role.kind === "buffer");
  const first = buffers[0];
  if (first === undefined) return params;
  const next = buffers.map((slot) => {
    const tensor = trace.bufferUpdates.get(slot.name) ?? trace.slots.get(slot.name);
    if (tensor === undefined) throw new Error(`buffer ${slot.name} is not in the graph`);
    return reshape(tensor, [-1]);
  });
  return concat([slice(params, { axes: [0], starts: [0], ends: [first.offset] }), ...next], 0);
}
