import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { prepareOutputDir, writeFileWhole } from "./files.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-files-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

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

test("a file is replaced as a whole and nothing else is left behind", async () => {
  const path = join(dir, "result.json");
  await writeFileWhole(path, "first");
  await writeFileWhole(path, "second");
  expect(await readFile(path, "utf8")).toBe("second");
  expect(await readdir(dir)).toEqual(["result.json"]);
});

test("a file that cannot be renamed into place leaves nothing half-written", async () => {
  await prepareOutputDir(join(dir, "result.json"));
  await writeFile(join(dir, "result.json", "child"), "");
  await expect(writeFileWhole(join(dir, "result.json"), "text")).rejects.toMatchObject({ code: "WRITE_FAILED" });
  expect(await readdir(dir)).toEqual(["result.json"]);
});

test.skipIf(process.platform === "win32")(
  "when space runs out the earlier file stays and nothing half-written is left",
  async () => {
    const path = join(dir, "result.json");
    await writeFileWhole(path, "earlier");
    // A limit on file size stands in for a full disk: the write fails half-way in the same place.
    const files = fileURLToPath(new URL("../dist/files.js", import.meta.url));
    const program = `import { writeFileWhole } from ${JSON.stringify(files)};
      process.on("SIGXFSZ", () => undefined);
      await writeFileWhole(process.argv[1], "x".repeat(200_000)).catch((e) => console.log(e.code, e.details.code));`;
    const { stdout } = await promisify(execFile)("bash", [
      "-c",
      'ulimit -f 64; exec "$0" --input-type=module -e "$1" "$2"',
      process.execPath,
      program,
      path,
    ]);
    expect(stdout).toBe("WRITE_FAILED EFBIG\n");
    expect(await readFile(path, "utf8")).toBe("earlier");
    expect(await readdir(dir)).toEqual(["result.json"]);
  },
);
