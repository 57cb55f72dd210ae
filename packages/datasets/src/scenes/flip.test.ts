import { createRng } from "@kumiai/params";
import { beforeAll, expect, test } from "vitest";
import type { SceneItems } from "../items/item-images.js";
import { SCENE_TASKS, sceneTask } from "../tasks.js";
import { realItems } from "../testing/real-items.js";
import type { DenseExamples, SceneTask } from "../types.js";
import { composeScenes } from "./compose.js";
import { flipLabelsInPlace } from "./flip.js";

let items: SceneItems;
let plain: DenseExamples;
beforeAll(async () => {
  items = await realItems();
  plain = compose([]);
});

function compose(flipTasks: readonly SceneTask[]) {
  return composeScenes({
    items,
    domain: "garments",
    split: "test",
    rng: createRng(4),
    count: 2,
    size: 32,
    tasks: SCENE_TASKS.map(({ id }) => id),
    flipTasks: flipTasks.map(({ id }) => id),
  });
}

type Labels = Uint8Array | Float32Array | undefined;

/** Bit by bit, so that 0 and −0 differ. */
function isSame(a: Labels, b: Labels): boolean {
  if (a === undefined || b === undefined) throw new Error("no labels");
  const bytes = (values: Uint8Array | Float32Array) =>
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.compare(bytes(a), bytes(b)) === 0;
}

test.each(SCENE_TASKS)("$id: flipping twice gives back every bit, and once changes labels", (task) => {
  const labels = plain.labels.get(task.id);
  if (labels === undefined) throw new Error("no labels");
  const once = labels.slice();
  const stride = once.length / 2;
  const flipAll = () => {
    for (let i = 0; i < 2; i++) flipLabelsInPlace(task.label, once.subarray(i * stride, (i + 1) * stride));
  };
  flipAll();
  expect(isSame(once, labels)).toBe(false);
  flipAll();
  expect(isSame(once, labels)).toBe(true);
});

test.each(SCENE_TASKS)("$id: scenes with its labels flipped differ in these labels alone", (task) => {
  const flipped = compose([task]);
  expect(isSame(flipped.images, plain.images)).toBe(true);
  for (const { id } of SCENE_TASKS) {
    expect(isSame(flipped.labels.get(id), plain.labels.get(id))).toBe(id !== task.id);
  }
});

test("flipped labels are what they say", () => {
  const flip = <T extends Uint8Array | Float32Array>(id: string, values: T): T => {
    flipLabelsInPlace(sceneTask(id).label, values);
    return values;
  };
  expect(flip("semseg", Uint8Array.of(0, 1, 2, 10, 255))).toEqual(Uint8Array.of(0, 10, 9, 1, 255));
  expect(flip("parts", Uint8Array.of(0, 1, 2, 3))).toEqual(Uint8Array.of(0, 3, 2, 1));
  expect(flip("edge", Uint8Array.of(0, 1))).toEqual(Uint8Array.of(1, 0));
  expect(flip("saliency", Uint8Array.of(1, 0))).toEqual(Uint8Array.of(0, 1));
  expect(flip("depth", Float32Array.of(0.5, -2))).toEqual(Float32Array.of(-0.5, 2));
  expect(flip("normals", Float32Array.of(0.25, -0.5, 0.1, 0.2, 0.8, 0.9))).toEqual(
    Float32Array.of(-0.25, 0.5, 0.1, 0.2, 0.8, 0.9),
  );
});

test("a task that is not made cannot be flipped", () => {
  expect(() =>
    composeScenes({
      items,
      domain: "digits",
      split: "test",
      rng: createRng(1),
      count: 1,
      tasks: [sceneTask("edge").id],
      flipTasks: [sceneTask("depth").id],
    }),
  ).toThrow("flipTasks: expected some of edge, received depth");
});
