import type { SceneDomain } from "../types.js";

/** Side of a source image in pixels. */
export const ITEM_SIZE = 28;
/** Values of one source image. */
export const ITEM_PIXELS = ITEM_SIZE * ITEM_SIZE;
/** Classes of each domain: ten garments, ten digits. */
export const ITEM_CLASS_COUNT = 10;

/** The source images of one domain, one after another. */
export interface ItemImages {
  readonly count: number;
  /** [count, 28, 28], 0 (nothing) to 255. */
  readonly pixels: Uint8Array;
  /** [count], 0 to 9. */
  readonly classes: Uint8Array;
}

export type SceneItems = Readonly<Record<SceneDomain, ItemImages>>;

/** What the classes are called, by class index. */
export const ITEM_CLASS_NAMES: Readonly<Record<SceneDomain, readonly string[]>> = {
  garments: ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"],
  digits: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
};
