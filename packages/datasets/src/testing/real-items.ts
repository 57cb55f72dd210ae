import { fileURLToPath } from "node:url";
import type { SceneItems } from "../items/item-images.js";
import { loadItems } from "../items/load-items.js";

/** The real images, through the clone's own cache: the first test run reads the packages, later ones do not. */
export function realItems(): Promise<SceneItems> {
  return loadItems({ cacheDir: fileURLToPath(new URL("../../../../.cache/kumiai", import.meta.url)) });
}
