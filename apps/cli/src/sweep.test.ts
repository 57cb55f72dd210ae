import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SweepResult } from "@kumiai/simulator";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCli } from "./program.js";
import { type MemoryIo, memoryIo } from "./testing/memory-io.js";

let dir = "";
const cache = fileURLToPath(new URL("../../../node_modules/.cache/kumiai-tests", import.meta.url));
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-sweep-"));
  await writeFile(join(dir, "base.yaml"), BASE);
  await writeFile(join(dir, "sweep.yaml"), SWEEP);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const BASE = `
name: tiny
scenes: { size: 32 }
model: { encoder: { channels: [4, 4, 4, 4] }, decoder: { width: 4 } }
training: { rounds: 2, localEpochs: 1, batchSize: 2, warmupRounds: 0 }
evaluation: { everyRounds: 2, testCount: 2 }
clients:
  - { id: line-a, domain: garments, tasks: [edge], trainCount: 2 }
  - { id: line-b, domain: digits, tasks: [depth], trainCount: 2 }
`;
const SWEEP = `
name: few
base: base.yaml
axis: { label: scenes, scale: linear, path: "clients[*].trainCount" }
strategies: [local, fedavg]
seeds: [1]
degrees: [{ at: 2 }, { at: 3 }]
`;

function sweep(io: MemoryIo, ...more: readonly string[]): Promise<number> {
  return runCli(["sweep", join(dir, "sweep.yaml"), "--out", join(dir, "out"), "--threads", "1", ...more], io);
}

const quiet = (onErr?: (text: string) => void) =>
  memoryIo({ env: { KUMIAI_CACHE_DIR: cache }, ...(onErr === undefined ? {} : { onErr }) });

async function readSweep(): Promise<SweepResult> {
  return JSON.parse(await readFile(join(dir, "out", "sweep.json"), "utf8"));
}

describe("sweep", () => {
  test("compares at every degree, writes the plot, and takes finished runs over when called again", async () => {
    const io = quiet();
    expect(await sweep(io)).toBe(0);
    expect((await readdir(join(dir, "out"))).sort()).toEqual([
      "at-2",
      "at-3",
      "sweep.csv",
      "sweep.html",
      "sweep.json",
      "sweep.md",
      "sweep.svg",
    ]);
    expect(io.outText()).toContain("Δ% by scenes");
    const first = await readSweep();
    expect(first.complete).toBe(true);
    expect(first.degrees.map(({ at, strategies }) => [at, Object.keys(strategies)])).toEqual([
      [2, ["local", "fedavg"]],
      [3, ["local", "fedavg"]],
    ]);
    const counts = await Promise.all(
      ["at-2", "at-3"].map(async (folder) => {
        const result = JSON.parse(await readFile(join(dir, "out", folder, "result.json"), "utf8"));
        return result.scenario.clients.map(({ trainCount }: { trainCount: number }) => trainCount);
      }),
    );
    expect(counts).toEqual([
      [2, 2],
      [3, 3],
    ]);
    const again = quiet();
    expect(await sweep(again)).toBe(0);
    expect(again.errText().match(/kept from before/g)).toHaveLength(4);
    expect((await readSweep()).degrees.map(({ strategies }) => strategies)).toEqual(
      first.degrees.map(({ strategies }) => strategies),
    );
  });

  test("a degree put in between trains nothing else", async () => {
    await writeFile(join(dir, "sweep.yaml"), SWEEP.replace("{ at: 3 }", "{ at: 4 }"));
    expect(await sweep(quiet())).toBe(0);
    await writeFile(join(dir, "sweep.yaml"), SWEEP.replace("{ at: 3 }", "{ at: 3 }, { at: 4 }"));
    const io = quiet();
    expect(await sweep(io)).toBe(0);
    expect(io.errText().match(/kept from before/g)).toHaveLength(4);
    expect((await readSweep()).degrees.map(({ folder }) => folder)).toEqual(["at-2", "at-3", "at-4"]);
  });

  test("an interruption keeps the degrees and runs that had finished, and says so", async () => {
    let interrupted = false;
    let io: MemoryIo | undefined;
    io = quiet((text) => {
      if (text.includes("fedavg, seed 1: done") && !interrupted) {
        interrupted = true;
        io?.interrupt();
      }
    });
    expect(await sweep(io)).toBe(130);
    const { complete, degrees } = await readSweep();
    expect([complete, degrees.length]).toEqual([false, 1]);
    expect(io.outText()).toContain("incomplete");
  });

  test("a degree beyond what there is in the data is refused with its line before any degree is trained", async () => {
    const rows = Array.from({ length: 120 }, (_, t) => `${t % 7},${t}`);
    await writeFile(join(dir, "own.csv"), `x,wear\n${rows.join("\n")}\n`);
    const data = "{ kind: csv, file: own.csv, targets: { wear: { kind: number } }, window: { length: 4, stride: 2 } }";
    await writeFile(join(dir, "base.yaml"), `name: own\ndata: ${data}\nclients: [{ id: a, tasks: [wear] }]\n`);
    const io = quiet();
    await writeFile(join(dir, "sweep.yaml"), SWEEP.replace("{ at: 3 }", "{ at: 500 }, { at: 5000 }"));
    expect(await sweep(io)).toBe(2);
    expect(io.errText()).toMatch(
      /sweep\.yaml:7:28: clients\[0\]\.trainCount: expected at most the \d\d training windows/,
    );
    expect((await readdir(dir)).sort()).toEqual(["base.yaml", "own.csv", "sweep.yaml"]);
  });

  test("wrong values leave no folder and name the line of the sweep", async () => {
    const io = quiet();
    await writeFile(join(dir, "sweep.yaml"), SWEEP.replace("{ at: 3 }", "{ at: 3, set: { training.rounds: -1 } }"));
    expect(await sweep(io)).toBe(2);
    expect(io.errText()).toMatch(/sweep.yaml:7:\d+: training.rounds: expected a number of at least 1, received -1/);
    const unknown = quiet();
    await writeFile(join(dir, "sweep.yaml"), SWEEP);
    expect(await sweep(unknown, "--strategies", "local,fedagv")).toBe(2);
    expect(unknown.errText()).toContain('did you mean "fedavg"?');
    const alone = quiet();
    expect(await sweep(alone, "--strategies", "fedavg,fedprox")).toBe(2);
    expect(alone.errText()).toContain('--strategies: expected "local" among them');
    const equal = quiet();
    await writeFile(join(dir, "sweep.yaml"), SWEEP.replace("clients[*].trainCount", "training.rounds"));
    expect(await sweep(equal, "--rounds", "2")).toBe(2);
    expect(equal.errText()).toContain(
      "--rounds: expected degrees that still differ, received 2, with which 2 and 3 are",
    );
    await rm(join(dir, "base.yaml"));
    const missing = quiet();
    expect(await sweep(missing)).toBe(3);
    expect(missing.errText()).toContain("expected the sweep's base, a scenario file, received nothing under this name");
    expect((await readdir(dir)).sort()).toEqual(["sweep.yaml"]);
  });
});
