/** The real program as a process in a folder of its own, for what only processes show: signals, pipes, full disks. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach } from "vitest";

export const BIN = fileURLToPath(new URL("../../apps/cli/bin/kumiai.js", import.meta.url));
/** Kept between runs of the tests. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/kumiai-tests", import.meta.url));

/** What `kumiai compare` leaves in its folder, sorted. */
export const COMPARISON_FILES = ["report.html", "result.json", "results.csv", "results.md", "results.tex", "runs"];

/** Two small sites, evaluated at the end; a round takes some milliseconds. */
export function tinyScenario(rounds: number): string {
  return `
name: tiny
scenes: { size: 32 }
model: { encoder: { channels: [4, 4, 4, 4] }, decoder: { width: 4 } }
training: { rounds: ${rounds}, localEpochs: 1, batchSize: 2, warmupRounds: 0 }
evaluation: { everyRounds: ${rounds}, testCount: 2 }
clients:
  - { id: line-a, domain: garments, tasks: [edge], trainCount: 2 }
  - { id: line-b, domain: digits, tasks: [depth], trainCount: 2 }
`;
}

/** An empty folder for each test, removed after it; `prepare` puts into it what every test needs. */
export function folderPerTest(prepare = async (_dir: string): Promise<void> => {}): { readonly path: string } {
  let path = "";
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), "kumiai-e2e-"));
    await prepare(path);
  });
  afterEach(() => rm(path, { recursive: true, force: true }));
  return {
    get path() {
      return path;
    },
  };
}

export type Program = ChildProcessByStdio<null, Readable, Readable>;

/** Stdin closed, output in pipes. */
export function start(cwd: string, command: string, args: readonly string[]): Program {
  const env = { ...process.env, KUMIAI_CACHE_DIR: CACHE };
  return spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
}

export function kumiai(cwd: string, ...args: readonly string[]): Program {
  return start(cwd, process.execPath, [BIN, ...args]);
}

export interface Ended {
  /** Null for a process that a signal ended. */
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
}

/** `onErr` gets all that stderr has told so far, whenever it tells more. */
export async function ended(child: Program, onErr = (_text: string): void => {}): Promise<Ended> {
  const texts = { out: "", err: "" };
  child.stdout.on("data", (chunk) => {
    texts.out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    texts.err += chunk;
    onErr(texts.err);
  });
  const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { exitCode, ...texts };
}
