/**
 * A folder of new files, and files that belong to it, take the place of older ones as one unit. Whoever is killed at any moment
 * leaves the old ones or the new ones, never a mix, once `recoverStaged` has run.
 *
 *   1. stageFolder    a hidden neighbor `.<target>.partial-<uuid>` with a folder `new` that the caller writes to and flushes
 *   2. commitStaged   what else lies in the target is linked into `new`; then a journal is written: from here on all is done,
 *                     and only names change
 *   3.                target → `old-<uuid>` in the neighbor, `new` → target, then the moves in order
 *   4.                what came into the target meanwhile moves over; old files, neighbor and journal are removed
 *
 * Between the two renames of step 3 the target does not exist for an instant: no call of Node swaps two folders. Each part
 * of steps 3 and 4 can be done again, so `recoverStaged` begins at the first.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import {
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { KumiaiError } from "../errors.js";
import { formatOwner, isOwnerAlive, NO_LINKS, type ProcessIdentity } from "./lock-process.js";
import { reasonOf, writeFailed } from "./write-failed.js";
import { syncFolder, writeFileAtomic } from "./write-file-atomic.js";

/** Disposing it removes it, unless it was committed. */
export interface StagedFolder extends AsyncDisposable {
  /** Write the new files here, and flush them. Files only. */
  readonly path: string;
  /** The folder whose place it takes; links resolved. */
  readonly target: string;
}

export interface StagedCommit {
  readonly folder: { readonly staged: string; readonly target: string };
  /** Files that get their names with the folder, in this order; flushed, on the file system of their goal. */
  readonly moves: readonly { readonly from: string; readonly to: string }[];
  /** Files that nobody needs any more. */
  readonly remove: readonly string[];
  /** Whatever JSON holds, for whoever finishes the commit. */
  readonly note: unknown;
}

/** Called before each step; tests stop there, as a killed process would. */
export type StepWatch = (step: string) => void;

const NEW = "new";
const OWNER = "owner.json";
/** Path of the journal, from just before that is written. */
const JOURNAL = "journal.json";

/**
 * A folder to fill, beside `target`, which need not exist. Removes what dead processes have left there. Throws WRITE_FAILED, also
 * where `target` is not a folder of nothing but files.
 */
export async function stageFolder(target: string, self: ProcessIdentity): Promise<StagedFolder> {
  const place = await realPlace(resolve(target));
  const parent = dirname(place);
  try {
    await mkdir(parent, { recursive: true });
    await checkReplaceable(place);
    await removeLeftovers(place, self);
    const neighbor = join(parent, `${prefixOf(place)}${randomUUID()}`);
    await mkdir(neighbor);
    await writeFile(join(neighbor, OWNER), formatOwner(self));
    await mkdir(join(neighbor, NEW));
    return {
      path: join(neighbor, NEW),
      target: place,
      [Symbol.asyncDispose]: async () => {
        if (!(await isCommitted(neighbor))) await rm(neighbor, { recursive: true, force: true });
      },
    };
  } catch (cause) {
    throw writeFailed(place, cause);
  }
}

/**
 * Gives everything its name. `journal`: a file that says what is left to do, until all is done; who starts next gives it to
 * `recoverStaged`. Throws WRITE_FAILED: then either nothing has changed, or the journal is there and `recoverStaged` goes on.
 */
export async function commitStaged(
  journal: string,
  commit: StagedCommit,
  watch: StepWatch = () => undefined,
): Promise<void> {
  const { staged } = commit.folder;
  const target = await realPlace(resolve(commit.folder.target));
  try {
    watch("carry over");
    const replaced = await readdir(staged);
    await carryOver(target, staged, new Set(replaced));
    watch("flush");
    for (const folder of [staged, dirname(staged), dirname(target)]) await syncFolder(folder);
    for (const { from } of commit.moves) await syncFolder(dirname(from));
    watch("mark");
    await writeFileAtomic(join(dirname(staged), JOURNAL), JSON.stringify(resolve(journal)));
    watch("journal");
    const inode = String((await stat(staged, { bigint: true })).ino);
    const journaled: Journaled = { ...commit, folder: { staged, target }, replaced, inode };
    await writeFileAtomic(journal, formatJournal(journal, journaled));
    await finish(journal, journaled, watch);
  } catch (cause) {
    throw writeFailed(target, cause);
  }
}

