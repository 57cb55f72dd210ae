/**
 * A hash of the program that computes runs: the built scripts and WASM of our packages, without those that only show results. A kept run of
 * another build may differ in any bit, so it is not used; without this, a method that was mended would keep its old numbers.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { KUMIAI_VERSION } from "../version.js";

/** Parts of this package that show or keep results, and those whose outcome (the parsed scenario) is hashed itself. */
const WITHOUT =
  /^(?:config|report|kept-runs|sweep|statistics|tables|testing)\/|^(?:assemble|compare|content-hash|events|index|pretrain|result|serialize|statistics)\.js$/;

export async function programHash(): Promise<string> {
  const self = fileURLToPath(new URL("../../dist/", import.meta.url));
  const algorithms = folderOf("@kumiai/algorithms", import.meta.url);
  const folders = [
    folderOf("@kumiai/params", import.meta.url),
    folderOf("@kumiai/kernels", join(algorithms, "index.js")),
    algorithms,
    folderOf("@kumiai/training", import.meta.url),
    folderOf("@kumiai/datasets", import.meta.url),
  ];
  const hash = createHash("sha256").update(KUMIAI_VERSION);
  for (const folder of folders) await addFolder(hash, folder, () => true);
  await addFolder(hash, self, (path) => !WITHOUT.test(path));
  return hash.digest("hex");
}

function folderOf(packageName: string, from: string): string {
  return dirname(createRequire(from).resolve(packageName));
}

async function addFolder(
  hash: ReturnType<typeof createHash>,
  folder: string,
  counts: (path: string) => boolean,
): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && /\.(?:js|wasm)$/.test(entry.name) && !/\.test\.js$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter(counts)
    .sort();
  for (const path of paths) {
    hash.update(`${path}\n`);
    hash.update(
      createHash("sha256")
        .update(await readFile(join(folder, path)))
        .digest(),
    );
  }
}
