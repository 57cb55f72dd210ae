/** The models that clients of a scenario train, and the sessions they are trained and evaluated in. */
import type { MetricName } from "@kumiai/algorithms";
import { type LabelKind, outputPlanes } from "@kumiai/datasets";
import type { TaskId } from "@kumiai/params";
import {
  denseNet,
  type LossSpec,
  type Model,
  type OptimizerSpec,
  type SessionOptions,
  seriesNet,
} from "@kumiai/training";
import type { Scenario } from "./config/scenario.js";

/** All that a model depends on, as plain data: it can be sent to a worker and names the model in caches. */
export type ModelSpec = DenseSpec | SeriesSpec;

/** Predictions for every pixel of an image. */
export interface DenseSpec {
  readonly kind: "dense";
  /** Side of the images. */
  readonly size: number;
  readonly channels: readonly number[];
  /** Scale and shift of the encoder's norms are the site's own; absent: the encoder's. */
  readonly hasOwnNorms?: true;
  readonly decoderWidth: number;
  readonly tasks: readonly TaskSpec[];
}

/** Predictions for a whole series. */
export interface SeriesSpec {
  readonly kind: "series";
  /** Channels of the input by name. */
  readonly sensors: readonly string[];
  /** Steps of a series. */
  readonly length: number;
  readonly stemWidth: number;
  readonly channels: readonly number[];
  readonly kernel: number;
  /** Scale and shift of the encoder's norms are the site's own; absent: the encoder's. */
  readonly hasOwnNorms?: true;
  readonly decoderWidth: number;
  readonly tasks: readonly TaskSpec[];
}

/** What a site learns to tell. */
export interface TaskSpec {
  readonly id: TaskId;
  readonly label: LabelKind;
  /** Name of the metric; absent: the one that goes with labels of this kind for every pixel. */
  readonly metric?: MetricName;
  /** Examples may lack this label: every batch says which have it. */
  readonly isPartial?: boolean;
  /** Factor of the task's loss in the sum over tasks. */
  readonly lossWeight: number;
  /** Class weight of class 0; 1 where it counts as any other class. */
  readonly backgroundWeight: number;
}

/** The model of a spec; equal specs give the same object. */
export function createModel(spec: ModelSpec): Model {
  const key = JSON.stringify(spec);
  const known = models.get(key);
  if (known !== undefined) return known;
  const tasks = spec.tasks.map((task) => ({
    id: task.id,
    outChannels: outputPlanes(task.label),
    loss: lossOf(task),
  }));
  const decoder = { width: spec.decoderWidth };
  const hasOwnNorms = spec.hasOwnNorms === true;
  const model =
    spec.kind === "dense"
      ? denseNet({
          height: spec.size,
          width: spec.size,
          encoder: { channels: spec.channels, hasOwnNorms },
          decoder,
          tasks,
        })
      : seriesNet({
          channels: spec.sensors.length,
          length: spec.length,
          stem: { width: spec.stemWidth },
          encoder: { channels: spec.channels, kernel: spec.kernel, hasOwnNorms },
          decoder,
          tasks,
        });
  models.set(key, model);
  return model;
}

/** Models are immutable, and a scenario has few different ones. */
const models = new Map<string, Model>();

function lossOf({ label, lossWeight: weight, backgroundWeight, isPartial = false }: TaskSpec): LossSpec {
  const common = { lossWeight: weight, ...(isPartial ? { mask: true } : {}) };
  switch (label.kind) {
    case "classes": {
      const classWeights = Array.from({ length: label.classCount }, (_, c) => (c === 0 ? backgroundWeight : 1));
      return { kind: "crossEntropy", ...common, ...(backgroundWeight === 1 ? {} : { classWeights }) };
    }
    case "mask":
      return { kind: "binaryCrossEntropy", ...common };
    case "unitVector":
      return { kind: "cosine", ...common };
    case "scalar":
      return { kind: "l1", ...common };
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
