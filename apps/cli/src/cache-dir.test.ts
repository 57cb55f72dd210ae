import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheDir } from "./cache-dir.js";
import { memoryIo } from "./testing/memory-io.js";

test("the option comes before the variables, and an empty variable counts as not set", () => {
  const env = { KUMIAI_CACHE_DIR: "/own", XDG_CACHE_HOME: "/xdg" };
  expect(cacheDir("/option", memoryIo({ env }))).toBe("/option");
  expect(cacheDir(undefined, memoryIo({ env }))).toBe("/own");
  expect(cacheDir(undefined, memoryIo({ env: { ...env, KUMIAI_CACHE_DIR: "" } }))).toBe(join("/xdg", "kumiai"));
  expect(cacheDir(undefined, memoryIo({ env: { KUMIAI_CACHE_DIR: "", XDG_CACHE_HOME: "" } }))).toBe(
    join(homedir(), ".cache", "kumiai"),
  );
});
