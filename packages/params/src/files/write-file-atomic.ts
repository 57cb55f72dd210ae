/**
 * Files are written whole or not at all: the bytes go to a neighbor of the target, are flushed to the disk and take the
 * target's name in one step. Whoever reads the target sees what it held before or all of the new content.
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { writeFailed } from "./write-failed.js";

/** A file that is not there yet. Disposing it before `commit` leaves no trace. */
export interface AtomicFile extends AsyncDisposable {
  /** Writes all of `bytes` from `position` on; places never written hold zeros. Throws WRITE_FAILED. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Flushes and gives the file its name. Throws WRITE_FAILED, leaving nothing behind. */
  commit(): Promise<void>;
}

/** Throws WRITE_FAILED, naming the path and the reason, if no file can be made beside `path`. */
export async function createAtomicFile(path: string): Promise<AtomicFile> {
  const target = resolve(path);
  const partial = join(dirname(target), `.${basename(target)}.partial-${randomUUID()}`);
  const handle = await open(partial, "wx").catch((cause: unknown) => Promise.reject(writeFailed(target, cause)));
  let isOpen = true;

  const discard = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await handle.close().catch(() => undefined);
    await rm(partial, { force: true }).catch(() => undefined);
  };
  const orDiscard = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (cause) {
      await discard();
      throw writeFailed(target, cause);
    }
  };

  return {
    write: (bytes, position) => orDiscard(() => writeAll(handle, bytes, position)),
    commit: () =>
      orDiscard(async () => {
        await handle.sync();
        await handle.close();
        await rename(partial, target);
        isOpen = false;
        await syncFolder(dirname(target));
      }),
    [Symbol.asyncDispose]: discard,
  };
}

/** Writes `content` whole or not at all. Throws WRITE_FAILED, naming the path and the reason, and leaves nothing behind. */
export async function writeFileAtomic(path: string, content: Uint8Array | string): Promise<void> {
  await using file = await createAtomicFile(path);
  await file.write(typeof content === "string" ? new TextEncoder().encode(content) : content, 0);
  await file.commit();
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Makes the new name itself survive a power cut, where the file system lets a folder be opened for that. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close().catch(() => undefined);
}
