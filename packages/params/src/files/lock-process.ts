/**
 * One process at a time. The lock is a small file that names its owner; a lock whose owner is dead is taken over, so that a process that was
 * killed blocks nobody. Works between processes of one machine that see one file system and each other's process ids.
 */
import { createHash, randomUUID } from "node:crypto";
import { link, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { KumiaiError } from "../errors.js";
import { reasonOf, writeFailed } from "./write-failed.js";

/** Who we are, and whether others still are: a package has no process of its own to ask. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Tells processes apart that get the same id one after the other, e.g. the time of start. */
  readonly mark?: string;
  /** Whether the process with this id and mark still runs. */
  isAlive(pid: number, mark?: string): boolean;
}

/** Disposing it lets the next one in. Throws FILE_LOCKED while another live process holds it, WRITE_FAILED. */
export async function lockProcess(path: string, self: ProcessIdentity): Promise<AsyncDisposable> {
  const claim = `${path}.${self.pid}-${randomUUID()}`;
  const content = formatOwner(self);
  await writeFile(claim, content).catch((cause: unknown) => Promise.reject(writeFailed(path, cause)));
  try {
    let isOurs = await linkTo(claim, path);
    while (!isOurs) isOurs = (await takeOver(path, claim, self)) || (await linkTo(claim, path));
  } finally {
    await rm(claim, { force: true });
  }
  await removeDeadClaims(path, self);
  return { [Symbol.asyncDispose]: () => release(path, content) };
}

/** Text that stands for a process in a file. */
export function formatOwner({ pid, mark }: Pick<ProcessIdentity, "pid" | "mark">): string {
  return `${JSON.stringify({ pid, ...(mark === undefined ? {} : { mark }) })}\n`;
}

/** Whether the process that `text` stands for still runs; text that is none stands for nobody. */
export function isOwnerAlive(text: string, self: ProcessIdentity): boolean {
  try {
    const owner: unknown = JSON.parse(text);
    if (typeof owner !== "object" || owner === null || !("pid" in owner) || !Number.isSafeInteger(owner.pid))
      return false;
    const mark = "mark" in owner && typeof owner.mark === "string" ? owner.mark : undefined;
    return self.isAlive(Number(owner.pid), mark);
  } catch {
    return false;
  }
}

/** Whether `path` is now our claim. The file appears with its content, never without. */
async function linkTo(claim: string, path: string): Promise<boolean> {
  try {
    await link(claim, path);
    return true;
  } catch (cause) {
    if (reasonOf(cause) === "EEXIST") return false;
    if (!NO_LINKS.has(reasonOf(cause))) throw writeFailed(path, cause);
  }
  try {
    await writeFile(path, await readFile(claim), { flag: "wx" });
    return true;
  } catch (cause) {
    if (reasonOf(cause) === "EEXIST") return false;
    throw writeFailed(path, cause);
  }
}

/** What file systems without hard links say. */
export const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV"]);

/**
 * Whether a dead process's lock is now ours; false if it is gone. Several may find it dead at once: who replaces it holds a second
 * lock, named after the dead one, and has looked again since.
 */
async function takeOver(path: string, claim: string, self: ProcessIdentity): Promise<boolean> {
  const found = await readOrNothing(path);
  if (found === undefined) return false;
  if (isOwnerAlive(found, self)) throw locked(path, found);
  const name = createHash("sha256").update(found).digest("hex").slice(0, 12);
  await using _turn = await lockProcess(`${path}.${name}`, self);
  if ((await readOrNothing(path)) !== found) return false;
  await rename(claim, path).catch((cause: unknown) => Promise.reject(writeFailed(path, cause)));
  return true;
}

/** Left by processes that were killed while they asked for the lock. */
async function removeDeadClaims(path: string, self: ProcessIdentity): Promise<void> {
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    const pid = name.startsWith(prefix) ? /^(\d+)-/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (pid === undefined || Number(pid) === self.pid || self.isAlive(Number(pid))) continue;
    await rm(join(dirname(path), name), { force: true });
  }
}

/** Nobody else's is let go. */
async function release(path: string, content: string): Promise<void> {
  if ((await readOrNothing(path)) === content) await rm(path, { force: true });
}

async function readOrNothing(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((cause: unknown) => {
    if (reasonOf(cause) === "ENOENT") return undefined;
    throw writeFailed(path, cause);
  });
}

function locked(path: string, owner: string): KumiaiError {
  const pid = /"pid":(\d+)/.exec(owner)?.[1] ?? "unknown";
  return new KumiaiError(
    "FILE_LOCKED",
    `${path}: expected to be alone, found that process ${pid} is at work here; wait until it has ended, or remove this file if there is no such process`,
    { path, pid },
  );
}
