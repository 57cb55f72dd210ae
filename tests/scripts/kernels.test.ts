import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compileKernels } from "../../scripts/lib/kernels.mjs";

const dist = fileURLToPath(new URL("../../packages/kernels/dist", import.meta.url));

test("the kernels are compiled once: a second build leaves the binary alone, and nothing else behind", async () => {
  expect(await compileKernels()).toBe(0);
  const binary = join(dist, "kernels.wasm");
  const [bytes, { mtimeMs, ino }] = [readFileSync(binary), statSync(binary)];
  expect(await compileKernels()).toBe(0);
  expect(statSync(binary)).toMatchObject({ mtimeMs, ino });
  expect(readFileSync(binary).equals(bytes)).toBe(true);
  expect(
    readdirSync(dist)
      .filter((file) => file.endsWith(".wasm"))
      .sort(),
  ).toEqual(["kernels-shared.wasm", "kernels.wasm"]);
});
