import { join } from "node:path";
import type { SceneDomain } from "../types.js";
import { readItemCache, writeItemCache } from "./cache.js";
import type { ItemImages, SceneItems } from "./item-images.js";
import { ITEM_SOURCES, type PackageResolver, readItemPackage } from "./read-package.js";

export interface LoadItemsOptions {
  /** Folder for the compact copies; made if it is not there. */
  readonly cacheDir: string;
  /** Told in one sentence what takes time or was mended, e.g. a cache that had to be made again. */
  readonly onNotice?: (message: string) => void;
  /** Where packages are found; default: from this package. */
  readonly resolve?: PackageResolver;
}

/**
 * The source images of both domains: 70,000 garments and about 10,000 digits. The first call reads the packages (about
 * 4 s) and writes the cache; later calls read the cache (about 0.1 s).
 * Throws DATA_PACKAGE_MISSING, DATA_MALFORMED or WRITE_FAILED.
 */
export async function loadItems(options: LoadItemsOptions): Promise<SceneItems> {
  const garments = await loadDomain("garments", options);
  const digits = await loadDomain("digits", options);
  return { garments, digits };
}

async function loadDomain(domain: SceneDomain, options: LoadItemsOptions): Promise<ItemImages> {
  const { cacheDir, resolve, onNotice = () => {} } = options;
  const { packageName, version } = ITEM_SOURCES[domain];
  const fileName = `${packageName}-${version}.items`;
  const cached = await readItemCache(join(cacheDir, fileName));
  switch (cached.state) {
    case "found":
      return cached.items;
    case "absent":
      onNotice(`reading the images of ${packageName} (once; kept in ${cacheDir})`);
      break;
    case "unusable":
      onNotice(`${join(cacheDir, fileName)} ${cached.problem}; making it again from ${packageName}`);
      break;
  }
  const items = await readItemPackage(domain, resolve);
  await writeItemCache(cacheDir, fileName, items);
  return items;
}
