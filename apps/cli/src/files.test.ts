import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { prepareOutputDir } from "./files.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-files-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test("an output folder is created with its parents and left empty", async () => {
  const made = await prepareOutputDir(join(dir, "a", "b"));
  expect(made).toBe(join(dir, "a", "b"));
  expect(await readdir(made)).toEqual([]);
});

test("an output folder whose path is a file is refused with WRITE_FAILED", async () => {
  await writeFile(join(dir, "taken"), "");
  await expect(prepareOutputDir(join(dir, "taken"))).rejects.toMatchObject({ code: "WRITE_FAILED" });
  await expect(prepareOutputDir(join(dir, "taken", "below"))).rejects.toMatchObject({
    code: "WRITE_FAILED",
    message: expect.stringContaining("choose another folder"),
  });
});

test.skipIf(process.platform !== "linux")(
  "a folder that the system refuses to make is an error, not a wait",
  async () => {
    await expect(prepareOutputDir("/proc/kumiai/out")).rejects.toMatchObject({ code: "WRITE_FAILED" });
    // Not the file that the folder is tried with.
    await expect(prepareOutputDir("/proc")).rejects.toMatchObject({
      code: "WRITE_FAILED",
      message: expect.stringMatching(/^\/proc: (?!.*probe)/),
    });
  },
);
