export { ITEM_CLASS_COUNT, ITEM_CLASS_NAMES, type ItemImages, type SceneItems } from "./items/item-images.js";
export { type LoadItemsOptions, loadItems } from "./items/load-items.js";
export type { PackageResolver } from "./items/read-package.js";
export { CLASS_COLORS, PART_COLORS, type Rgb, viridis } from "./palette.js";
export { outputPlanes, renderImage, renderLabel, renderPrediction } from "./render.js";
export { type Camera, drawCamera } from "./scenes/camera.js";
export { type ClassificationOptions, composeClassification } from "./scenes/classification.js";
export { type ComposeOptions, composeScenes, DEFAULT_SCENE_SIZE } from "./scenes/compose.js";
export { drawClassShares } from "./scenes/shares.js";
export { CMAPSS_SUBSETS, type CmapssSubset, type LoadCmapssOptions, loadCmapss } from "./series/cmapss.js";
export { columnWords } from "./series/csv/column-words.js";
export { type GuessedColumn, guessRoles, rolesOf } from "./series/csv/guess-roles.js";
export { type CsvRoles, type CsvTarget, loadCsv } from "./series/csv/load-csv.js";
export { type ColumnProfile, type CsvProfile, profileCsv } from "./series/csv/profile-csv.js";
export type { CsvFormat } from "./series/csv/records.js";
export { examplesOf, type SiteSeries, type SiteSeriesOptions, siteSeries } from "./series/examples.js";
export {
  HYDRAULIC_CHANNELS,
  HYDRAULIC_CYCLE_LENGTH,
  type LoadFolderOptions,
  loadHydraulic,
} from "./series/hydraulic.js";
export { channelNames, fitScaling, type ScalingOptions, type SeriesScaling } from "./series/scaling.js";
export { labeledWindows, type SeriesSelection, type ShareRange, selectWindows } from "./series/select.js";
export {
  type BlockSplitOptions,
  NO_SIDE,
  type SeriesSplit,
  splitByBlocks,
  splitByUnits,
  TEST_SIDE,
  TRAIN_SIDE,
  type UnitSplitOptions,
} from "./series/split.js";
export { type SuggestedWindows, suggestWindows } from "./series/suggest-windows.js";
export type {
  OnNotice,
  SeriesExamples,
  SeriesLabelKind,
  SeriesMetric,
  SeriesTable,
  SeriesTarget,
  SeriesTask,
  WindowSet,
} from "./series/types.js";
export { lastWindows, type WindowOptions, windowsOf } from "./series/windows.js";
export { DOMAIN_TASKS, labelPlanes, SCENE_TASKS, sceneTask } from "./tasks.js";
export type { ClassifiedExamples, DenseExamples, LabelKind, SceneDomain, SceneSplit, SceneTask } from "./types.js";
