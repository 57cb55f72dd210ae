/** Layers: the ops that own parameters. A scope gives its parameters their names and their role. */
import type { ParamRole } from "@kumiai/params";
import { add, attention, gather, matmul, reshape } from "../graph/functions.js";
import { extentAt, opError, type Tensor } from "../graph/tensor.js";
import { batchNorm } from "./batch-norm.js";
import { type Initializer, ONES, type WeightInit, weightInitializer, ZEROS } from "./initializer.js";

/** One parameter as a layer asks for it. */
export interface ParamRequest {
  readonly name: string;
  readonly layer: string;
  readonly role: ParamRole;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
}

/** What a scope needs from the model that is being built. */
export interface ScopeHost {
  readonly mode: "train" | "eval";
  /** The tensor of a parameter. */
  param(request: ParamRequest): Tensor;
  /** In training: what a buffer becomes after the step. */
  updateBuffer(buffer: Tensor, next: Tensor): void;
}

export interface LinearOptions {
  readonly out: number;
  /** Default true. */
  readonly bias?: boolean;
  /** Default `he`. */
  readonly init?: WeightInit;
}

type Pair = number | readonly [number, number];

export interface Conv1dOptions extends LinearOptions {
  readonly kernel: number;
  /** Default 1. */
  readonly stride?: number;
  /** Zeros on both sides. Default 0. */
  readonly padding?: number;
  /** Default 1. */
  readonly groups?: number;
}

export interface Conv2dOptions extends LinearOptions {
  readonly kernel: Pair;
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly groups?: number;
}

export interface ConvTranspose2dOptions extends Conv2dOptions {
  /** Extra rows and columns at the end, as in PyTorch. Default 0. */
  readonly outputPadding?: Pair;
}

export interface NormOptions {
  /** Default 1e-5. */
  readonly epsilon?: number;
}

export interface BatchNormOptions extends NormOptions {
  /** Share of the new statistics in the running ones. Default 0.1. */
  readonly momentum?: number;
}

export interface MultiHeadAttentionOptions {
  readonly headCount: number;
  readonly causal?: boolean;
}

export class Scope {
  readonly #host: ScopeHost;
  readonly #role: ParamRole;
  readonly #prefix: string;

  constructor(host: ScopeHost, role: ParamRole, prefix: string) {
    this.#host = host;
    this.#role = role;
    this.#prefix = prefix;
  }

