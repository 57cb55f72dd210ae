import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { KUMIAI_VERSION } from "./version.js";

test("results are stamped with the package's version", async () => {
  const text = await readFile(new URL("../package.json", import.meta.url), "utf8");
  expect(JSON.parse(text)).toMatchObject({ version: KUMIAI_VERSION });
});
