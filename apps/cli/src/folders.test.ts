import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheDir, dataDir } from "./folders.js";
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

test("data sets are where the option says, else the variable, else in the folder data", () => {
  const env = { KUMIAI_DATA: "/sets" };
  expect(dataDir("/option", memoryIo({ env }))).toBe("/option");
  expect(dataDir(undefined, memoryIo({ env }))).toBe("/sets");
  expect(dataDir(undefined, memoryIo({ env: { KUMIAI_DATA: "" } }))).toBe("data");
});
