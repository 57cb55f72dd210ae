/**
 * The model DSL. A model is a function that says, on a builder, which inputs there are, what is computed and what is
 * learned; it is run again for every batch size and mode, so it may use plain TypeScript, but must not depend on anything
 * that changes.
 */
import {
  createLayout,
  KumiaiError,
  type ParamLayout,
  type ParamRole,
  type ParamRoleKind,
  type Rng,
  slotView,
  type TaskId,
} from "@kumiai/params";
import { greater, mul, reshape, sub } from "../graph/functions.js";
import { Graph, sameShape, sizeOf, type Tensor } from "../graph/tensor.js";
import type { InputSpec, Model, ModelTrace, TraceOptions } from "../types.js";
import { fillInto } from "./initializer.js";
import { type LossSpec, taskLoss } from "./losses.js";
import { type ParamRequest, Scope, type ScopeHost } from "./scope.js";

/** Builds a model. Throws MODEL_INVALID that names the op and the shapes, or the slot, that is wrong. */
export function defineModel(define: (builder: ModelBuilder) => void): Model {
  const probe = new ModelBuilder({ batchSize: 2, mode: "train" });
  define(probe);
  const requests = [...probe.requests.values()].sort((a, b) => orderOf(a.role) - orderOf(b.role));
  const layout = createLayout(requests);
  const { inputs, losses, outputs } = probe.finish();
  if (outputs.size === 0)
    throw new KumiaiError("MODEL_INVALID", "the model has no output; declare one with task() or output()");
  return {
    layout,
    tasks: losses.map(({ task }) => task),
    inputs,
    outputs: new Map([...outputs].map(([name, tensor]) => [name, tensor.shape.slice(1)])),
    initParams: (rng) => initialParams(layout, requests, rng),
    trace: (options) => {
      const builder = new ModelBuilder(options, layout);
      define(builder);
      return builder.finish();
    },
  };
}

/** Slots stand in the order encoder, decoders, heads, stem, buffers, whatever the order of their making. */
function orderOf(role: ParamRole): number {
  const order: readonly ParamRoleKind[] = ["encoder", "decoder", "head", "stem", "buffer"];
  return order.indexOf(role.kind);
}

function initialParams(layout: ParamLayout, requests: readonly ParamRequest[], rng: Rng): Float32Array {
  const params = new Float32Array(layout.size);
  layout.slots.forEach((slot, i) => {
    const request = requests[i];
    if (request !== undefined) fillInto(slotView(params, slot), request.initializer, rng.split(slot.name));
  });
  return params;
}

/** Names that graphs give to tensors of their own, and those of labels, masks and noise. */
const RESERVED_NAME =
  /^(?:[tc]\d+|(?:f32|i64|out)_.*|(?:label|mask|noise|moment|newMoment|output)\..*|(?:params|newParams|updateMask|scalars|anchor|proximal|report))$/;

interface Loss {
  readonly task: TaskId;
  readonly loss: Tensor;
  readonly lossWeight: number;
}

/** What a model's function is given. */
export class ModelBuilder implements ScopeHost {
  readonly graph = new Graph();
  readonly mode: "train" | "eval";
  readonly batchSize: number;
  readonly requests = new Map<string, ParamRequest>();
  readonly #params: Tensor | undefined;
  readonly #layout: ParamLayout | undefined;
  readonly #tensors = new Map<string, Tensor>();
  readonly #inputs: InputSpec[] = [];
  readonly #outputs = new Map<string, Tensor>();
  readonly #losses: Loss[] = [];
  readonly #bufferUpdates = new Map<string, Tensor>();
  readonly #noise: number[] = [];

  constructor({ batchSize, mode }: TraceOptions, layout?: ParamLayout) {
    this.batchSize = batchSize;
    this.mode = mode;
    this.#layout = layout;
    this.#params = layout === undefined ? undefined : this.graph.input("params", "f32", [layout.size]);
  }

  /** A feature input; `shape` is of one example. Token ids and other indices are `i32`. */
  input(name: string, shape: readonly number[], dtype: "f32" | "i32" | "u8" = "f32"): Tensor {
    if (this.#inputs.some((input) => input.name === name)) {
      throw new KumiaiError("MODEL_INVALID", `input ${name}: the name occurs twice`);
    }
    if (RESERVED_NAME.test(name)) {
      throw new KumiaiError("MODEL_INVALID", `input ${name}: the name is taken by the graph itself; choose another`);
    }
    if (!["f32", "i32", "u8"].includes(dtype)) {
      throw new KumiaiError("MODEL_INVALID", `input ${name}: expected dtype f32, i32 or u8, received ${String(dtype)}`);
    }
    this.#inputs.push({ name, dtype, shape, role: "feature" });
    return this.graph.input(name, dtype, [this.batchSize, ...shape]);
  }