  /** The same role, names below `name`. */
  in(name: string): Scope {
    return new Scope(this.#host, this.#role, `${this.#prefix}${name}.`);
  }

  /** The same names below `stem.`: parameters of a site's own within a shared part. */
  own(): Scope {
    return new Scope(this.#host, { kind: "stem" }, `stem.${this.#prefix}`);
  }

  /** A parameter of one's own; a layer with several gives them one `layer` and different `name`s. */
  param(layer: string, name: string, shape: readonly number[], initializer: Initializer): Tensor {
    const fullLayer = `${this.#prefix}${layer}`;
    return this.#host.param({ name: `${fullLayer}.${name}`, layer: fullLayer, role: this.#role, shape, initializer });
  }

  /** x [..., in] → [..., out]. */
  linear(name: string, x: Tensor, { out, bias = true, init = "he" }: LinearOptions): Tensor {
    const fanIn = extentAt(x, -1);
    const weight = this.param(name, "weight", [out, fanIn], weightInitializer(init, fanIn, out));
    const y = matmul(x, weight, { transB: true });
    return bias ? add(y, this.param(name, "bias", [out], ZEROS)) : y;
  }

  /** x [B, C, L] → [B, out, L']. */
  conv1d(name: string, x: Tensor, options: Conv1dOptions): Tensor {
    const [batch = 0, channels = 0, length = 0] = x.shape;
    if (x.shape.length !== 3) throw opError("conv1d", [x], "needs [batch, channels, length]");
    const { kernel, stride = 1, padding = 0, groups = 1, out, init = "he" } = options;
    checkGroups("conv1d", x, options);
    const fanIn = (channels / groups) * kernel;
    const shape = [out, channels / groups, kernel];
    const weight = this.param(name, "weight", shape, weightInitializer(init, fanIn, out * kernel));
    const attrs = { strides: [1, stride], pads: [0, padding, 0, padding], groups };
    const image = reshape(x, [batch, channels, 1, length]);
    const kernels = reshape(weight, [out, channels / groups, 1, kernel]);
    return reshape(x.graph.apply("conv2d", [image, kernels, ...this.#bias(name, options)], attrs), [batch, out, -1]);
  }

  /** x [B, C, H, W] → [B, out, H', W']. */
  conv2d(name: string, x: Tensor, options: Conv2dOptions): Tensor {
    const channels = channelsOf("conv2d", x);
    const { groups = 1, out, init = "he" } = options;
    checkGroups("conv2d", x, options);
    const [kh, kw] = pairOf(options.kernel);
    const [ph, pw] = pairOf(options.padding ?? 0);
    const fanIn = (channels / groups) * kh * kw;
    const shape = [out, channels / groups, kh, kw];
    const weight = this.param(name, "weight", shape, weightInitializer(init, fanIn, out * kh * kw));
    const attrs = { strides: pairOf(options.stride ?? 1), pads: [ph, pw, ph, pw], groups };
    return x.graph.apply("conv2d", [x, weight, ...this.#bias(name, options)], attrs);
  }

  /** x [B, C, H, W] → [B, out, (H − 1)·stride − 2·padding + kernel + outputPadding, ...]. */
  convTranspose2d(name: string, x: Tensor, options: ConvTranspose2dOptions): Tensor {
    const channels = channelsOf("convTranspose2d", x);
    const { groups = 1, out, init = "he" } = options;
    checkGroups("convTranspose2d", x, options);
    const [kernel, stride, padding, extra] = [
      options.kernel,
      options.stride ?? 1,
      options.padding ?? 0,
      options.outputPadding ?? 0,
    ].map(pairOf) as [Two, Two, Two, Two];
    const shape = [channels, out / groups, ...kernel];
    const fanIn = (channels * kernel[0] * kernel[1]) / (groups * stride[0] * stride[1]);
    const weight = this.param(name, "weight", shape, weightInitializer(init, fanIn, fanIn));
    const size = [0, 1].map((i) => {
      const at = (pair: Two): number => pair[i] ?? 0;
      return (extentAt(x, i + 2) - 1) * at(stride) - 2 * at(padding) + at(kernel) + at(extra);
    });
    const pads = [padding[0], padding[1], padding[0], padding[1]];
    const inputs = [x, weight, ...this.#bias(name, options)];
    return x.graph.apply("convTranspose2d", inputs, { strides: stride, pads, groups, outputSize: size });
  }

  /** x [B, C, ...], statistics per example and group of channels. */
  groupNorm(name: string, x: Tensor, { groups, epsilon = 1e-5 }: NormOptions & { readonly groups: number }): Tensor {
    const channels = channelsOf("groupNorm", x);
    const scale = this.param(name, "weight", [channels], ONES);
    const shift = this.param(name, "bias", [channels], ZEROS);
    return x.graph.apply("groupNorm", [x, scale, shift], { groups, epsilon });
  }

  /** Over the last axis. */
  layerNorm(name: string, x: Tensor, { epsilon = 1e-5 }: NormOptions = {}): Tensor {
    const width = extentAt(x, -1);
    const scale = this.param(name, "weight", [width], ONES);
    const shift = this.param(name, "bias", [width], ZEROS);
    return x.graph.apply("layerNorm", [x, scale, shift], { epsilon });
  }

  /** x [B, C, ...]; statistics of the batch in training, running ones (buffers) in evaluation. */
  batchNorm(name: string, x: Tensor, { epsilon = 1e-5, momentum = 0.1 }: BatchNormOptions = {}): Tensor {
    const channels = channelsOf("batchNorm", x);
    const scale = this.param(name, "weight", [channels], ONES);
    const shift = this.param(name, "bias", [channels], ZEROS);
    const layer = `${this.#prefix}${name}`;
    const buffer = (key: string, initializer: Initializer): Tensor =>
      this.#host.param({ name: `${layer}.${key}`, layer, role: { kind: "buffer" }, shape: [channels], initializer });
    const running = { mean: buffer("runningMean", ZEROS), variance: buffer("runningVar", ONES) };
    const result = batchNorm({ x, scale, shift, running, epsilon, momentum, mode: this.#host.mode });
    if (result.next !== undefined) {
      this.#host.updateBuffer(running.mean, result.next.mean);
      this.#host.updateBuffer(running.variance, result.next.variance);
    }
    return result.y;
  }

  /** indices (i32, any shape) → [..., width]. */
  embedding(name: string, indices: Tensor, options: { readonly count: number; readonly width: number }): Tensor {
    const { count, width } = options;
    return gather(this.param(name, "weight", [count, width], { kind: "normal", std: 0.02 }), indices);
  }

  /** Self-attention on x [B, T, D] with projections `query`, `key`, `value`, `out` below `name`. */
  multiHeadAttention(name: string, x: Tensor, options: MultiHeadAttentionOptions): Tensor {
    const scope = this.in(name);
    const width = extentAt(x, -1);
    const project = (part: string, input: Tensor): Tensor => scope.linear(part, input, { out: width, init: "xavier" });
    return project("out", attention(project("query", x), project("key", x), project("value", x), options));
  }

  #bias(name: string, { bias = true, out }: LinearOptions): readonly Tensor[] {
    return bias ? [this.param(name, "bias", [out], ZEROS)] : [];
  }
}

type Two = readonly [number, number];

function pairOf(value: Pair): Two {
  return typeof value === "number" ? [value, value] : value;
}

function checkGroups(op: string, x: Tensor, { groups = 1, out }: Pick<Conv2dOptions, "groups" | "out">): void {
  if (channelsOf(op, x) % groups === 0 && out % groups === 0) return;
  throw opError(op, [x], `input channels and the ${out} output channels must both be divisible by ${groups} groups`);
}

function channelsOf(op: string, x: Tensor): number {
  const channels = x.shape[1];
  if (channels === undefined) throw opError(op, [x], "needs [batch, channels, ...]");
  return channels;
}
