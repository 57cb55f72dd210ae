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
import type { ParamLayout, ParamSlot } from "@kumiai/params";
import { gradientsOf } from "../graph/autodiff.js";
import { emitOnnx, type OnnxOutput } from "../graph/emit.js";
import { add, concat, div, minimum, mul, reshape, slice, sqrt, square, sub, sumSquare } from "../graph/functions.js";
import { Graph, type Tensor } from "../graph/tensor.js";
import type { Model, ModelTrace, OptimizerSpec } from "../types.js";

/** Scalars that the host gives at every step, in this order in the input `scalars`. */
export const STEP_SCALARS = ["learningRate", "correction1", "correction2"] as const;

export interface UpdateOptions {
  readonly optimizer: OptimizerSpec;
  readonly clipNorm?: number;
  readonly proximal: boolean;
}

export interface StepGraphOptions extends UpdateOptions {
  readonly batchSize: number;
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
  const updateMask = graph.input("updateMask", "f32", params.shape);
  const gradient = flatGradient(model.layout, trace, loss);
  const { norm, ...update } = fullUpdate({ layout: model.layout, graph, params, gradient, updateMask }, options);
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

/**
 * The second half of a step by itself, for a gradient that the host gives.
 * Inputs: params, moment.<i>, updateMask, scalars, (proximal, anchor), gradient. Outputs: newParams, whose buffers are those of
 * `params`, newMoment.<i>, and norm [1].
 */
export function buildUpdateGraph(layout: ParamLayout, options: UpdateOptions): Uint8Array {
  const graph = new Graph();
  const [params, updateMask, gradient] = ["params", "updateMask", "gradient"].map((name) =>
    graph.input(name, "f32", [layout.size]),
  ) as [Tensor, Tensor, Tensor];
  const { norm, ...update } = fullUpdate({ layout, graph, params, gradient, updateMask }, options);
  return emitOnnx("update", [
    { name: "newParams", tensor: update.params },
    ...update.moments.map((tensor, i) => ({ name: `newMoment.${i}`, tensor })),
    { name: "norm", tensor: reshape(norm, [1]) },
  ]);
}

/** Mask, proximal term and clipping, then the optimizer. `norm`: of the gradient before clipping. */
function fullUpdate(input: OptimizerInput, options: UpdateOptions): Update & { readonly norm: Tensor } {
  const { graph, params, updateMask } = input;
  let gradient = mul(input.gradient, updateMask);
  if (options.proximal) {
    const [anchor, proximal] = [
      graph.input("anchor", "f32", params.shape),
      graph.input("proximal", "f32", params.shape),
    ];
    gradient = add(gradient, mul(mul(sub(params, anchor), proximal), updateMask));
  }
  const norm = sqrt(sumSquare(gradient));
  if (options.clipNorm !== undefined) {
    gradient = mul(gradient, minimum(div(graph.scalar(options.clipNorm), add(norm, 1e-6)), 1));
  }
  return { ...optimizerUpdate({ ...input, gradient }, options.optimizer), norm };
}

function flatGradient(layout: ParamLayout, trace: ModelTrace, loss: Tensor): Tensor {
  const targets = layout.slots.filter((slot) => slot.role.kind !== "buffer").map((slot) => slotTensor(trace, slot));
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
  const first = layout.slots.find((slot) => slot.role.kind === "buffer");
  if (first === undefined) return params;
  return concat([slice(params, { axes: [0], starts: [0], ends: [first.offset] }), ...nextBuffers(layout, trace)], 0);
}

/** What the buffers become after a step, each flat, in layout order. */
export function nextBuffers(layout: ParamLayout, trace: ModelTrace): readonly Tensor[] {
  const buffers = layout.slots.filter((slot) => slot.role.kind === "buffer");
  return buffers.map((slot) => reshape(trace.bufferUpdates.get(slot.name) ?? slotTensor(trace, slot), [-1]));
}

export function slotTensor(trace: ModelTrace, { name }: ParamSlot): Tensor {
  const tensor = trace.slots.get(name);
  if (tensor === undefined) throw new Error(`slot ${name} is not in the graph`);
  return tensor;
}
