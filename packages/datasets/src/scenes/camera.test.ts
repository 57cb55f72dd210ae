import { createRng, KumiaiError } from "@kumiai/params";
import { beforeAll, expect, test } from "vitest";
import type { SceneItems } from "../items/item-images.js";
import { realItems } from "../testing/real-items.js";
import type { DenseExamples } from "../types.js";
import { type Camera, drawCamera, photographInPlace } from "./camera.js";
import { composeScenes } from "./compose.js";
import { channelOf, levelOf } from "./paint.js";

let items: SceneItems;
beforeAll(async () => {
  items = await realItems();
});

function compose(camera?: Camera, count = 2): DenseExamples {
  const scenes = { items, domain: "digits", split: "train", rng: createRng(4), size: 32 } as const;
  return composeScenes({ ...scenes, count, ...(camera && { camera }) });
}

const bytesOf = ({ images, labels }: DenseExamples): Buffer =>
  Buffer.concat([images, ...labels.values()].map((part) => new Uint8Array(part.buffer)));

/** Root mean square difference of channels, 0 to 1. */
function distance(a: Float32Array, b: Float32Array): number {
  const sum = a.reduce((total, value, i) => total + (channelOf(value) - channelOf(b[i])) ** 2, 0);
  return Math.sqrt(sum / a.length);
}

test("strength 0 gives the bytes of no camera", () => {
  expect(bytesOf(compose(drawCamera(0, createRng(1)))).equals(bytesOf(compose()))).toBe(true);
});

test("a camera changes pictures and no label; a scene does not depend on how many are made", () => {
  const [plain, shifted] = [compose(), compose(drawCamera(1, createRng(1)))];
  expect(distance(shifted.images, plain.images)).toBeGreaterThan(0);
  for (const [task, labels] of shifted.labels) expect(labels).toEqual(plain.labels.get(task));
  const alone = compose(drawCamera(1, createRng(1)), 1).images;
  expect(alone).toEqual(shifted.images.slice(0, alone.length));
});

test("the stronger, the further from pictures without a camera, for each of 20 cameras; at 1 by at least 0.05 of the range", () => {
  const plain = compose();
  for (let site = 0; site < 20; site++) {
    const distances = [0.001, 0.25, 0.5, 0.75, 1].map((strength) =>
      distance(compose(drawCamera(strength, createRng(2).split(site))).images, plain.images),
    );
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
    expect(distances[0]).toBeLessThan(0.001);
    expect(distances[4]).toBeGreaterThan(0.05);
  }
});

test("light and tone wash nothing out: without blur and noise at most 1 channel in 1,000 is at 0 or 1", () => {
  for (let site = 0; site < 20; site++) {
    const { images } = compose({ ...drawCamera(1, createRng(6).split(site)), grain: 0, softness: 0 });
    const ends = images.filter((value) => channelOf(value) < 1e-6 || channelOf(value) > 1 - 1e-6).length;
    const before = compose().images.filter((value) => channelOf(value) < 1e-6 || channelOf(value) > 1 - 1e-6).length;
    expect(ends - before).toBeLessThan(images.length / 1000);
  }
});

test("a camera does what its equation says, by hand, within 1e-6", () => {
  const size = 16;
  const image = new Float32Array(3 * size * size).fill(levelOf(0.25));
  const camera: Camera = { strength: 0.5, softness: 0.7, gamma: 2.25, gains: [4, 1, 64], grain: 0 };
  photographInPlace(image, size, camera, createRng(1));
  const seen = [0, 1, 2].map((c) => channelOf(image[c * size * size]));
  // 0.25^(2.25^0.5) = 0.25^1.5 = 1/8, odds 1/7, times 4^0.5, 1 and 64^0.5: 2/7, 1/7, 8/7.
  [2 / 9, 1 / 8, 8 / 15].forEach((expected, c) => {
    expect(Math.abs(seen[c] - expected)).toBeLessThan(1e-6);
  });
});

test("softness blurs by its part: a lone bright pixel keeps 1 − sβ + sβ·(3/8)² of itself, within 1e-6", () => {
  const size = 16;
  const image = new Float32Array(3 * size * size).fill(levelOf(0));
  const middle = 8 * size + 8;
  image[middle] = levelOf(1);
  photographInPlace(image, size, { strength: 0.5, softness: 0.8, gamma: 1, gains: [1, 1, 1], grain: 0 }, createRng(1));
  expect(Math.abs(channelOf(image[middle]) - (0.6 + 0.4 * (3 / 8) ** 2))).toBeLessThan(1e-6);
});

test.each([-0.1, 1.1, Number.NaN])("strength %f is refused", (strength) => {
  expect(() => drawCamera(strength, createRng(1))).toThrow(KumiaiError);
});
