/**
 * Per-pixel predictions of any number of tasks from one shared encoder.
 *
 *   image [B, 3, H, W] → encoder: residual stages at H/2, H/4, H/8, H/16
 *   per task: decoder: stage outputs → `linears.<i>` (1×1, to `width`), resized to H/2, summed → `fuse.0` (3×3), norm, ReLU
 *             head: 1×1 to 4·outChannels at H/2, then depth to space: every pixel of [outChannels, H, W] has its own
 *             weights, so that edges stay sharp.
 * Decoders of all tasks have one shape; only heads differ. The sum of 1×1 products equals one 1×1 product of the
 * concatenation (SegFormer), at a fraction of the cost: coarse stages are projected before they are resized.
 */
import { KumiaiError, type TaskId } from "@kumiai/params";
import { add, depthToSpace, relu } from "../graph/functions.js";
import type { Tensor } from "../graph/tensor.js";
import { defineModel } from "../model/define-model.js";
import type { LossSpec } from "../model/losses.js";
import { bilinearResize } from "../model/resize.js";
import type { Scope } from "../model/scope.js";
import type { Model } from "../types.js";
import { channelNorm, type EncoderOptions, residualEncoder } from "./encoder.js";

export interface DenseTask {
  readonly id: TaskId;
  readonly outChannels: number;
  readonly loss: LossSpec;
}

export interface DenseNetOptions {
  readonly height: number;
  readonly width: number;
  readonly encoder: EncoderOptions;
  readonly decoder: { readonly width: number };
  readonly tasks: readonly DenseTask[];
}

/** Input `image` [3, H, W] with even H and W; outputs by task id [outChannels, H, W]. Throws MODEL_INVALID. */
export function denseNet({ height, width, encoder, decoder, tasks }: DenseNetOptions): Model {
  if (height % 2 !== 0 || width % 2 !== 0) {
    throw new KumiaiError(
      "MODEL_INVALID",
      `denseNet: expected an even height and width, received ${height} and ${width}`,
    );
  }
  return defineModel((m) => {
    const image = m.input("image", [3, height, width]);
    const stages = residualEncoder(m.encoder(), image, encoder);
    for (const task of tasks) {
      const features = decode(m.decoder(task.id), stages, decoder.width);
      const planes = m.head(task.id).conv2d("out", features, { out: task.outChannels * 4, kernel: 1, init: "xavier" });
      m.task(task.id, depthToSpace(planes, 2), task.loss);
    }
  });
}

function decode(scope: Scope, stages: readonly Tensor[], out: number): Tensor {
  const [height = 0, width = 0] = stages[0]?.shape.slice(2) ?? [];
  const laterals = stages.map((stage, i) =>
    bilinearResize(scope.conv2d(`linears.${i}`, stage, { out, kernel: 1 }), { height, width }),
  );
  const merged = relu(laterals.reduce((sum, lateral) => add(sum, lateral)));
  const fused = scope.conv2d("fuse.0", merged, { out, kernel: 3, padding: 1, bias: false });
  return relu(channelNorm(scope, "fuse.1", fused));
}
