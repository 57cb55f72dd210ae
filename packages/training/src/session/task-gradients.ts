/**
 * The first half of a training step in which tasks are weighed against each other: the gradient of every task by itself for the
 * params that tasks share. The caller chooses weights by the gradients' inner products; the second half is one update as of
 * any step.
 *
 * Notation — code name, symbol, shape:
 *   gradients  g_t  [T, S]  of task t's weighted loss, over the slots of encoder and stem in layout order
 *   own             [O]     of the sum of all weighted losses, over decoders and heads in layout order
 *   gram       G    [T, T]  G_st = ⟨g_s, g_t⟩ over the slots that are not frozen, row-major, in f64
 *   weights    w    [T]     chosen from G; all 1: the plain step, up to rounding
 *   combined        [P]     Σ_t w_t·g_t over encoder and stem, `own` over decoders and heads; 0 over buffers
 *
 * The forward pass is computed once, the backward pass through encoder and stem T times.
 */
import type { ParamLayout, ParamSlot, TaskId } from "@kumiai/params";
import { partialGradientsOf } from "../graph/autodiff.js";
import { emitOnnx, type OnnxOutput } from "../graph/emit.js";
import { add, concat, mul, reshape, zerosLike } from "../graph/functions.js";
import type { Tensor as GraphTensor } from "../graph/tensor.js";
import type { Model, ModelTrace, SessionOptions } from "../types.js";
import type { Feed } from "./feed.js";
import type { GroupName } from "./options.js";
import { type BoundArray, boundArray, feedsOf } from "./programs.js";
import { compile, type InferenceSession, runGraph, type Tensor } from "./runtime.js";
import { nextBuffers, slotTensor } from "./step-graph.js";

/** Slots whose gradients all tasks of a model add to. */
function isShared({ role }: ParamSlot): boolean {
  return role.kind === "encoder" || role.kind === "stem";
}

export function isTrainedShared({ role }: ParamSlot, frozen: readonly GroupName[]): boolean {
  return (role.kind === "encoder" || role.kind === "stem") && !frozen.includes(role.kind);
}

/** Decoders and heads. */
function isOwn({ role }: ParamSlot): boolean {
  return role.kind === "decoder" || role.kind === "head";
}

export async function openTaskGradients(model: Model, options: SessionOptions): Promise<TaskGradients> {
  const { batchSize, threadCount = 1 } = options;
  const trace = model.trace({ batchSize, mode: "train" });
  const outputs = outputsOf(model.layout, trace);
  const session = await compile(emitOnnx("taskGradients", outputs), { threadCount });
  return new TaskGradients(model.layout, trace, session, outputs, feedsOf(session, trace.inputs, batchSize));
}

/** Names that no input of a model can have. */
const REPORT = "output.report";
const OWN = "output.own";
const BUFFERS = "output.buffers";
const gradientName = (task: number): string => `output.gradient.${task}`;

/** Inputs: params, features, labels, masks, noise.<i>. The report is [loss, task losses...]; empty vectors are left out. */
function outputsOf(layout: ParamLayout, trace: ModelTrace): readonly OnnxOutput[] {
  const shared = layout.slots.filter(isShared).map((slot) => slotTensor(trace, slot));
  const own = layout.slots.filter(isOwn).map((slot) => slotTensor(trace, slot));
  const weighted = trace.losses.map((task) => mul(task.loss, task.lossWeight));
  const byTask = weighted.map((loss) => partialGradientsOf(loss, [...shared, ...own]));
  const ownGradients = own.map((target, i) => sumOf(byTask.map((of) => of[shared.length + i])) ?? zerosLike(target));
  const loss = weighted.reduce((total, part) => add(total, part), trace.graph.scalar(0));
  const report = flat([loss, ...trace.losses.map((task) => task.loss)]);
  const buffers = nextBuffers(layout, trace);
  return [
    { name: REPORT, tensor: report },
    ...byTask.map((of, task) => ({
      name: gradientName(task),
      tensor: flat(shared.map((target, i) => of[i] ?? zerosLike(target))),
    })),
    ...(own.length === 0 ? [] : [{ name: OWN, tensor: flat(ownGradients) }]),
    ...(buffers.length === 0 ? [] : [{ name: BUFFERS, tensor: flat(buffers) }]),
  ];
}

