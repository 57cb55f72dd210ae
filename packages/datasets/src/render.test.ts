import { createRng, KumiaiError } from "@kumiai/params";
import { expect, test } from "vitest";
import { viridis } from "./palette.js";
import { outputPlanes, renderImage, renderLabel, renderPrediction } from "./render.js";
import { composeScenes } from "./scenes/compose.js";
import { SCENE_TASKS, sceneTask } from "./tasks.js";
import { realItems } from "./testing/real-items.js";
import type { LabelKind } from "./types.js";

/** A raw output that says exactly what the labels say: high logits, the vectors tripled, the values themselves. */
function certainOutput(label: LabelKind, values: Uint8Array | Float32Array, pixels: number): Float32Array {
  const output = new Float32Array(outputPlanes(label) * pixels);
  for (let i = 0; i < values.length; i++) {
    if (label.kind === "classes") output[values[i] * pixels + i] = 5;
    else if (label.kind === "mask") output[i] = values[i] === 1 ? 50 : -50;
    else output[i] = label.kind === "unitVector" ? 3 * values[i] : values[i];
  }
  return output;
}

test("a prediction that says what the truth says gives the same picture, for every task, within one level", async () => {
  const examples = composeScenes({
    items: await realItems(),
    domain: "garments",
    split: "test",
    rng: createRng(1),
    count: 1,
    tasks: SCENE_TASKS.map((task) => task.id),
  });
  for (const task of SCENE_TASKS) {
    const values = examples.labels.get(task.id) ?? new Uint8Array();
    const truth = renderLabel(task, values, 64, 64);
    const prediction = renderPrediction(task, certainOutput(task.label, values, 64 * 64), 64, 64);
    expect(truth).toHaveLength(64 * 64 * 3);
    expect(truth.every((level, i) => Math.abs(level - prediction[i]) <= 1)).toBe(true);
    expect(new Set(truth).size).toBeGreaterThan(1);
  }
});

test("an image comes back as the colors it was painted with", () => {
  // One pixel: mean gray, one below black, one beyond white.
  const picture = renderImage({ images: Float32Array.of(0, -100, 100), height: 1, width: 1 }, 0);
  expect(Array.from(picture)).toEqual([135, 0, 255]);
});

test("masks are gray, an unsure logit is in the middle", () => {
  expect(Array.from(renderPrediction(sceneTask("edge"), Float32Array.of(0), 1, 1))).toEqual([128, 128, 128]);
});

test("a normal that faces the viewer is light blue", () => {
  expect(Array.from(renderLabel(sceneTask("normals"), Float32Array.of(0, 0, 1), 1, 1))).toEqual([128, 128, 255]);
});

test("viridis runs from dark violet to yellow and takes any number", () => {
  expect(viridis(0)).toEqual([68, 1, 84]);
  expect(viridis(1)).toEqual([253, 231, 37]);
  expect(viridis(7)).toEqual([253, 231, 37]);
  expect(viridis(Number.NaN)).toEqual([68, 1, 84]);
});

test("refuses arrays of the wrong length", () => {
  const act = (): Uint8Array => renderPrediction(sceneTask("semseg"), new Float32Array(10), 1, 1);
  expect(act).toThrow(KumiaiError);
  expect(act).toThrow(/semseg: expected 11 values to draw, received 10/);
});
