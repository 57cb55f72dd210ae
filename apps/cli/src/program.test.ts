import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ComparisonResult } from "@kumiai/simulator";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCli } from "./program.js";
import { type MemoryIo, type MemoryIoOptions, memoryIo } from "./testing/memory-io.js";

let dir = "";
/** Kept between runs of the tests: reading the image packages takes seconds, and the cache is checked when read. */
const cache = fileURLToPath(new URL("../../../node_modules/.cache/kumiai-tests", import.meta.url));
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-cli-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Two sites, one task each, a tiny model, two rounds of one step. */
const TINY = `
name: tiny
description: Two sites for a test.
scenes: { size: 32 }
model: { encoder: { channels: [4, 4, 4, 4] }, decoder: { width: 4 } }
training:
  rounds: 2
  localEpochs: 1
  batchSize: 2
  optimizer: { name: adamw, learningRate: 0.003, weightDecay: 0 }
  warmupRounds: 0
  schedule: constant
  clipNorm: 1
  optimizerState: keep
  backgroundLossWeight: 0.2
evaluation: { everyRounds: 2, testCount: 2 }
clients:
  - { id: line-a, domain: garments, tasks: [edge], trainCount: 2 }
  - { id: line-b, domain: digits, tasks: [depth], trainCount: 2 }
`;

async function scenarioFile(text = TINY): Promise<string> {
  const path = join(dir, "tiny.yaml");
  await writeFile(path, text);
  return path;
}

