import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createTempFolder } from "../testing/temp-folder.js";
import { createAtomicFile, writeFileAtomic } from "./write-file-atomic.js";

test("text and bytes come back as they were written, and nothing else is left in the folder", async () => {
  await using folder = await createTempFolder();
  await writeFileAtomic(folder.path("a.txt"), "組合\n");
  await writeFileAtomic(folder.path("b.bin"), Uint8Array.of(0, 255, 7));
  expect(await readFile(folder.path("a.txt"), "utf8")).toBe("組合\n");
  expect([...(await readFile(folder.path("b.bin")))]).toEqual([0, 255, 7]);
  expect((await folder.list()).toSorted()).toEqual(["a.txt", "b.bin"]);
});

test("a file that exists is replaced as a whole, also by a shorter one", async () => {
  await using folder = await createTempFolder();
  await writeFileAtomic(folder.path("a"), "a long text");
  await writeFileAtomic(folder.path("a"), "short");
  expect(await readFile(folder.path("a"), "utf8")).toBe("short");
});

test("a folder that does not exist is WRITE_FAILED with the path and the reason", async () => {
  await using folder = await createTempFolder();
  const path = folder.path("missing/a");
  await expect(writeFileAtomic(path, "x")).rejects.toMatchObject({
    code: "WRITE_FAILED",
    message: expect.stringContaining(`${path}: cannot write (ENOENT`),
    details: { path, reason: "ENOENT" },
  });
});

test("a folder in the file's place is WRITE_FAILED; the folder stays, the part written is gone", async () => {
  await using folder = await createTempFolder();
  await mkdir(folder.path("taken"));
  await writeFile(folder.path("taken/inside"), "x");
  await expect(writeFileAtomic(folder.path("taken"), "x")).rejects.toMatchObject({ code: "WRITE_FAILED" });
  expect(await folder.list()).toEqual(["taken"]);
});

test("a disk that is full in the middle of a file is WRITE_FAILED; the old content stays, the part written is gone", async () => {
  await using folder = await createTempFolder();
  await writeFileAtomic(folder.path("a"), "old");
  // A limit on the size of files stands in for the disk: it fails in the middle of a write, as a full disk does.
  const module = new URL("../../dist/files/write-file-atomic.js", import.meta.url).href;
  const program = `
    const { writeFileAtomic } = await import(${JSON.stringify(module)});
    await writeFileAtomic(process.argv[1], "x".repeat(1e6)).catch((error) => console.log(error.code, error.details.reason));`;
  const node = JSON.stringify(process.execPath);
  const { stdout } = await promisify(execFile)("sh", [
    "-c",
    `ulimit -f 64; exec ${node} --input-type=module -e "$1" "$2"`,
    "sh",
    program,
    folder.path("a"),
  ]);
  expect(stdout.trim()).toBe("WRITE_FAILED EFBIG");
  expect(await folder.list()).toEqual(["a"]);
  expect(await readFile(folder.path("a"), "utf8")).toBe("old");
});

test("a file that is disposed before commit leaves no trace, and the old content stays", async () => {
  await using folder = await createTempFolder();
  await writeFileAtomic(folder.path("a"), "old");
  {
    await using file = await createAtomicFile(folder.path("a"));
    await file.write(new TextEncoder().encode("new"), 0);
    expect(await folder.list()).toHaveLength(2);
  }
  expect(await folder.list()).toEqual(["a"]);
  expect(await readFile(folder.path("a"), "utf8")).toBe("old");
});

test("parts go where they are told, in any order; places never written hold zeros", async () => {
  await using folder = await createTempFolder();
  await using file = await createAtomicFile(folder.path("a"));
  await file.write(Uint8Array.of(3), 4);
  await file.write(Uint8Array.of(1, 2), 0);
  await file.commit();
  expect([...(await readFile(folder.path("a")))]).toEqual([1, 2, 0, 0, 3]);
});

test("two writers of one path do not mix: the later one wins", async () => {
  await using folder = await createTempFolder();
  const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(50_000));
  await Promise.all(texts.map((text) => writeFileAtomic(folder.path("a"), text)));
  expect(texts).toContain(await readFile(folder.path("a"), "utf8"));
  expect(await folder.list()).toEqual(["a"]);
});

test("the mode of the folder decides: a read-only folder is WRITE_FAILED", async ({ skip }) => {
  await using folder = await createTempFolder();
  await mkdir(folder.path("locked"));
  await chmod(folder.path("locked"), 0o500);
  const allowed = await writeFile(folder.path("locked/probe"), "x").then(
    () => true,
    () => false,
  );
  if (allowed) skip("this user may write everywhere");
  await expect(writeFileAtomic(folder.path("locked/a"), "x")).rejects.toMatchObject({
    code: "WRITE_FAILED",
    message: expect.stringContaining("permission denied"),
  });
});