/**
 * Finishes the commit that `journal` tells of, if there is one, and returns its note. Throws FILE_UNREADABLE, WRITE_FAILED, or STATE_MALFORMED
 * where the journal is none or somebody has removed what it speaks of.
 */
export async function recoverStaged(
  journal: string,
  watch: StepWatch = () => undefined,
): Promise<{ readonly note: unknown } | undefined> {
  let text: string;
  try {
    text = await readFile(journal, "utf8");
  } catch (cause) {
    if (reasonOf(cause) === "ENOENT") return undefined;
    throw new KumiaiError(
      "FILE_UNREADABLE",
      `${journal}: cannot read (${reasonOf(cause)}); a commit that was interrupted waits there`,
      { file: journal, reason: reasonOf(cause) },
      cause,
    );
  }
  const commit = parseJournal(journal, text);
  try {
    await finish(journal, commit, watch);
  } catch (cause) {
    throw writeFailed(commit.folder.target, cause);
  }
  return { note: commit.note };
}

interface Journaled extends StagedCommit {
  /** Names in the target that the new folder has its own files for. */
  readonly replaced: readonly string[];
  /** Of the new folder: tells whether it is the target already. */
  readonly inode: string;
}

/** Steps 3 and 4; each part looks whether it is done. */
async function finish(journal: string, commit: Journaled, watch: StepWatch): Promise<void> {
  const { staged, target } = commit.folder;
  const neighbor = dirname(staged);
  await swap(journal, commit, watch);
  for (const { from, to } of commit.moves) {
    watch(`move ${basename(to)}`);
    if (await exists(from)) await rename(from, to);
    else if (!(await exists(to))) throw lost(journal, `${from}, which was to become ${to}`);
    await syncFolder(dirname(to));
  }
  watch("keep late files");
  await keepLateFiles(neighbor, target, new Set(commit.replaced));
  watch("remove old files");
  for (const file of commit.remove) await rm(file, { force: true });
  await rm(neighbor, { recursive: true, force: true });
  watch("remove journal");
  await rm(journal, { force: true });
  await syncFolder(dirname(resolve(journal)));
}

async function swap(
  journal: string,
  { folder: { staged, target }, inode }: Journaled,
  watch: StepWatch,
): Promise<void> {
  if (!(await exists(staged))) {
    const found = await stat(target, { bigint: true }).catch(() => undefined);
    if (found === undefined || String(found.ino) !== inode) throw lost(journal, staged);
    return;
  }
  if (!(await isMissingOrEmpty(target))) {
    watch("put the old folder aside");
    await rename(target, join(dirname(staged), `old-${randomUUID()}`));
    await syncFolder(dirname(target));
  }
  watch("put the new folder in place");
  await rename(staged, target);
  await syncFolder(dirname(target));
}

/** Other files of the old folder stay: the same file under one more name, or a copy. */
async function carryOver(target: string, staged: string, replaced: ReadonlySet<string>): Promise<void> {
  await checkReplaceable(target);
  for (const name of await namesIn(target)) {
    if (replaced.has(name)) continue;
    const [from, to] = [join(target, name), join(staged, name)];
    try {
      await link(from, to);
    } catch (cause) {
      if (!NO_LINKS.has(reasonOf(cause))) throw cause;
      await copyFile(from, to, constants.COPYFILE_EXCL);
      await using copy = await open(to, "r+");
      await copy.sync();
    }
  }
}

/** Files that came into the old folder after the others had been linked, or were replaced there since. */
async function keepLateFiles(neighbor: string, target: string, replaced: ReadonlySet<string>): Promise<void> {
  for (const old of await namesIn(neighbor)) {
    if (!old.startsWith("old-")) continue;
    for (const name of await namesIn(join(neighbor, old))) {
      if (!replaced.has(name)) await rename(join(neighbor, old, name), join(target, name));
    }
  }
  await syncFolder(target);
}

/** Throws WRITE_FAILED unless `target` is missing or a folder of nothing but files, on its parent's file system. */
async function checkReplaceable(target: string): Promise<void> {
  const found = await stat(target).catch((cause: unknown) => {
    if (reasonOf(cause) === "ENOENT") return undefined;
    throw cause;
  });
  if (found === undefined) return;
  const refuse = (what: string): never => {
    throw new KumiaiError("WRITE_FAILED", `${target}: expected ${what}`, { path: target, reason: "unsuitable" });
  };
  if (!found.isDirectory()) refuse("a folder, found a file; choose another name");
  if (found.dev !== (await stat(dirname(target))).dev) {
    refuse(
      "a folder that can be replaced as a whole, found the place of a file system of its own; choose a folder inside it",
    );
  }
  for (const entry of await readdir(target, { withFileTypes: true })) {
    if (!entry.isFile()) {
      refuse(
        `nothing but files in the folder, since it is replaced as a whole, found ${entry.name}, which is none; choose another folder`,
      );
    }
  }
}

