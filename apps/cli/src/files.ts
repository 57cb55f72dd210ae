/** Writing results: checked before the work starts, whole or not at all. */
import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { KumiaiError } from "@kumiai/params";

/**
 * Creates `dir` if need be and proves that files can be written there. Returns the absolute path.
 * Throws WRITE_FAILED: better now than after an hour of training.
 */
export async function prepareOutputDir(dir: string): Promise<string> {
  const absolute = resolve(dir);
  const probe = join(absolute, `.kumiai-probe-${randomUUID()}`);
  try {
    await mkdir(absolute, { recursive: true });
    await using file = await open(probe, "wx");
    await file.writeFile("probe\n");
  } catch (cause) {
    throw writeFailed(absolute, cause);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
  return absolute;
}

/**
 * Writes `content` beside `path`, flushes it to disk and renames it into place, so that `path` holds either what it
 * held before or all of `content`. Throws WRITE_FAILED, leaving nothing behind.
 */
export async function writeFileWhole(path: string, content: string | Uint8Array): Promise<void> {
  const partial = join(dirname(path), `.${basename(path)}.partial-${randomUUID()}`);
  try {
    const file = await open(partial, "wx");
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw writeFailed(path, cause);
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space or choose another folder",
  EDQUOT: "the disk quota is used up; free some space or choose another folder",
  EFBIG: "the file would exceed the size limit; raise it (ulimit -f) or choose another folder",
  EACCES: "permission denied; choose a folder that you may write to",
  EPERM: "permission denied; choose a folder that you may write to",
  EROFS: "the file system is read-only; choose another folder",
  ENOTDIR: "part of the path is a file; choose another folder",
  EEXIST: "the path is a file; choose another folder",
  EISDIR: "a folder has this name; remove it or choose another output folder",
};

function writeFailed(path: string, cause: unknown): KumiaiError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  const message = cause instanceof Error ? cause.message : String(cause);
  const advice = ADVICE[code] ?? "choose another folder";
  return new KumiaiError("WRITE_FAILED", `${path}: cannot write (${message}); ${advice}`, { path, code }, cause);
}
