/** `kumiai compare` as a real process, killed with SIGKILL again and again until it has got through. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withoutTimes } from "@kumiai/simulator";
import { afterEach, beforeEach, expect, test } from "vitest";

const BIN = fileURLToPath(new URL("../../apps/cli/bin/kumiai.js", import.meta.url));
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/kumiai-tests", import.meta.url));
const SCENARIO = `
name: tiny
scenes: { size: 32 }
model: { encoder: { channels: [4, 4, 4, 4] }, decoder: { width: 4 } }
training: { rounds: 4, localEpochs: 1, batchSize: 2, warmupRounds: 0 }
evaluation: { everyRounds: 4, testCount: 2 }
clients:
  - { id: line-a, domain: garments, tasks: [edge], trainCount: 2 }
  - { id: line-b, domain: digits, tasks: [depth], trainCount: 2 }
`;

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-killed-"));
  await writeFile(join(dir, "tiny.yaml"), SCENARIO);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Killed as soon as `isTime` says so of what stderr has told. */
async function compare(out: string, more: readonly string[], isTime = (_err: string): boolean => false) {
  const args = ["compare", "tiny.yaml", "--out", out, "--threads", "1", ...more];
  const env = { ...process.env, KUMIAI_CACHE_DIR: CACHE };
  const child = spawn(process.execPath, [BIN, ...args], { cwd: dir, env, stdio: ["ignore", "ignore", "pipe"] });
  let err = "";
  child.stderr.on("data", (chunk) => {
    err += chunk;
    if (isTime(err)) child.kill("SIGKILL");
  });
  const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { exitCode, kept: count(err, "kept from before"), done: count(err, ": done in"), err };
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

async function resultOf(out: string): Promise<string> {
  return withoutTimes(await readFile(join(dir, out, "result.json"), "utf8"));
}

test("killed with SIGKILL and called again it trains only what is missing and ends as if nothing had happened", async () => {
  const pair = ["--strategies", "local,fedavg", "--seeds", "1,2"];
  const calm = await compare("calm", pair);
  expect(calm).toMatchObject({ exitCode: 0, kept: 0, done: 4 });

  const first = await compare("out", pair, (err) => err.includes("[2/4]") && err.includes("round 2 of 4"));
  expect(first.exitCode).toBeNull();
  expect(await readdir(join(dir, "out", "runs"))).toHaveLength(1);
  // Killed while it writes a run or right after.
  const second = await compare("out", pair, (err) => count(err, ": done in") === 2);
  expect(second).toMatchObject({ exitCode: null, kept: 1 });
  const third = await compare("out", pair);
  expect(third.exitCode).toBe(0);
  expect(third.kept + third.done).toBe(4);
  expect(third.kept).toBeGreaterThanOrEqual(2);
  expect(await resultOf("out")).toBe(await resultOf("calm"));
  expect((await readdir(join(dir, "out"))).sort()).toEqual([
    "report.html",
    "result.json",
    "results.csv",
    "results.md",
    "results.tex",
    "runs",
  ]);
  expect(
    (await readdir(join(dir, "out", "runs"))).filter((name) => !/^\w+\.\d\.[0-9a-f]{12}\.json$/.test(name)),
  ).toEqual([]);

  const shorter = await compare("out", [...pair, "--rounds", "3"]);
  expect(shorter).toMatchObject({ exitCode: 0, kept: 0, done: 4 });
  expect(count(shorter.err, "is not used: it was made with other scenario settings")).toBe(4);
  expect(await compare("out", pair)).toMatchObject({ exitCode: 0, kept: 4, done: 0 });
  expect(await compare("out", [...pair, "--force"])).toMatchObject({ exitCode: 0, kept: 0, done: 4 });
  expect(await resultOf("out")).toBe(await resultOf("calm"));
});
