/** The model that clients of a scenario train, and the sessions it is trained and evaluated in. */
import { outputPlanes, type SceneTask, sceneTask } from "@kumiai/datasets";
import type { TaskId } from "@kumiai/params";
import { denseNet, type LossSpec, type Model, type OptimizerSpec, type SessionOptions } from "@kumiai/training";
import type { ClientConfig, Scenario } from "./config/scenario.js";

/** All that a model depends on, as plain data: it can be sent to a worker and names the model in caches. */
export interface ModelSpec {
  /** Side of the images. */
  readonly size: number;
  readonly channels: readonly number[];
  readonly decoderWidth: number;
  readonly tasks: readonly {
    readonly id: TaskId;
    /** Factor of the task's loss in the sum over tasks. */
    readonly lossWeight: number;
    /** Class weight of the background; 1 where it counts as any other class. */
    readonly backgroundWeight: number;
  }[];
}

export function modelSpecOf(scenario: Scenario, client: ClientConfig): ModelSpec {
  return modelSpecFor(scenario, client.tasks);
}

export function modelSpecFor({ scenes, model, training }: Scenario, tasks: readonly TaskId[]): ModelSpec {
  return {
    size: scenes.size,
    channels: model.encoder.channels,
    decoderWidth: model.decoder.width,
    tasks: tasks.map((id) => ({
      id,
      lossWeight: training.lossWeights[id] ?? 1,
      backgroundWeight: id === "semseg" ? training.backgroundLossWeight : 1,
    })),
  };
}

/** The model of a spec; equal specs give the same object. */
export function createModel(spec: ModelSpec): Model {
  const key = JSON.stringify(spec);
  const known = models.get(key);
  if (known !== undefined) return known;
  const model = denseNet({
    height: spec.size,
    width: spec.size,
    encoder: { channels: spec.channels },
    decoder: { width: spec.decoderWidth },
    tasks: spec.tasks.map(({ id, lossWeight, backgroundWeight }) => ({
      id,
      outChannels: outputPlanes(sceneTask(id).label),
      loss: lossOf(sceneTask(id), lossWeight, backgroundWeight),
    })),
  });
  models.set(key, model);
  return model;
}

/** Models are immutable, and a scenario has few different ones. */
const models = new Map<string, Model>();

function lossOf({ label }: SceneTask, lossWeight: number, backgroundWeight: number): LossSpec {
  switch (label.kind) {
    case "classes": {
      const classWeights = Array.from({ length: label.classCount }, (_, c) => (c === 0 ? backgroundWeight : 1));
      return { kind: "crossEntropy", lossWeight, ...(backgroundWeight === 1 ? {} : { classWeights }) };
    }
    case "mask":
      return { kind: "binaryCrossEntropy", lossWeight };
    case "unitVector":
      return { kind: "cosine", lossWeight };
    case "scalar":
      return { kind: "l1", lossWeight };
  }
}

/** The same options for training and evaluation, so that a worker compiles each model once. */
export function sessionOptionsOf({ training }: Scenario): SessionOptions {
  const { optimizer, batchSize, clipNorm } = training;
  const { weightDecay } = optimizer;
  const spec: OptimizerSpec =
    optimizer.name === "adamw"
      ? { kind: "adamw", weightDecay }
      : { kind: "sgd", momentum: optimizer.momentum, weightDecay };
  return { batchSize, optimizer: spec, ...(clipNorm === null ? {} : { clipNorm }) };
}
