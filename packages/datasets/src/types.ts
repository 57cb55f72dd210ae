/** What a dataset is to the rest of the system: flat typed arrays, one row per example, and a description of each task's labels. */
import type { TaskId } from "@kumiai/params";

export type SceneDomain = "garments" | "digits";

/** Which items scenes are made of; the three have no item in common, and no site uses `pretrain`. */
export type SceneSplit = "pretrain" | "train" | "test";

/** The kinds of dense labels, and with them which loss and which metric make sense. */
export type LabelKind =
  /** One class index per pixel (Uint8), `classCount` classes; class 0 is the background. */
  | { readonly kind: "classes"; readonly classCount: number }
  /** 0 or 1 per pixel (Uint8). */
  | { readonly kind: "mask" }
  /** A unit vector per pixel, channels first (Float32, 3 planes). */
  | { readonly kind: "unitVector" }
  /** A real number per pixel (Float32, 1 plane). */
  | { readonly kind: "scalar" };

export interface SceneTask {
  readonly id: TaskId;
  readonly label: LabelKind;
  /** One line for people. */
  readonly summary: string;
}

/** `count` examples. Arrays may lie over SharedArrayBuffers, so that workers read them without a copy. */
export interface DenseExamples {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** [count, 3, height, width], roughly zero mean and unit variance. */
  readonly images: Float32Array;
  /** Per task: [count, planes, height, width]. */
  readonly labels: ReadonlyMap<TaskId, Uint8Array | Float32Array>;
}

/** `count` examples with one class each. */
export interface ClassifiedExamples {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** [count, 3, height, width], roughly zero mean and unit variance. */
  readonly images: Float32Array;
  readonly classCount: number;
  /** [count], 0 to classCount − 1. */
  readonly classes: Int32Array;
}
