import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ITEM_CLASS_COUNT, ITEM_PIXELS } from "../items/item-images.js";
import type { PackageResolver } from "../items/read-package.js";

/** Small packages of the same form as the real ones, in a folder of their own. */
export interface FakePackages extends AsyncDisposable {
  /** Free for the test to use. */
  readonly folder: string;
  readonly resolve: PackageResolver;
  /** Replaces one class file of `fashion-mnist` or `mnist`. */
  replace(packageName: string, label: number, text: string): Promise<void>;
}

/** Two images a class: image k of class c has the value 10·c + k everywhere (garments) or c / 10 (digits). */
export async function fakePackages(): Promise<FakePackages> {
  const folder = await mkdtemp(join(tmpdir(), "kumiai-items-"));
  const fileOf = (packageName: string, label: number): string =>
    join(folder, packageName, packageName === "mnist" ? "digits" : "clothes", `${label}.json`);
  for (const inside of ["fashion-mnist/clothes", "mnist/digits"])
    await mkdir(join(folder, inside), { recursive: true });
  for (let label = 0; label < ITEM_CLASS_COUNT; label++) {
    const row = (k: number): number[] => new Array<number>(ITEM_PIXELS).fill(10 * label + k);
    const flat = new Array<number>(2 * ITEM_PIXELS).fill(label / 10);
    await writeFile(fileOf("fashion-mnist", label), JSON.stringify({ data: [row(0), row(1), []] }));
    await writeFile(fileOf("mnist", label), JSON.stringify({ data: flat }));
  }
  return {
    folder,
    resolve: (packageName) => join(folder, packageName, "main.js"),
    replace: (packageName, label, text) => writeFile(fileOf(packageName, label), text),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