interface Called {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

async function kumiai(args: readonly string[], options: MemoryIoOptions = {}): Promise<Called> {
  const io = memoryIo({ ...options, env: { KUMIAI_CACHE_DIR: cache, ...options.env } });
  const exitCode = await runCli(args, io);
  return { exitCode, out: io.outText(), err: io.errText() };
}

async function readResult(out: string): Promise<ComparisonResult> {
  return JSON.parse(await readFile(join(out, "result.json"), "utf8"));
}

describe("help", () => {
  test("lists commands by purpose, examples and exit codes on stdout", async () => {
    const { exitCode, out, err } = await kumiai(["--help"]);
    expect(exitCode).toBe(0);
    expect(err).toBe("");
    for (const part of ["compare FILE", "run FILE", "strategies", "Examples", "$ kumiai compare", "130 interrupted"]) {
      expect(out).toContain(part);
    }
  });

  test("fits a terminal of 120 columns", async () => {
    const { out } = await kumiai(["--help"]);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  test("is what comes without arguments", async () => {
    expect(await kumiai([])).toEqual(await kumiai(["--help"]));
  });

  test("of a command names its options with their defaults", async () => {
    const { out } = await kumiai(["compare", "--help"]);
    for (const part of ["--strategies <NAMES>", "local,fedavg,fedhca2", "--seeds", "--out", "--threads", "--rounds"]) {
      expect(out).toContain(part);
    }
  });

  test("the version is the package's", async () => {
    expect((await kumiai(["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("a wrong command line ends with 2, says why on stderr and nothing on stdout", () => {
  test.each([
    [["comparee", "x.yaml"], /unknown command 'comparee'.*did you mean compare/s],
    [["compare"], /missing required argument 'FILE'/],
    [["compare", "x.yaml", "--sead", "1"], /unknown option '--sead'.*did you mean --seeds/s],
    [["compare", "x.yaml", "--seeds", "one"], /Expected seeds like 1,2 or 1-5, received "one"/],
    [["compare", "x.yaml", "--threads", "0"], /Expected a whole number of 1 or more/],
    [["run", "x.yaml", "--out", ""], /Expected a path, received nothing/],
    [["run", "x.yaml", "more"], /too many arguments/],
  ])("%j", async (args, message) => {
    const { exitCode, out, err } = await kumiai(args);
    expect(err).toMatch(message);
    expect(err).toMatch(/^error INVALID_USAGE: .*; see `kumiai .*--help`\n.*docs\/errors\/INVALID_USAGE\.md\n$/);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
  });
});

describe("bad input ends with its code before anything is written", () => {
  async function refused(text: string | null, args: readonly string[] = []): Promise<Called> {
    const file = text === null ? join(dir, "absent.yaml") : await scenarioFile(text);
    const called = await kumiai(["run", file, "--out", join(dir, "out"), ...args]);
    expect(called.out).toBe("");
    expect(await readdir(dir).then((names) => names.filter((name) => name !== "tiny.yaml"))).toEqual([]);
    return called;
  }

  test("a missing file", async () => {
    const { exitCode, err } = await refused(null);
    expect(err).toMatch(/^error FILE_NOT_FOUND: .*absent\.yaml/);
    expect(err).toContain("FILE_NOT_FOUND.md");
    expect(exitCode).toBe(3);
  });

  test("a negative learning rate, with line and column", async () => {
    const { exitCode, err } = await refused(TINY.replace("0.003", "-0.003"));
    expect(err).toMatch(/^error INVALID_CONFIG: .*tiny\.yaml:10:\d+: training\.optimizer\.learningRate: .*-0\.003/);
    expect(exitCode).toBe(2);
  });

  test("text that is not YAML", async () => {
    const { exitCode, err } = await refused("name: [unclosed\nclients: }");
    expect(err).toMatch(/^error INVALID_CONFIG: .*tiny\.yaml:\d+:\d+/);
    expect(exitCode).toBe(2);
  });

  test("an unknown task, with a suggestion", async () => {
    const { exitCode, err } = await refused(TINY.replace("[edge]", "[edges]"));
    expect(err).toMatch(/^error UNKNOWN_TASK: .*did you mean "edge"/s);
    expect(exitCode).toBe(2);
  });

  test("an unknown strategy", async () => {
    const file = await scenarioFile();
    const { exitCode, err } = await kumiai(["run", file, "--strategy", "fedmagic", "--out", join(dir, "out")]);
    expect(err).toMatch(/^error UNKNOWN_STRATEGY: .*fedmagic/);
    expect(exitCode).toBe(2);
    expect(await readdir(join(dir, "out")).catch(() => [])).toEqual([]);
  });
});

test("an output folder that cannot be made ends with WRITE_FAILED before training", async () => {
  const file = await scenarioFile();
  await writeFile(join(dir, "taken"), "");
  const { exitCode, out, err } = await kumiai(["run", file, "--out", join(dir, "taken")]);
  expect(err).toMatch(/^error WRITE_FAILED: /);
  expect({ exitCode, out }).toEqual({ exitCode: 3, out: "" });
});

test("KUMIAI_DEBUG shows the stack", async () => {
  const { err } = await kumiai(["run", join(dir, "absent.yaml")], { env: { KUMIAI_DEBUG: "1" } });
  expect(err).toContain("    at ");
});

test("sites called what every object inherits run, join late and are shown like any other", async () => {
  const file = await scenarioFile(
    TINY.replace("line-a,", "constructor, joinsAtRound: 2,").replace("line-b,", "toString, absentRounds: [2],"),
  );
  for (const isTerminal of [true, false]) {
    const called = await kumiai(["compare", file, "--out", join(dir, "out")], { isTerminal, columns: 200 });
    expect(called.err).not.toMatch(/error|native code/);
    expect(called.out).toContain("constructor (edge)");
    expect(called.exitCode).toBe(0);
  }
});

test("a result that cannot be written is said once", async () => {
  await mkdir(join(dir, "out", "result.json"), { recursive: true });
  const { exitCode, err } = await kumiai(["run", await scenarioFile(), "--out", join(dir, "out")]);
  expect(err.match(/error WRITE_FAILED/g)).toHaveLength(1);
  expect(exitCode).toBe(3);
});

describe("compare", () => {
  test("trains, writes both files and ends with the table and absolute paths", async () => {
    const file = await scenarioFile();
    const out = join(dir, "out");
    const args = ["compare", file, "--strategies", "local,fedavg", "--seeds", "1,2", "--out", out, "--threads", "2"];
    const called = await kumiai(args);
    expect(called.err).toContain("round 2 of 2, mean loss ");
    expect(called.exitCode).toBe(0);
    expect((await readdir(out)).sort()).toEqual([
      "report.html",
      "result.json",
      "results.csv",
      "results.md",
      "results.tex",
      "runs",
    ]);
    const result = await readResult(out);
    expect(result.complete).toBe(true);
    expect(Object.keys(result.strategies)).toEqual(["local", "fedavg"]);
    expect(Object.keys(result.strategies.fedavg?.perSeed ?? {})).toEqual(["1", "2"]);
    expect(called.out).toContain("Δ% ± std");
    expect(called.out).toContain("95 % interval");
    expect(called.out).toContain("line-b (depth)");
    expect(called.out.trimEnd().split("\n").at(-1)).toBe(`report  ${join(out, "report.html")}`);
  });

  test("an interruption keeps the finished runs, marks the result as incomplete and ends with 130", async () => {
    const file = await scenarioFile(TINY.replace("rounds: 2", "rounds: 4"));
    const out = join(dir, "out");
    let io: MemoryIo | undefined;
    io = memoryIo({
      env: { KUMIAI_CACHE_DIR: cache },
      onErr: (text) => {
        if (text.includes("done in")) io?.interrupt();
      },
    });
    const args = ["compare", file, "--strategies", "local,fedavg", "--out", out, "--threads", "1"];
    expect(await runCli(args, io)).toBe(130);
    const result = await readResult(out);
    expect(result.complete).toBe(false);
    const finished = Object.entries(result.strategies).filter(([, { perSeed }]) => Object.keys(perSeed).length > 0);
    expect(finished.map(([name]) => name)).toEqual(["local"]);
    expect((await readdir(out)).sort()).toEqual([
      "report.html",
      "result.json",
      "results.csv",
      "results.md",
      "results.tex",
      "runs",
    ]);
    expect(io.errText()).toContain("keeping the runs that had finished");
  });

  test("an interruption before any run has finished writes nothing", async () => {
    const file = await scenarioFile();
    const out = join(dir, "out");
    await mkdir(out);
    let io: MemoryIo | undefined;
    io = memoryIo({
      env: { KUMIAI_CACHE_DIR: cache },
      onErr: (text) => {
        if (text.includes("preparing data")) io?.interrupt();
      },
    });
    expect(await runCli(["run", file, "--out", out], io)).toBe(130);
    expect(await readdir(out)).toEqual([]);
    expect(io.outText()).toBe("");
  });
});

test("run shows each task beside its constant", async () => {
  const file = await scenarioFile();
  const { exitCode, out } = await kumiai([
    "run",
    file,
    "--strategy",
    "local",
    "--rounds",
    "1",
    "--out",
    join(dir, "out"),
  ]);
  expect(out).toContain("constant");
  expect(out).toMatch(/line-a.*edge.*F1/);
  expect(exitCode).toBe(0);
  expect((await readResult(join(dir, "out"))).scenario.rounds).toBe(1);
});

describe("pretrain", () => {
  const tiny = ["--channels", "4,4,4,4", "--scenes", "8", "--epochs", "2", "--size", "32"];

  test("writes an encoder that a scenario can start from, and says how good it is", async () => {
    const encoder = join(dir, "made", "encoder.safetensors");
    const called = await kumiai(["pretrain", ...tiny, "--out", encoder]);
    expect(called.err).toContain("epoch 2 of 2, loss ");
    expect(called.out).toMatch(/^accuracy {2}[\d.]+ % on its own scenes/);
    expect(called.exitCode).toBe(0);
    const file = await scenarioFile(TINY.replace("encoder: {", "encoder: { init: made/encoder.safetensors,"));
    expect((await kumiai(["run", file, "--rounds", "1", "--out", join(dir, "out")])).exitCode).toBe(0);
  });

  test("a truncated encoder ends a run with SAFETENSORS_MALFORMED, one of other channels with LAYOUT_MISMATCH", async () => {
    const encoder = join(dir, "encoder.safetensors");
    await kumiai(["pretrain", ...tiny, "--out", encoder]);
    const text = TINY.replace("encoder: {", "encoder: { init: encoder.safetensors,");
    const other = await kumiai([
      "run",
      await scenarioFile(text.replace("[4, 4, 4, 4]", "[4, 4, 4, 8]")),
      "--out",
      join(dir, "out"),
    ]);
    expect(other.err).toMatch(/^error LAYOUT_MISMATCH: .*expected \[.*received/m);
    expect(other.exitCode).toBe(4);
    await writeFile(encoder, (await readFile(encoder)).subarray(0, 900));
    const truncated = await kumiai(["run", await scenarioFile(text), "--out", join(dir, "out")]);
    expect(truncated.err).toMatch(/^error SAFETENSORS_MALFORMED: .*encoder\.safetensors/);
    expect(truncated.exitCode).toBe(4);
  });
});

describe("strategies", () => {
  test("lists each with a line", async () => {
    const { exitCode, out } = await kumiai(["strategies"]);
    for (const name of ["local", "fedavg", "fedprox", "fedhca2", "pooled", "self-extrapolation"]) {
      expect(out).toMatch(new RegExp(`^${name} +\\S`, "m"));
    }
    expect(exitCode).toBe(0);
  });

  test("tells nested options by their path", async () => {
    const { out } = await kumiai(["strategies"]);
    expect(out).toContain("hyperOptimizer.learningRate 0.01");
    expect(out).not.toContain("[object");
  });

  test("--json is for programs: each option with type, default, limits and a line of help", async () => {
    const listed: unknown = JSON.parse((await kumiai(["strategies", "--json"])).out);
    const surgery = expect.objectContaining({ type: "choice", default: "none" });
    expect(listed).toContainEqual(
      expect.objectContaining({ name: "local", summary: expect.any(String), options: { surgery }, defaults: {} }),
    );
    const momentum = { type: "number", default: 0.9, atLeast: 0, lessThan: 1 };
    const attention = { type: "choice", default: "dot", choices: ["dot", "cosine"], help: expect.any(String) };
    expect(listed).toContainEqual(
      expect.objectContaining({
        name: "fedhca2",
        source: expect.stringContaining("2311.13250"),
        options: expect.objectContaining({
          attention,
          sketchSize: expect.objectContaining({ type: "whole-number", default: 4096, atLeast: 1 }),
          encoderPart: expect.objectContaining({ type: "boolean", default: true }),
          hyperOptimizer: expect.objectContaining({ type: "options", options: expect.objectContaining({ momentum }) }),
        }),
      }),
    );
  });

  test("limits of a number are told in words, those of a choice by its words", async () => {
    const { out } = await kumiai(["strategies"]);
    expect(out).toMatch(/hyperOptimizer\.momentum 0\.9 +a number, 0 or more and less than 1/);
    expect(out).toMatch(/sketchSize 4096 +a whole number, 1 or more and 1048576 or less/);
    expect(out).toMatch(/attention dot +dot \| cosine/);
  });
});
