/** Scenes of the datasets' composer, with one stream of random numbers per (seed, client). */
import {
  type ComposeOptions,
  composeScenes,
  drawCamera,
  drawClassShares,
  ITEM_CLASS_COUNT,
  loadItems,
  SCENE_TASKS,
  type SceneDomain,
  sceneTask,
} from "@kumiai/datasets";
import { createRng, type Rng, type TaskId } from "@kumiai/params";
import type { Scenario, SiteScenes } from "../config/scenario.js";
import { contentHash } from "../content-hash.js";
import { examplesOfScenes } from "../examples.js";
import type { ModelSpec } from "../model.js";
import type { DataSource, OpenDataOptions, SiteModels } from "./source.js";

/** The task whose model everybody's encoder and decoder start from. */
const REFERENCE_TASK = (SCENE_TASKS[0] as (typeof SCENE_TASKS)[number]).id;

/** Loads the source images once. Throws DATA_PACKAGE_MISSING, DATA_MALFORMED or WRITE_FAILED. */
export async function openSceneSource(
  scenario: Scenario,
  { cacheDir, onNotice }: OpenDataOptions,
): Promise<DataSource> {
  const items = await loadItems({ cacheDir, ...(onNotice === undefined ? {} : { onNotice }) });
  return {
    ...sceneModels(scenario),
    contentHash: () => contentHash(items),
    countsOf: ({ trainCount, tasks }) => ({
      train: trainCount,
      test: scenario.evaluation.testCount,
      trainLabels: trainCount * tasks.length,
    }),
    examplesOf(client, seed) {
      const rng = createRng(seed).split("scenes").split(client.id);
      const differences = differencesOf(client.scenes, rng);
      const compose = (split: "train" | "test", count: number) =>
        composeScenes({
          items,
          domain: client.domain as SceneDomain,
          rng,
          size: scenario.scenes.size,
          tasks: client.tasks,
          split,
          count,
          ...differences,
        });
      const scenes = compose("test", scenario.evaluation.testCount);
      return {
        train: examplesOfScenes(compose("train", client.trainCount)),
        test: examplesOfScenes(scenes),
        scenes,
      };
    },
  };
}

/** What sets a site apart, drawn once: its training and its test scenes have it alike. */
function differencesOf(
  { classSkew, domainShift, flipTasks }: SiteScenes = {},
  rng: Rng,
): Pick<ComposeOptions, "classShares" | "camera" | "flipTasks"> {
  return {
    ...(classSkew === undefined
      ? {}
      : { classShares: drawClassShares(ITEM_CLASS_COUNT, classSkew, rng.split("class-skew")) }),
    ...(domainShift === undefined ? {} : { camera: drawCamera(domainShift, rng.split("domain-shift")) }),
    ...(flipTasks === undefined ? {} : { flipTasks }),
  };
}

/** The models of a scenario about scenes, which are known before any scene is made. */
export function sceneModels(scenario: Scenario): SiteModels {
  return {
    modelOf: ({ tasks }) => sceneModel(scenario, tasks),
    reference: sceneModel(scenario, [REFERENCE_TASK]),
  };
}

function sceneModel({ scenes, model, training }: Scenario, tasks: readonly TaskId[]): ModelSpec {
  return {
    kind: "dense",
    size: scenes.size,
    channels: model.encoder.channels,
    ...(model.encoder.norms === "own" ? { hasOwnNorms: true as const } : {}),
    decoderWidth: model.decoder.width,
    tasks: tasks.map((id) => ({
      id,
      label: sceneTask(id).label,
      lossWeight: (Object.hasOwn(training.lossWeights, id) ? training.lossWeights[id] : undefined) ?? 1,
      backgroundWeight: id === "semseg" ? training.backgroundLossWeight : 1,
    })),
  };
}
