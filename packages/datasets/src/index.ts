export { ITEM_CLASS_NAMES, type ItemImages, type SceneItems } from "./items/item-images.js";
export { type LoadItemsOptions, loadItems } from "./items/load-items.js";
export type { PackageResolver } from "./items/read-package.js";
export type { ClassifiedExamples, DenseExamples, LabelKind, SceneDomain, SceneSplit, SceneTask } from "./types.js";