  /** Parameters named `encoder.…`: shared by all sites. */
  encoder(): Scope {
    return new Scope(this, { kind: "encoder" }, "encoder.");
  }

  /** Parameters named `decoders.<task>.…`. */
  decoder(task: TaskId): Scope {
    return new Scope(this, { kind: "decoder", task }, `decoders.${task}.`);
  }

  /** Parameters named `heads.<task>.…`: they never leave the site. */
  head(task: TaskId): Scope {
    return new Scope(this, { kind: "head", task }, `heads.${task}.`);
  }

  /** Parameters named `stem.…`: a site's own input layers, for inputs that no other site has; they never leave the site. */
  stem(): Scope {
    return new Scope(this, { kind: "stem" }, "stem.");
  }

  /** Names `tensor` as an output of `predict`. Tasks do so themselves. */
  output(name: string, tensor: Tensor): void {
    if (this.#outputs.has(name)) throw new KumiaiError("MODEL_INVALID", `output ${name}: the name occurs twice`);
    if (tensor.dtype !== "f32" || tensor.shape[0] !== this.batchSize) {
      throw new KumiaiError(
        "MODEL_INVALID",
        `output ${name}: expected f32 [batch, ...], received ${tensor.dtype}[${tensor.shape}]`,
      );
    }
    this.#outputs.set(name, tensor);
  }

  /** A learning task: its output (raw logits, vectors or scalars) and its loss. */
  task(id: TaskId, output: Tensor, loss: LossSpec): void {
    this.output(id, output);
    if (this.mode === "eval") return;
    const { inputs, ...rest } = taskLoss(id, output, loss);
    this.#inputs.push(...inputs);
    this.#losses.push({ task: id, ...rest });
  }

  /** Zeroes a share of the elements in training and scales the rest up; does nothing in evaluation. */
  dropout(x: Tensor, rate: number): Tensor {
    if (!(rate >= 0 && rate < 1))
      throw new KumiaiError("MODEL_INVALID", `dropout: expected a rate in [0, 1), received ${rate}`);
    if (this.mode === "eval" || rate === 0) return x;
    const noise = reshape(this.graph.input(`noise.${this.#noise.length}`, "f32", [sizeOf(x.shape)]), x.shape);
    this.#noise.push(sizeOf(x.shape));
    return mul(x, mul(sub(this.graph.scalar(1), greater(this.graph.scalar(rate), noise)), 1 / (1 - rate)));
  }

  param(request: ParamRequest): Tensor {
    const known = this.#tensors.get(request.name);
    if (known !== undefined) {
      // A second use of one name shares the parameter, as long as it is the same one.
      if (sameShape(known.shape, request.shape)) return known;
      throw new KumiaiError(
        "MODEL_INVALID",
        `slot ${request.name}: used with shape [${known.shape}] and with shape [${request.shape}]`,
      );
    }
    const tensor = this.#tensorOf(request);
    this.requests.set(request.name, request);
    this.#tensors.set(request.name, tensor);
    return tensor;
  }

  updateBuffer(buffer: Tensor, next: Tensor): void {
    for (const [name, tensor] of this.#tensors) if (tensor === buffer) this.#bufferUpdates.set(name, next);
  }

  finish(): ModelTrace {
    return {
      graph: this.graph,
      params: this.#params ?? this.graph.input("params", "f32", [1]),
      slots: this.#tensors,
      inputs: this.#inputs,
      outputs: this.#outputs,
      losses: this.#losses,
      bufferUpdates: this.#bufferUpdates,
      noiseSizes: this.#noise,
    };
  }

  #tensorOf(request: ParamRequest): Tensor {
    if (this.#layout === undefined || this.#params === undefined) {
      return this.graph.input(request.name, "f32", request.shape);
    }
    const index = this.#layout.slots.findIndex((slot) => slot.name === request.name);
    const sizes = this.#layout.slots.map((slot) => slot.size);
    return reshape(this.graph.apply("piece", [this.#params], { sizes, index }), request.shape);
  }
}