function sumOf(parts: readonly (GraphTensor | undefined)[]): GraphTensor | undefined {
  return parts.reduce((sum, part) => (sum === undefined || part === undefined ? (sum ?? part) : add(sum, part)));
}

function flat(parts: readonly GraphTensor[]): GraphTensor {
  return concat(
    parts.map((part) => reshape(part, [-1])),
    0,
  );
}

/** The compiled graph, and what it gave when it was run last. */
export class TaskGradients {
  readonly session: InferenceSession;
  readonly feeds: readonly Feed[];
  /** Inputs to be filled with fresh uniform numbers. */
  readonly noises: readonly BoundArray[];
  readonly #layout: ParamLayout;
  readonly #tasks: readonly TaskId[];
  readonly #outputs: ReadonlyMap<string, BoundArray>;

  constructor(
    layout: ParamLayout,
    trace: ModelTrace,
    session: InferenceSession,
    outputs: readonly OnnxOutput[],
    feeds: readonly Feed[],
  ) {
    this.session = session;
    this.feeds = feeds;
    this.noises = trace.noiseSizes.map((size, i) => boundArray(`noise.${i}`, [size]));
    this.#layout = layout;
    this.#tasks = trace.losses.map(({ task }) => task);
    this.#outputs = new Map(outputs.map(({ name, tensor }) => [name, boundArray(name, tensor.shape)]));
  }

  async run(inputs: Readonly<Record<string, Tensor>>): Promise<void> {
    const fetches = Object.fromEntries([...this.#outputs].map(([name, { tensor }]) => [name, tensor]));
    await runGraph(this.session, inputs, fetches);
  }

  /** Weighted sum of the task losses, then the task losses. */
  report(): Float32Array {
    return this.#output(REPORT);
  }

  gram(frozen: readonly GroupName[]): Float64Array {
    const count = this.#tasks.length;
    const gradients = this.#gradients();
    const gram = new Float64Array(count * count);
    const ranges = this.#rangesOf(isShared).filter(({ slot }) => isTrainedShared(slot, frozen));
    for (let a = 0; a < count; a++) {
      for (let b = a; b < count; b++) {
        const value = ranges.reduce(
          (sum, { start, slot }) => sum + dot(gradients[a], gradients[b], start, slot.size),
          0,
        );
        gram[a * count + b] = value;
        gram[b * count + a] = value;
      }
    }
    return gram;
  }

  /** Writes the combined gradient; `out` is as long as the params. */
  combineInto(out: Float32Array, weights: Float64Array): void {
    const gradients = this.#gradients();
    for (const { start, slot } of this.#rangesOf(isShared)) {
      for (let i = 0; i < slot.size; i++) {
        let sum = 0;
        for (let task = 0; task < gradients.length; task++) {
          sum += (weights[task] as number) * (gradients[task]?.[start + i] as number);
        }
        out[slot.offset + i] = sum;
      }
    }
    for (const { start, slot } of this.#rangesOf(isOwn)) {
      out.set(this.#output(OWN).subarray(start, start + slot.size), slot.offset);
    }
  }

  /** Writes the next values of the buffers into `params`. */
  buffersInto(params: Float32Array): void {
    for (const { start, slot } of this.#rangesOf(({ role }) => role.kind === "buffer")) {
      params.set(this.#output(BUFFERS).subarray(start, start + slot.size), slot.offset);
    }
  }

  #gradients(): readonly Float32Array[] {
    return this.#tasks.map((_, task) => this.#output(gradientName(task)));
  }

  #output(name: string): Float32Array {
    const output = this.#outputs.get(name);
    if (output === undefined) throw new Error(`the graph has no output ${name}`);
    return output.array;
  }

  /** The chosen slots and where each begins when they stand end to end. */
  #rangesOf(chosen: (slot: ParamSlot) => boolean): readonly { readonly start: number; readonly slot: ParamSlot }[] {
    let next = 0;
    return this.#layout.slots.filter(chosen).map((slot) => {
      const start = next;
      next += slot.size;
      return { start, slot };
    });
  }
}

function dot(a: Float32Array | undefined, b: Float32Array | undefined, start: number, count: number): number {
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += (a?.[i] as number) * (b?.[i] as number);
  return sum;
}
