/**
 * Finished runs on disk, so that a comparison that was interrupted, killed or given one more strategy or seed computes only what is missing.
 *
 * Each run is one file, `<strategy>.<seed>.<key>.json`, written whole or not at all. The key is a hash of everything that decides the run's
 * numbers; a file with another key belongs to another config, other data or another program, and is left alone. Both the key and a hash of the
 * content are checked when a file is read: what does not fit is computed again, and said so.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { KumiaiError, writeFileAtomic } from "@kumiai/params";
import type { FinishedRun } from "../assemble.js";
import { contentHash } from "../content-hash.js";
import type { PictureSet } from "../result.js";
import { fromTagged, toTagged } from "./tagged-json.js";

/** Raised when the content of the files changes. */
const FILE_VERSION = 1;
const KEY_LENGTH = 12;

/** What decides a run's numbers. All but `strategyName` and `seed` are hashes. */
export interface RunIdentity {
  readonly strategyName: string;
  readonly seed: number;
  /** Sites, models, training, evaluation. */
  readonly scenario: string;
  /** Kind and options. */
  readonly strategy: string;
  /** File of the encoder's first params; null without one. */
  readonly encoder: string | null;
  readonly data: string;
  /** The program that computes. */
  readonly program: string;
  /** What computes besides it: ONNX Runtime, the engine's `Math`. */
  readonly runtime: string;
  /** What is measured besides training, e.g. privacy. */
  readonly measured: string;
}

export interface KeptRun {
  readonly run: FinishedRun;
  /** Null: made for the first seed of a comparison only. */
  readonly pictures: readonly PictureSet[] | null;
}

export interface KeptRuns {
  /** Null where none is kept or it may not be used. */
  find(identity: RunIdentity): Promise<KeptRun | null>;
  /** Throws WRITE_FAILED. */
  keep(identity: RunIdentity, kept: KeptRun): Promise<void>;
}

export interface KeptRunsOptions {
  /** Finds nothing: everything is computed again and replaced. */
  readonly force?: boolean;
  /** Told in one sentence of files that were not used, and why. */
  readonly onNotice?: (message: string) => void;
}

/** `dir` is made when the first run is kept. Nobody else may write in it. */
export function openKeptRuns(dir: string, options: KeptRunsOptions = {}): KeptRuns {
  const { force = false, onNotice = () => {} } = options;
  return {
    async find(identity) {
      if (force) return null;
      const names = await namesIn(dir);
      const name = fileNameOf(identity);
      if (!names.includes(name)) {
        const others = names.filter((other) => isSameRun(other, identity));
        for (const other of others) onNotice(await describeOther(dir, other, identity));
        return null;
      }
      const found = await read(join(dir, name), identity);
      if ("kept" in found) return found.kept;
      onNotice(`${join(dir, name)} ${found.problem}; this run is computed again`);
      return null;
    },
    async keep(identity, { run, pictures }) {
      await makeFolder(dir);
      const content = toTagged({ run, pictures });
      const file = { fileVersion: FILE_VERSION, identity, sha256: sha256Of(content), content };
      await writeFileAtomic(join(dir, fileNameOf(identity)), `${JSON.stringify(file)}\n`);
    },
  };
}

/** Removes what writers that were killed have left in `dir`. */
export async function removePartialFiles(dir: string): Promise<void> {
  const partial = (await namesIn(dir)).filter((name) => /^\..+\.json\.partial-/.test(name));
  await Promise.all(partial.map((name) => rm(join(dir, name), { force: true })));
}

function fileNameOf(identity: RunIdentity): string {
  return `${identity.strategyName}.${identity.seed}.${contentHash(identity).slice(0, KEY_LENGTH)}.json`;
}

/** The same strategy and seed, whatever the key. */
function isSameRun(fileName: string, { strategyName, seed }: RunIdentity): boolean {
  const start = `${strategyName}.${seed}.`;
  return fileName.startsWith(start) && /^[0-9a-f]+\.json$/.test(fileName.slice(start.length));
}

type Read = { readonly kept: KeptRun } | { readonly problem: string };

async function read(path: string, identity: RunIdentity): Promise<Read> {
  const file = await readFileObject(path);
  if (file === null) return { problem: "cannot be read" };
  if (file.fileVersion !== FILE_VERSION) return { problem: `is of version ${String(file.fileVersion)} of its format` };
  if (contentHash(file.identity) !== contentHash(identity)) return { problem: "is of another config" };
  if (sha256Of(file.content) !== file.sha256) return { problem: "has been changed" };
  return { kept: fromTagged(file.content) as KeptRun };
}

const PARTS: readonly (readonly [keyof RunIdentity, string])[] = [
  ["scenario", "scenario settings"],
  ["strategy", "options of the strategy"],
  ["encoder", "first params of the encoder"],
  ["data", "data"],
  ["program", "program code"],
  ["runtime", "versions of Node or ONNX Runtime"],
  ["measured", "measurements"],
];

/** What makes a kept run of the same name another one. */
async function describeOther(dir: string, name: string, identity: RunIdentity): Promise<string> {
  const path = join(dir, name);
  const file = await readFileObject(path);
  const theirs = file?.identity as Partial<RunIdentity> | undefined;
  if (theirs === null || typeof theirs !== "object") return `${path} cannot be read; it is not used`;
  const differing = PARTS.flatMap(([part, label]) => (theirs[part] === identity[part] ? [] : [label]));
  return `${path} is not used: it was made with other ${differing.join(", ") || "format"}`;
}

async function readFileObject(path: string): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

async function namesIn(dir: string): Promise<readonly string[]> {
  return await readdir(dir).then(
    (names) => names.sort(),
    () => [],
  );
}

async function makeFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KumiaiError("WRITE_FAILED", `${dir}: cannot make this folder (${reason})`, { path: dir }, cause);
  });
}

function sha256Of(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}
