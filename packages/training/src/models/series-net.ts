/**
 * Predictions, one per series, of any number of tasks from one shared encoder, for sites whose sensors differ.
 *
 *   series [B, C, L] → stem, the site's own: conv (1 step wide unless told otherwise) to [B, stem.width, L], ReLU
 *   → encoder, shared: residual stages with group norm in the branches at L/2, L/4, … (rounded up)
 *   per task: decoder: mean and maximum over time of every stage → `linears.<i>` (to `width`), summed, ReLU
 *                      → `fuse.0` (width to width), layer norm, ReLU
 *             head: linear to outChannels; raw logits or values
 *
 * All that knows the site's channels is the stem, so encoders are equal wherever `stem.width`, channels and kernel are.
 * Decoders of all tasks have one shape; only heads differ. Neither stem nor shortcuts are normalized: the level of a sensor, which a norm
 * over time would take away, often says more than the shape of its curve. So give inputs with mean 0 and deviation 1 over the training data.
 */
import { KumiaiError, type TaskId } from "@kumiai/params";
import { add, concat, relu } from "../graph/functions.js";
import type { Tensor } from "../graph/tensor.js";
import { defineModel } from "../model/define-model.js";
import type { LossSpec } from "../model/losses.js";
import { globalAveragePool, globalMaxPool } from "../model/pool.js";
import type { Scope } from "../model/scope.js";
import type { Model } from "../types.js";
import { channelNorm } from "./encoder.js";

export interface SeriesTask {
  readonly id: TaskId;
  /** Classes of `crossEntropy`; values of any other loss. */
  readonly outChannels: number;
  readonly loss: LossSpec;
}

export interface SeriesNetOptions {
  /** Sensors of the site. */
  readonly channels: number;
  /** Time steps of a series. */
  readonly length: number;
  readonly stem: {
    readonly width: number;
    /** Odd. Default 1: the stem mixes sensors and leaves time to the shared encoder. */
    readonly kernel?: number;
  };
  readonly encoder: {
    /** Of the stages; each halves the length. */
    readonly channels: readonly number[];
    /** Odd. Default 5. */
    readonly kernel?: number;
    /** Scale and shift of its norms belong to the site, role `stem`. Default: to the encoder. */
    readonly hasOwnNorms?: boolean;
  };
  readonly decoder: { readonly width: number };
  readonly tasks: readonly SeriesTask[];
}

/** Input `series` [channels, length]; outputs by task id [outChannels]. Throws MODEL_INVALID. */
export function seriesNet(options: SeriesNetOptions): Model {
  checkOptions(options);
  const { channels, length, stem, encoder, decoder, tasks } = options;
  return defineModel((m) => {
    const series = m.input("series", [channels, length]);
    const mixed = relu(m.stem().conv1d("mix", series, { out: stem.width, ...sameLength(stem.kernel ?? 1) }));
    const stages = seriesEncoder(m.encoder(), mixed, encoder);
    const pooled = stages.map((stage) => concat([globalAveragePool(stage), globalMaxPool(stage)], 1));
    for (const { id, outChannels, loss } of tasks) {
      const features = decode(m.decoder(id), pooled, decoder.width);
      m.task(id, m.head(id).linear("out", features, { out: outChannels, init: "xavier" }), loss);
    }
  });
}

/** Outputs of all stages, longest first: [B, channels[i], L / 2^(i + 1)]. */
function seriesEncoder(
  scope: Scope,
  series: Tensor,
  { channels, kernel = 5, hasOwnNorms = false }: SeriesNetOptions["encoder"],
): readonly Tensor[] {
  let x = series;
  return channels.map((out, stage) => {
    const block = scope.in(`stages.${stage}`);
    const shape = { out, bias: false, ...sameLength(kernel) };
    const first = block.conv1d("conv1", x, { ...shape, stride: 2 });
    const hidden = relu(channelNorm(block, "norm1", first, hasOwnNorms));
    const branch = channelNorm(block, "norm2", block.conv1d("conv2", hidden, shape), hasOwnNorms);
    x = relu(add(branch, block.conv1d("shortcut", x, { out, kernel: 1, stride: 2, bias: false })));
    return x;
  });
}

/** pooled [B, 2·channels[i]] of all stages → [B, out]. The sum of products equals one product with the concatenation. */
function decode(scope: Scope, pooled: readonly Tensor[], out: number): Tensor {
  const parts = pooled.map((stage, i) => scope.linear(`linears.${i}`, stage, { out }));
  const merged = relu(parts.reduce((sum, part) => add(sum, part)));
  return relu(scope.layerNorm("fuse.1", scope.linear("fuse.0", merged, { out, bias: false })));
}

function sameLength(kernel: number) {
  return { kernel, padding: (kernel - 1) / 2 };
}

function checkOptions({ channels, length, stem, encoder, decoder, tasks }: SeriesNetOptions): void {
  const counts: readonly [string, number][] = [
    ["channels", channels],
    ["length", length],
    ["stem.width", stem.width],
    ...encoder.channels.map((count, i): [string, number] => [`encoder.channels[${i}]`, count]),
    ["decoder.width", decoder.width],
    ...tasks.map(({ id, outChannels }): [string, number] => [`outChannels of task ${id}`, outChannels]),
  ];
  const kernels: readonly [string, number][] = [
    ["stem.kernel", stem.kernel ?? 1],
    ["encoder.kernel", encoder.kernel ?? 5],
  ];
  for (const [name, value] of [...counts, ...kernels]) {
    if (!(Number.isSafeInteger(value) && value >= 1)) refuse(name, "a whole number of 1 or more", value);
  }
  for (const [name, value] of kernels) if (value % 2 === 0) refuse(name, "an odd number, so that lengths stay", value);
  if (encoder.channels.length === 0) refuse("encoder.channels", "at least one stage", "none");
}

function refuse(name: string, expected: string, received: unknown): never {
  throw new KumiaiError("MODEL_INVALID", `seriesNet: ${name}: expected ${expected}, received ${String(received)}`);
}
