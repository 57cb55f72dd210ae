import { parseTaskId } from "@kumiai/params";
import { describe } from "vitest";
import { add, concat, relu } from "../graph/functions.js";
import type { Tensor } from "../graph/tensor.js";
import { defineModel } from "../model/define-model.js";
import { bilinearResize } from "../model/resize.js";
import type { Scope } from "../model/scope.js";
import { torchParityContract } from "../testing/torch.contract.js";
import { TorchFixture } from "../testing/torch-fixture.js";
import type { Model, SessionOptions } from "../types.js";

type Norm = "group" | "batch";

const [SEMSEG, EDGE, DEPTH] = ["semseg", "edge", "depth"].map(parseTaskId) as [
  ReturnType<typeof parseTaskId>,
  ReturnType<typeof parseTaskId>,
  ReturnType<typeof parseTaskId>,
];

/** `ConvNet` of fixtures/training/models.py. */
function convNet(norm: Norm): Model {
  const bias = norm === "group";
  const normalize = (scope: Scope, name: string, x: Tensor): Tensor =>
    norm === "group" ? scope.groupNorm(name, x, { groups: 4 }) : scope.batchNorm(name, x);
  return defineModel((builder) => {
    const encoder = builder.encoder();
    const block = (name: string, x: Tensor, options: { out: number; stride?: number; groups?: number }): Tensor =>
      normalize(encoder, `${name}_norm`, encoder.conv2d(name, x, { kernel: 3, padding: 1, bias, ...options }));
    const stem = relu(block("stem", builder.input("image", [3, 16, 16]), { out: 8 }));
    const down = relu(block("down", stem, { out: 16, stride: 2 }));
    const mid = relu(add(block("grouped", down, { out: 16, groups: 4 }), down));
    const low = relu(block("low", mid, { out: 16, stride: 2 }));
    const up = bilinearResize(low, { height: 8, width: 8 });
    const fused = encoder.conv2d("fuse", concat([mid, up], 1), { out: 16, kernel: 1, bias });
    const features = relu(normalize(encoder, "fuse_norm", fused));

    const semseg = builder
      .decoder(SEMSEG)
      .convTranspose2d("up", features, { out: 8, kernel: 4, stride: 2, padding: 1 });
    builder.task(SEMSEG, builder.head(SEMSEG).conv2d("out", relu(semseg), { out: 5, kernel: 1 }), {
      kind: "crossEntropy",
      classWeights: [0.2, 1, 1, 2, 1.5],
      ignoreIndex: 255,
    });
    const edgeScope = builder.decoder(EDGE);
    const edge = edgeScope.convTranspose2d("up", features, { out: 8, kernel: 2, stride: 2, bias });
    const edgeFeatures = relu(normalize(edgeScope, "norm", edge));
    builder.task(EDGE, builder.head(EDGE).conv2d("out", edgeFeatures, { out: 1, kernel: 1 }), {
      kind: "binaryCrossEntropy",
      positiveWeight: 3,
      lossWeight: 0.7,
    });
    const wide = bilinearResize(features, { height: 16, width: 16 });
    const depth = relu(builder.decoder(DEPTH).conv2d("conv", wide, { out: 8, kernel: 3, padding: 1 }));
    builder.task(DEPTH, builder.head(DEPTH).conv2d("out", depth, { out: 1, kernel: 1 }), {
      kind: "l1",
      mask: true,
      lossWeight: 1.3,
    });
  });
}

const OPTIONS: SessionOptions = { batchSize: 2, optimizer: { kind: "adamw", weightDecay: 0.05 }, clipNorm: 1 };
const INPUTS = {
  image: "image",
  "label.semseg": "semseg",
  "label.edge": "edge",
  "label.depth": "depth",
  "mask.depth": "depth_mask",
};

describe.each<Norm>(["group", "batch"])("conv net with %s norm against PyTorch", (norm) => {
  const fixture = new TorchFixture("conv_net", `${norm}/`);
  const model = convNet(norm);
  const run = fixture.compare({ model, options: OPTIONS, inputs: INPUTS });

  torchParityContract({ fixture, model, run, movementTolerance: 1e-4 });
});
