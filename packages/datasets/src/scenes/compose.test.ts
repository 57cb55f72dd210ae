import { createHash } from "node:crypto";
import { createRng, KumiaiError, parseTaskId, type TaskId } from "@kumiai/params";
import { beforeAll, expect, test } from "vitest";
import type { SceneItems } from "../items/item-images.js";
import { itemPools } from "../items/pools.js";
import { DOMAIN_TASKS, SCENE_TASKS } from "../tasks.js";
import { realItems } from "../testing/real-items.js";
import type { DenseExamples, SceneDomain } from "../types.js";
import { type ComposeOptions, composeScenes, createPainter } from "./compose.js";

const ALL_TASKS = SCENE_TASKS.map((task) => task.id);
const DOMAINS = ["garments", "digits"] as const;
let items: SceneItems;
beforeAll(async () => {
  items = await realItems();
});

function compose(domain: SceneDomain, options: Partial<ComposeOptions> = {}): DenseExamples {
  return composeScenes({ items, domain, split: "test", rng: createRng(11), count: 4, ...options });
}

function labelsOf(examples: DenseExamples, task: string): Uint8Array | Float32Array {
  const labels = examples.labels.get(parseTaskId(task));
  if (labels === undefined) throw new Error(`no labels for ${task}`);
  return labels;
}

