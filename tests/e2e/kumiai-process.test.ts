import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const BIN = fileURLToPath(new URL("../../apps/cli/bin/kumiai.js", import.meta.url));
/** Kept between runs of the tests. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/kumiai-tests", import.meta.url));
const SCENARIO = `
name: tiny
scenes: { size: 32 }
model: { encoder: { channels: [4, 4, 4, 4] }, decoder: { width: 4 } }
training: { rounds: 40, localEpochs: 1, batchSize: 2, warmupRounds: 0 }
evaluation: { everyRounds: 40, testCount: 2 }
clients:
  - { id: line-a, domain: garments, tasks: [edge], trainCount: 2 }
  - { id: line-b, domain: digits, tasks: [depth], trainCount: 2 }
`;

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-e2e-"));
  await writeFile(join(dir, "tiny.yaml"), SCENARIO);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** The real program, stdin closed, output in pipes. */
function start(command: string, args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  const env = { ...process.env, KUMIAI_CACHE_DIR: CACHE };
  return spawn(command, args, { cwd: dir, env, stdio: ["ignore", "pipe", "pipe"] });
}

function kumiai(...args: readonly string[]): ReturnType<typeof start> {
  return start(process.execPath, [BIN, ...args]);
}

async function ended(child: ReturnType<typeof kumiai>, onErr = (_text: string) => {}) {
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
    onErr(err);
  });
  const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { exitCode, out, err };
}

test("SIGINT ends the process with 130 and keeps the runs that had finished", async () => {
  const child = kumiai("compare", "tiny.yaml", "--strategies", "local,fedavg", "--threads", "1", "--out", "out");
  let interrupted = false;
  const { exitCode, out } = await ended(child, (err) => {
    if (interrupted || !err.includes("fedavg, seed 1: round 1 of")) return;
    interrupted = true;
    child.kill("SIGINT");
  });
  const result = JSON.parse(await readFile(join(dir, "out", "result.json"), "utf8"));
  expect({ exitCode, complete: result.complete }).toEqual({ exitCode: 130, complete: false });
  expect(Object.keys(result.strategies.local.perSeed)).toEqual(["1"]);
  expect(result.strategies.fedavg?.perSeed ?? {}).toEqual({});
  expect((await readdir(join(dir, "out"))).sort()).toEqual([
    "report.html",
    "result.json",
    "results.csv",
    "results.md",
    "results.tex",
    "runs",
  ]);
  expect(out).toContain("incomplete");
});

test("the process writes no escape sequence into a pipe, and paths are absolute", async () => {
  const { exitCode, out, err } = await ended(kumiai("run", "tiny.yaml", "--rounds", "1", "--out", "out"));
  expect(exitCode).toBe(0);
  expect(out + err).not.toContain("\u001b");
  expect(out).toContain(`report  ${join(dir, "out", "report.html")}`);
});

test("a bad file ends the process with its exit code and nothing on stdout", async () => {
  await writeFile(join(dir, "bad.yaml"), SCENARIO.replace("[edge]", "[edgy]"));
  const { exitCode, out, err } = await ended(kumiai("run", "bad.yaml"));
  expect(err).toMatch(/^error UNKNOWN_TASK: bad\.yaml:8:/);
  expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
});

test.skipIf(process.platform === "win32")(
  "when space runs out the process ends with WRITE_FAILED, keeps what the folder held and leaves nothing half-written",
  async () => {
    await mkdir(join(dir, "out"));
    await writeFile(join(dir, "out", "result.json"), "earlier");
    // A limit on the size of a file stands in for a full disk.
    const script = 'ulimit -f 5; exec "$0" "$@"';
    const args = ["-c", script, process.execPath, BIN, "run", "tiny.yaml", "--rounds", "1", "--out", "out"];
    const { exitCode, err } = await ended(start("bash", args));
    expect(err).toContain("error WRITE_FAILED: ");
    expect(exitCode).toBe(3);
    expect(await readdir(join(dir, "out"))).toEqual(["result.json"]);
    expect(await readFile(join(dir, "out", "result.json"), "utf8")).toBe("earlier");
  },
);

test.skipIf(process.platform === "win32")("a reader that goes, as head does, ends no run", async () => {
  const script = 'set -o pipefail; "$0" "$@" 2>&1 | head -n 1';
  const args = ["-c", script, process.execPath, BIN, "run", "tiny.yaml", "--rounds", "2", "--out", "out"];
  const { exitCode, out, err } = await ended(start("bash", args));
  expect({ exitCode, err, lines: out.trimEnd().split("\n").length }).toEqual({ exitCode: 0, err: "", lines: 1 });
  expect((await readdir(join(dir, "out"))).sort()).toEqual([
    "report.html",
    "result.json",
    "results.csv",
    "results.md",
    "results.tex",
  ]);
});

test.skipIf(process.platform !== "linux")(
  "results that standard output cannot take end with WRITE_FAILED",
  async () => {
    const args = ["-c", '"$0" "$1" strategies > /dev/full', process.execPath, BIN];
    const { exitCode, err } = await ended(start("bash", args));
    expect(err).toMatch(/^error WRITE_FAILED: standard output: cannot write \(ENOSPC/);
    expect(exitCode).toBe(3);
  },
);
