/** The output folder, tried before the work starts: better an error now than after an hour of training. */
import { mkdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { createAtomicFile, KumiaiError } from "@kumiai/params";

/**
 * Creates `dir` if need be and proves that files can be written there. Returns the absolute path. Throws WRITE_FAILED.
 */
export async function prepareOutputDir(dir: string): Promise<string> {
  const absolute = resolve(dir);
  await makeFolder(absolute).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KumiaiError(
      "WRITE_FAILED",
      `${absolute}: cannot make this folder (${reason}); choose another folder`,
      { path: absolute },
      cause,
    );
  });
  await proveWritable(absolute);
  return absolute;
}

async function proveWritable(folder: string): Promise<void> {
  try {
    // Never committed, so it leaves no trace.
    await using probe = await createAtomicFile(join(folder, "probe"));
    await probe.write(new Uint8Array(4096), 0);
  } catch (error) {
    // The error names the probe, of which the user knows nothing.
    const cause = error instanceof KumiaiError ? error.cause : error;
    throw new KumiaiError(
      "WRITE_FAILED",
      `${folder}: cannot write in this folder (${reasonOf(cause)}); choose another folder`,
      { path: folder },
      cause,
    );
  }
}

/** `ENOSPC: no space left on device` without the path that Node appends. */
function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.replace(/, \w+(?: '.*')?$/s, "") : String(cause);
}

/** As `mkdir` with `recursive`, which never returns where the system refuses a name with ENOENT, such as under /proc. */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    if (!(await isFolder(path))) throw error; // Somebody else may have made it meanwhile.
  }
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