async function removeLeftovers(target: string, self: ProcessIdentity): Promise<void> {
  const prefix = prefixOf(target);
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(prefix)) continue;
    const neighbor = join(dirname(target), name);
    if (!(await lstat(neighbor)).isDirectory()) continue;
    if (await isCommitted(neighbor)) {
      throw new KumiaiError(
        "WRITE_FAILED",
        `${target}: expected no commit under way, found one that was interrupted (${await journalOf(neighbor)}); start the program that made it once more, it will finish it`,
        { path: target, reason: "unfinished" },
      );
    }
    const owner = await readFile(join(neighbor, OWNER), "utf8").catch(() => "");
    if (!isOwnerAlive(owner, self)) await rm(neighbor, { recursive: true, force: true });
  }
}

function prefixOf(target: string): string {
  return `.${basename(target)}.partial-`;
}

/** Whether a journal speaks of it: then it is not ours to remove. */
async function isCommitted(neighbor: string): Promise<boolean> {
  const journal = await journalOf(neighbor);
  if (journal === undefined) return false;
  const text = await readFile(journal, "utf8").catch(() => "");
  return text !== "" && dirname(parseJournal(journal, text).folder.staged) === neighbor;
}

async function journalOf(neighbor: string): Promise<string | undefined> {
  const text = await readFile(join(neighbor, JOURNAL), "utf8").catch(() => undefined);
  return text === undefined ? undefined : String(JSON.parse(text));
}

// The journal -----------------------------------------------------------------------------------------------------------

const FORMAT = "kumiai-commit";
const VERSION = 1;

/** Paths are relative to the journal's folder, so that the whole may be moved. */
function formatJournal(journal: string, { folder, moves, remove, replaced, inode, note }: Journaled): string {
  const from = dirname(resolve(journal));
  const near = (path: string): string => relative(from, resolve(path));
  return `${JSON.stringify({
    format: FORMAT,
    version: VERSION,
    folder: { staged: near(folder.staged), target: near(folder.target) },
    moves: moves.map((move) => ({ from: near(move.from), to: near(move.to) })),
    remove: remove.map(near),
    replaced,
    inode,
    note,
  })}\n`;
}

function parseJournal(journal: string, text: string): Journaled {
  const at = (path: string): string => resolve(dirname(resolve(journal)), path);
  try {
    const raw = JSON.parse(text);
    if (raw.format !== FORMAT || raw.version !== VERSION) throw new RangeError("another format");
    return {
      folder: { staged: at(raw.folder.staged), target: at(raw.folder.target) },
      moves: raw.moves.map((move: { from: string; to: string }) => ({ from: at(move.from), to: at(move.to) })),
      remove: raw.remove.map(at),
      replaced: raw.replaced,
      inode: raw.inode,
      note: raw.note,
    };
  } catch (cause) {
    throw new KumiaiError(
      "STATE_MALFORMED",
      `${journal}: expected the journal of a commit, version ${VERSION}, found another text; finish the commit with the program that began it, or remove this file and check the outputs`,
      { file: journal },
      cause,
    );
  }
}

function lost(journal: string, what: string): KumiaiError {
  return new KumiaiError(
    "STATE_MALFORMED",
    `${journal}: expected to finish an interrupted commit, found that somebody has removed ${what}; put it back, or remove ${journal} to go on from the outputs and the state as they are`,
    { file: journal },
  );
}

// Small things ----------------------------------------------------------------------------------------------------------

/** The path with links resolved, as far as it exists: a link to a folder stays a link. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (reasonOf(cause) !== "ENOENT" || dirname(path) === path) throw writeFailed(path, cause);
    return join(await realPlace(dirname(path)), basename(path));
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch((cause: unknown) => {
    if (reasonOf(cause) === "ENOENT") return [];
    throw cause;
  });
}

async function isMissingOrEmpty(folder: string): Promise<boolean> {
  return (await namesIn(folder)).length === 0;
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    (cause: unknown) => {
      if (reasonOf(cause) === "ENOENT") return false;
      throw cause;
    },
  );
}
