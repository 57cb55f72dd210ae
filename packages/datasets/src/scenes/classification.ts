import type { Rng } from "@kumiai/params";
import { ITEM_CLASS_COUNT, type SceneItems } from "../items/item-images.js";
import type { ClassifiedExamples, SceneSplit } from "../types.js";
import { createPainter, DEFAULT_SCENE_SIZE, sharedFloats } from "./compose.js";

export interface ClassificationOptions {
  readonly items: SceneItems;
  readonly rng: Rng;
  readonly count: number;
  /** Default `pretrain`: items that no site uses. */
  readonly split?: SceneSplit;
  readonly size?: number;
}

/**
 * Scenes of both domains in turn, each with the class of its nearest item: 0 to 9 garments, 10 to 19 digits. For
 * pre-training an encoder. Throws INVALID_CONFIG as `composeScenes` does.
 */
export function composeClassification(options: ClassificationOptions): ClassifiedExamples {
  const { items, rng, count, split = "pretrain", size = DEFAULT_SCENE_SIZE } = options;
  const painters = (["garments", "digits"] as const).map((domain) =>
    createPainter({ items, domain, split, rng: rng.split("classification"), count, size }),
  );
  const stride = 3 * size * size;
  const images = sharedFloats(count * stride);
  const classes = new Int32Array(new SharedArrayBuffer(4 * count));
  for (let i = 0; i < count; i++) {
    const domain = i % 2;
    const { scene } = painters[domain].paint(i, images.subarray(i * stride, (i + 1) * stride));
    classes[i] = domain * ITEM_CLASS_COUNT + scene.items[0].itemClass;
  }
  return { count, height: size, width: size, images, classCount: 2 * ITEM_CLASS_COUNT, classes };
}
