export { ITEM_CLASS_NAMES, type ItemImages, type SceneItems } from "./items/item-images.js";
export { type LoadItemsOptions, loadItems } from "./items/load-items.js";
export type { PackageResolver } from "./items/read-package.js";
export { CLASS_COLORS, PART_COLORS, type Rgb, viridis } from "./palette.js";
export { outputPlanes, renderImage, renderLabel, renderPrediction } from "./render.js";
export { type ClassificationOptions, composeClassification } from "./scenes/classification.js";
export { type ComposeOptions, composeScenes, DEFAULT_SCENE_SIZE } from "./scenes/compose.js";
export { DOMAIN_TASKS, labelPlanes, SCENE_TASKS, sceneTask } from "./tasks.js";
export type { ClassifiedExamples, DenseExamples, LabelKind, SceneDomain, SceneSplit, SceneTask } from "./types.js";
