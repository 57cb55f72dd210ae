/**
 * Images, labels and raw model outputs as RGB pictures: Uint8Array [height·width·3], row by row.
 *
 * Raw outputs are what a model gives before any decision: for classes logits [classCount, h, w] (the highest wins), for
 * a mask logits [1, h, w] (shown as a probability), for vectors [3, h, w] of any length, for a scalar [1, h, w].
 * A truth and its prediction of the same values give the same picture.
 */
import { KumiaiError } from "@kumiai/params";
import { CLASS_COLORS, PART_COLORS, type Rgb, viridis } from "./palette.js";
import { channelOf } from "./scenes/paint.js";
import type { DenseExamples, LabelKind, SceneTask } from "./types.js";

/** Depth labels shown from near (light) to far (dark). */
const NEAREST_SHOWN = -2.5;
const FURTHEST_SHOWN = 1;

/** The picture of example `index`. */
export function renderImage(examples: Pick<DenseExamples, "images" | "height" | "width">, index: number): Uint8Array {
  const pixels = examples.height * examples.width;
  const first = 3 * pixels * index;
  const image = examples.images.subarray(first, first + 3 * pixels);
  return render(pixels, (i) => [
    byteOf(channelOf(image[i])),
    byteOf(channelOf(image[pixels + i])),
    byteOf(channelOf(image[2 * pixels + i])),
  ]);
}

/** `values`: one example's labels [planes, height, width], as in `DenseExamples.labels`. */
export function renderLabel(
  task: SceneTask,
  values: Uint8Array | Float32Array,
  height: number,
  width: number,
): Uint8Array {
  const pixels = height * width;
  requireLength(task, values.length, task.label.kind === "unitVector" ? 3 * pixels : pixels);
  const colors = classColors(task.label);
  switch (task.label.kind) {
    case "classes":
      return render(pixels, (i) => colors[values[i] % colors.length]);
    case "mask":
      return render(pixels, (i) => gray(values[i]));
    case "unitVector":
      return render(pixels, (i) => vectorColor(values[i], values[pixels + i], values[2 * pixels + i]));
    case "scalar":
      return render(pixels, (i) => depthColor(values[i]));
  }
}

/** `rawOutput`: one example's raw model output, [planes, height, width]. Throws DATA_MALFORMED for another length. */
export function renderPrediction(task: SceneTask, rawOutput: Float32Array, height: number, width: number): Uint8Array {
  const pixels = height * width;
  requireLength(task, rawOutput.length, outputPlanes(task.label) * pixels);
  const colors = classColors(task.label);
  switch (task.label.kind) {
    case "classes":
      return render(pixels, (i) => colors[highestPlane(rawOutput, i, pixels, colors.length)]);
    case "mask":
      return render(pixels, (i) => gray(1 / (1 + Math.exp(-rawOutput[i]))));
    case "unitVector":
    case "scalar":
      return renderLabel(task, rawOutput, height, width);
  }
}

/** Planes of a model's raw output for labels of this kind. */
export function outputPlanes(label: LabelKind): number {
  switch (label.kind) {
    case "classes":
      return label.classCount;
    case "unitVector":
      return 3;
    case "mask":
    case "scalar":
      return 1;
  }
}

function classColors(label: LabelKind): readonly Rgb[] {
  if (label.kind !== "classes") return [];
  const base = label.classCount <= PART_COLORS.length ? PART_COLORS : CLASS_COLORS;
  return Array.from({ length: label.classCount }, (_, k) => base[k % base.length]);
}

function highestPlane(values: Float32Array, i: number, pixels: number, planes: number): number {
  let best = 0;
  for (let plane = 1; plane < planes; plane++) if (values[plane * pixels + i] > values[best * pixels + i]) best = plane;
  return best;
}

function gray(value: number): Rgb {
  const level = byteOf(value);
  return [level, level, level];
}

/** (n + 1) / 2, with y turned up as pictures of normals have it. */
function vectorColor(x: number, y: number, z: number): Rgb {
  const norm = Math.sqrt(x * x + y * y + z * z) || 1;
  return [byteOf((x / norm + 1) / 2), byteOf((1 - y / norm) / 2), byteOf((z / norm + 1) / 2)];
}

function depthColor(value: number): Rgb {
  return viridis((FURTHEST_SHOWN - value) / (FURTHEST_SHOWN - NEAREST_SHOWN));
}

function byteOf(value: number): number {
  return value > 0 ? Math.min(255, Math.round(255 * value)) : 0;
}

function render(pixels: number, colorAt: (i: number) => Rgb): Uint8Array {
  const out = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) out.set(colorAt(i), 3 * i);
  return out;
}

function requireLength(task: SceneTask, received: number, expected: number): void {
  if (received !== expected) {
    throw new KumiaiError("DATA_MALFORMED", `${task.id}: expected ${expected} values to draw, received ${received}`, {
      task: task.id,
      expected,
      received,
    });
  }
}
