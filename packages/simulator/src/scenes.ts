/** Where clients' scenes come from: the datasets' composer, with one stream of random numbers per (seed, client). */
import { composeScenes, type DenseExamples, loadItems, type SceneItems } from "@kumiai/datasets";
import { createRng } from "@kumiai/params";
import type { ClientConfig, Scenario } from "./config/scenario.js";

export interface SceneSource {
  readonly items: SceneItems;
}

/** Loads the source images once. Throws DATA_PACKAGE_MISSING, DATA_MALFORMED or WRITE_FAILED. */
export async function openSceneSource(cacheDir: string, onNotice?: (message: string) => void): Promise<SceneSource> {
  return { items: await loadItems({ cacheDir, ...(onNotice === undefined ? {} : { onNotice }) }) };
}

/** A client's scenes for one seed, with labels for its own tasks only. Train and test scenes have no item in common. */
export function composeClientScenes(
  source: SceneSource,
  scenario: Scenario,
  client: ClientConfig,
  seed: number,
): { readonly train: DenseExamples; readonly test: DenseExamples } {
  const common = {
    items: source.items,
    domain: client.domain,
    rng: createRng(seed).split("scenes").split(client.id),
    size: scenario.scenes.size,
    tasks: client.tasks,
  };
  return {
    train: composeScenes({ ...common, split: "train", count: client.trainCount }),
    test: composeScenes({ ...common, split: "test", count: scenario.evaluation.testCount }),
  };
}
