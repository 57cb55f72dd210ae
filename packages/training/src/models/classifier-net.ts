/** The encoder of `denseNet` with global average pooling and one linear layer: for pre-training by classification. */
import type { TaskId } from "@kumiai/params";
import { mean } from "../graph/functions.js";
import { defineModel } from "../model/define-model.js";
import type { Model } from "../types.js";
import { type EncoderOptions, residualEncoder } from "./encoder.js";

export interface ClassifierNetOptions {
  readonly height: number;
  readonly width: number;
  readonly encoder: EncoderOptions;
  readonly task: TaskId;
  readonly classCount: number;
}

/** Input `image` [3, H, W]; output by task id [classCount]; encoder slots as those of `denseNet` with equal options. */
export function classifierNet({ height, width, encoder, task, classCount }: ClassifierNetOptions): Model {
  return defineModel((m) => {
    const image = m.input("image", [3, height, width]);
    const last = residualEncoder(m.encoder(), image, encoder).at(-1) ?? image;
    const logits = m.head(task).linear("out", mean(last, { axes: [2, 3] }), { out: classCount, init: "xavier" });
    m.task(task, logits, { kind: "crossEntropy" });
  });
}