function hashOf(values: Uint8Array | Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

test("the bytes of four scenes are what they always were", () => {
  const hashes = DOMAINS.map((domain) => {
    const examples = compose(domain, { tasks: ALL_TASKS });
    return [hashOf(examples.images), ...ALL_TASKS.map((task) => hashOf(labelsOf(examples, task)))];
  });
  expect(hashes).toMatchInlineSnapshot(`
    [
      [
        "02e0e7920544a288",
        "3ef2453f49f9099c",
        "8a5c8aca50b5c8a5",
        "c98c2b9d308baf3f",
        "85192b64047f8ae8",
        "5a31fa640c4eac9e",
        "b4d4327baca993f6",
      ],
      [
        "c65729446ff4e57b",
        "7a7af7cfe0f3ffec",
        "99d716f2cf18d5e8",
        "7ad3fb31a7751c32",
        "c28d44861805120b",
        "764ed4dca705234c",
        "a431c0186cddcf08",
      ],
    ]
  `);
});

test("a scene does not depend on how many are made, nor on the labels asked for", () => {
  const few = compose("garments", { count: 2, tasks: [parseTaskId("edge")] });
  const many = compose("garments", { count: 5, tasks: ALL_TASKS });
  expect(hashOf(few.images)).toBe(hashOf(many.images.slice(0, few.images.length)));
  expect(hashOf(labelsOf(few, "edge"))).toBe(hashOf(labelsOf(many, "edge").slice(0, 2 * 64 * 64)));
});

test("other seeds, splits, domains and indices give other scenes", () => {
  const stride = 3 * 64 * 64;
  const base = compose("garments");
  const hashes = [
    hashOf(base.images.slice(0, stride)),
    hashOf(base.images.slice(stride, 2 * stride)),
    hashOf(compose("garments", { rng: createRng(12), count: 1 }).images),
    hashOf(compose("garments", { split: "train", count: 1 }).images),
    hashOf(compose("digits", { count: 1 }).images),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
});

test("labels default to the domain's tasks, and arrays lie over shared memory", () => {
  for (const domain of DOMAINS) {
    const examples = compose(domain, { count: 1 });
    expect([...examples.labels.keys()]).toEqual(DOMAIN_TASKS[domain]);
    for (const values of [examples.images, ...examples.labels.values()]) {
      expect(values.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
  }
});

test.each(DOMAINS)("%s: scenes of a split show 2 to 4 items of that split alone", (domain) => {
  const pools = itemPools(items[domain]);
  for (const split of ["pretrain", "train", "test"] as const) {
    const allowed = new Set(pools[split].flat());
    const painter = createPainter({ items, domain, split, rng: createRng(5), count: 60, size: 64 });
    for (let i = 0; i < 60; i++) {
      const { scene } = painter.paint(i, new Float32Array(3 * 64 * 64));
      expect(scene.items.length).toBeGreaterThanOrEqual(2);
      expect(scene.items.length).toBeLessThanOrEqual(4);
      for (const item of scene.items) expect(allowed.has(item.itemIndex)).toBe(true);
    }
  }
});

test.each(DOMAINS)("%s: the labels of a pixel agree with each other", (domain) => {
  const examples = compose(domain, { count: 12, tasks: ALL_TASKS });
  const semseg = labelsOf(examples, "semseg");
  const parts = labelsOf(examples, "parts");
  const saliency = labelsOf(examples, "saliency");
  const disagreements = semseg.filter(
    (label, i) => label > 10 || label > 0 !== parts[i] > 0 || parts[i] > 3 || (saliency[i] === 1 && label === 0),
  );
  expect(disagreements).toHaveLength(0);
});

test.each(DOMAINS)("%s: the salient item is nearer than everything else at its edge", (domain) => {
  const painter = createPainter({ items, domain, split: "test", rng: createRng(6), count: 30, size: 64 });
  for (let i = 0; i < 30; i++) {
    const { scene, surface } = painter.paint(i, new Float32Array(3 * 64 * 64));
    const depths = scene.items.map((item) => item.depth);
    expect(depths).toEqual([...depths].sort((a, b) => a - b));
    expect(Math.max(...depths)).toBeLessThan(Math.min(...backgroundDepths(scene.owner, surface.depth)));
    expect(scene.owner.includes(1)).toBe(true);
  }
});

function backgroundDepths(owner: Uint8Array, depth: Float32Array): number[] {
  return Array.from(depth).filter((_, pixel) => owner[pixel] === 0);
}

test.each(DOMAINS)("%s: an edge pixel has a neighbor of another owner, and only such a pixel", (domain) => {
  const painter = createPainter({ items, domain, split: "test", rng: createRng(7), count: 1, size: 64 });
  const { scene } = painter.paint(0, new Float32Array(3 * 64 * 64));
  const edge = labelsOf(compose(domain, { rng: createRng(7), count: 1, tasks: ALL_TASKS }), "edge");
  const { owner } = scene;
  for (let i = 0; i < owner.length; i++) {
    const x = i % 64;
    const around = [i - 64, i + 64, ...(x > 0 ? [i - 1] : []), ...(x < 63 ? [i + 1] : [])];
    const borders = around.some((other) => owner[other] !== undefined && owner[other] !== owner[i]);
    if ((edge[i] === 1) !== borders) throw new Error(`pixel ${i}: edge ${edge[i]}, borders ${borders}`);
  }
});

test("normals are unit vectors within 1e-6 that face the viewer", () => {
  const normals = labelsOf(compose("digits", { count: 3 }), "normals");
  const pixels = 64 * 64;
  for (let i = 0; i < 3 * pixels; i++) {
    const at = Math.floor(i / pixels) * 3 * pixels + (i % pixels);
    const z = normals[at + 2 * pixels];
    const norm = Math.hypot(normals[at], normals[at + pixels], z);
    if (Math.abs(norm - 1) > 1e-6 || !(z > 0)) throw new Error(`pixel ${i}: norm ${norm}, z ${z}`);
  }
});

test.each([
  ["garments", 0.77, 0.03],
  ["digits", 0.866, 0.02],
] as const)("%s: the background fills %f of the pixels within %f", (domain, share, tolerance) => {
  const semseg = labelsOf(compose(domain, { count: 200, rng: createRng(3), tasks: [parseTaskId("semseg")] }), "semseg");
  const background = Array.from(semseg).filter((label) => label === 0).length / semseg.length;
  expect(Math.abs(background - share)).toBeLessThan(tolerance);
});

test("images have about zero mean and unit variance, within 0.35 and 0.3", () => {
  for (const domain of DOMAINS) {
    const { images } = compose(domain, { count: 50, tasks: [] });
    const mean = images.reduce((sum, value) => sum + value, 0) / images.length;
    const variance = images.reduce((sum, value) => sum + (value - mean) ** 2, 0) / images.length;
    expect(Math.abs(mean)).toBeLessThan(0.35);
    expect(Math.abs(variance - 1)).toBeLessThan(0.3);
  }
});

test("scenes may be smaller or larger than 64 pixels", () => {
  for (const size of [16, 96]) {
    const examples = compose("garments", { size, count: 2 });
    expect(examples.images).toHaveLength(2 * 3 * size * size);
    expect(examples.images.every(Number.isFinite)).toBe(true);
    expect(labelsOf(examples, "semseg").some((label: number) => label > 0)).toBe(true);
  }
});

test("refuses counts, sizes and tasks that there are not", () => {
  const code = (options: Partial<ComposeOptions>): string => {
    try {
      compose("digits", options);
    } catch (error) {
      if (error instanceof KumiaiError) return error.code;
      throw error;
    }
    return "none";
  };
  expect(code({ count: -1 })).toBe("INVALID_CONFIG");
  expect(code({ count: 1.5 })).toBe("INVALID_CONFIG");
  expect(code({ size: 8 })).toBe("INVALID_CONFIG");
  expect(code({ tasks: ["flow" as TaskId] })).toBe("UNKNOWN_TASK");
});

test("item classes that are all alike are drawn as without shares: the same scenes", () => {
  const alike = compose("garments", { count: 20, classShares: new Array<number>(10).fill(0.1) });
  const plain = compose("garments", { count: 20 });
  expect(hashOf(alike.images)).toBe(hashOf(plain.images));
  expect(hashOf(labelsOf(alike, "semseg"))).toBe(hashOf(labelsOf(plain, "semseg")));
});

test("scenes show the classes that have a share, and no other", () => {
  const classShares = [0, 0, 0.5, 0, 0, 0, 0, 0.5, 0, 0];
  const semseg = labelsOf(compose("digits", { count: 30, classShares }), "semseg");
  expect([...new Set(semseg)].sort((a, b) => a - b)).toEqual([0, 3, 8]);
});

test.each([[[0.5, 0.5]], [new Array<number>(10).fill(0.2)], [[-0.5, 1.5, 0, 0, 0, 0, 0, 0, 0, 0]]])(
  "shares %j are refused",
  (classShares) => {
    expect(() => compose("digits", { classShares })).toThrow(
      "classShares: expected 10 numbers of 0 or more with sum 1",
    );
  },
);
