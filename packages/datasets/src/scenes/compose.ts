/**
 * Scenes over real images: 2 to 4 garments or digits on a textured surface, with every label known exactly.
 *
 * Scene i of a call depends on `rng`, the domain, the split and i alone: not on how many scenes are made, nor on which
 * labels are asked for. Cost: about 1 ms a scene of 64×64.
 */
import { KumiaiError, type Rng, type TaskId } from "@kumiai/params";
import { ITEM_CLASS_COUNT, type SceneItems } from "../items/item-images.js";
import { type ItemPool, itemPools } from "../items/pools.js";
import { DOMAIN_TASKS, labelPlanes, sceneTask } from "../tasks.js";
import type { DenseExamples, SceneDomain, SceneSplit, SceneTask } from "../types.js";
import { type Arrangement, arrange } from "./arrange.js";
import { drawBackground } from "./background.js";
import { type Camera, photographInPlace } from "./camera.js";
import { flipLabelsInPlace } from "./flip.js";
import { LABEL_WRITERS } from "./labels.js";
import { DOMAIN_LOOKS } from "./look.js";
import { paintInto } from "./paint.js";
import { type Surface, surfaceOf } from "./surface.js";

export interface ComposeOptions {
  readonly items: SceneItems;
  readonly domain: SceneDomain;
  /** Which items the scenes are made of. */
  readonly split: SceneSplit;
  /** The stream of these scenes; give every site its own, e.g. `rng.split(clientId)`. */
  readonly rng: Rng;
  readonly count: number;
  /** Side of a scene in pixels, 16 to 256. Default 64. */
  readonly size?: number;
  /** Labels to make. Default: those of the domain (`DOMAIN_TASKS`). */
  readonly tasks?: readonly TaskId[];
  /** How often each of the ten item classes is drawn, as `drawClassShares` gives it. Default: all alike. */
  readonly classShares?: readonly number[];
  /** What all pictures are taken with, as `drawCamera` gives it. Default: none, pictures as they are painted. */
  readonly camera?: Camera;
  /** Of `tasks`, those whose labels contradict other sites' (`flip.ts`). Default: none. */
  readonly flipTasks?: readonly TaskId[];
}

export const DEFAULT_SCENE_SIZE = 64;

/**
 * Throws INVALID_CONFIG for a count, size or shares out of range and for flipping a task that is not made; UNKNOWN_TASK for a task without
 * labels.
 */
export function composeScenes(options: ComposeOptions): DenseExamples {
  const { count, domain, size = DEFAULT_SCENE_SIZE } = options;
  const painter = createPainter({ ...options, size });
  const pixels = size * size;
  const tasks = [...new Set(options.tasks ?? DOMAIN_TASKS[domain])].map(sceneTask);
  const flips = flippedOf(options.flipTasks ?? [], tasks);
  const images = sharedFloats(count * 3 * pixels);
  const labels = new Map<TaskId, Uint8Array | Float32Array>(
    tasks.map((task) => [task.id, labelArray(task, count * pixels)]),
  );
  for (let i = 0; i < count; i++) {
    const { scene, surface } = painter.paint(i, images.subarray(i * 3 * pixels, (i + 1) * 3 * pixels));
    for (const task of tasks) {
      const stride = labelPlanes(task.label) * pixels;
      const out = labels.get(task.id)?.subarray(i * stride, (i + 1) * stride);
      if (out === undefined) continue;
      LABEL_WRITERS[task.id]?.({ scene, surface, size }, out);
      if (flips.has(task.id)) flipLabelsInPlace(task.label, out);
    }
  }
  return { count, height: size, width: size, images, labels };
}

function flippedOf(flipTasks: readonly TaskId[], tasks: readonly SceneTask[]): ReadonlySet<TaskId> {
  for (const task of flipTasks) {
    if (tasks.some(({ id }) => id === task)) continue;
    const made = tasks.map(({ id }) => id).join(", ");
    throw new KumiaiError("INVALID_CONFIG", `flipTasks: expected some of ${made}, received ${task}`);
  }
  return new Set(flipTasks);
}

export interface PaintedScene {
  readonly scene: Arrangement;
  readonly surface: Surface;
}

/** Makes scenes of one domain and split one at a time. */
export interface ScenePainter {
  /** Writes the picture of scene `index` to `image` [3, size, size] and says what is in it. */
  paint(index: number, image: Float32Array): PaintedScene;
}

export type PainterOptions = Omit<ComposeOptions, "tasks" | "flipTasks"> & { readonly size: number };

export function createPainter(options: PainterOptions): ScenePainter {
  const { domain, split, size, count, classShares, camera } = options;
  requireInteger("count", count, 0, 1_000_000);
  requireInteger("size", size, 16, 256);
  if (classShares !== undefined) requireShares(classShares);
  const source = options.items[domain];
  const pool = poolsOf(options.items, domain)[split];
  const look = DOMAIN_LOOKS[domain];
  const stream = options.rng.split("scenes").split(domain).split(split);
  return {
    paint(index, image) {
      const rng = stream.split(index);
      const scene = arrange({ source, pool, look, size, ...(classShares && { classShares }) }, rng.split("items"));
      const background = drawBackground(domain, size, rng.split("background"));
      const surface = surfaceOf(scene, background, size);
      paintInto(image, { scene, background, surface }, look, rng.split("noise"));
      if (camera !== undefined) photographInPlace(image, size, camera, rng.split("camera"));
      return { scene, surface };
    },
  };
}

/** Dealing 70,000 items takes a moment, and it is the same for all calls with the same items. */
const knownPools = new WeakMap<SceneItems, Map<SceneDomain, Readonly<Record<SceneSplit, ItemPool>>>>();

function poolsOf(items: SceneItems, domain: SceneDomain): Readonly<Record<SceneSplit, ItemPool>> {
  const known = knownPools.get(items) ?? new Map();
  knownPools.set(items, known);
  const pools = known.get(domain) ?? itemPools(items[domain]);
  known.set(domain, pools);
  return pools;
}

export function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

function labelArray(task: SceneTask, pixels: number): Uint8Array | Float32Array {
  switch (task.label.kind) {
    case "classes":
    case "mask":
      return new Uint8Array(new SharedArrayBuffer(pixels));
    case "unitVector":
    case "scalar":
      return sharedFloats(labelPlanes(task.label) * pixels);
  }
}

function requireShares(shares: readonly number[]): void {
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.length !== ITEM_CLASS_COUNT || !shares.every((share) => share >= 0) || !(Math.abs(sum - 1) < 1e-9)) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `classShares: expected ${ITEM_CLASS_COUNT} numbers of 0 or more with sum 1, received [${shares.join(", ")}]`,
    );
  }
}

function requireInteger(name: string, value: number, low: number, high: number): void {
  if (!Number.isSafeInteger(value) || value < low || value > high) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `${name}: expected a whole number from ${low} to ${high}, received ${value}`,
    );
  }
}
