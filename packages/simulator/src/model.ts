/** The model that clients of a scenario train, and the sessions it is trained and evaluated in. */
import { sceneTask } from "@kumiai/datasets";
import type { TaskId } from "@kumiai/params";
import { denseNet, type Model, type OptimizerSpec, type SessionOptions } from "@kumiai/training";
import type { ClientConfig, Scenario } from "./config/scenario.js";

/** All that a model depends on, as plain data: it can be sent to a worker and names the model in caches. */
export interface ModelSpec {
  /** Side of the images. */
  readonly size: number;
  readonly channels: readonly number[];
  readonly decoderWidth: number;
  readonly tasks: readonly TaskId[];
  readonly backgroundLossWeight: number;
}

export function modelSpecOf(scenario: Scenario, client: ClientConfig): ModelSpec {
  return modelSpecFor(scenario, client.tasks);
}

export function modelSpecFor({ scenes, model, training }: Scenario, tasks: readonly TaskId[]): ModelSpec {
  return {
    size: scenes.size,
    channels: model.encoder.channels,
    decoderWidth: model.decoder.width,
    tasks,
    backgroundLossWeight: training.backgroundLossWeight,
  };
}

/** Scenes in one forward pass of an evaluation. */
const EVALUATION_BATCH_SIZE = 20;

export function trainingSession({ training }: Scenario): SessionOptions {
  const { optimizer, batchSize, clipNorm } = training;
  const { weightDecay } = optimizer;
  const spec: OptimizerSpec =
    optimizer.name === "adamw"
      ? { kind: "adamw", weightDecay }
      : { kind: "sgd", momentum: optimizer.momentum, weightDecay };
  return { batchSize, optimizer: spec, ...(clipNorm === null ? {} : { clipNorm }) };
}
