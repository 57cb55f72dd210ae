/**
 * `npm run bench -- aggregate [options]`: one round of FedHCA², hyper-weight update included, against a memcpy of the bytes that it must
 * move: every base and local read twice, every output written once.
 *
 *   --threads N     threads that compute; default 2
 *   --repeats N     timed rounds at the paper's scale; default 7 (after one to warm up)
 *   --dir FOLDER    where files are made, and removed again; default: the system's temporary folder
 *   --python PATH   a Python to look for torch in; may be repeated. Default: python3 and /usr/bin/python3.
 *   --no-sweep, --no-torch
 *   --scale         also many clients of 10 M params in sparse files, with sketches; --scale-clients N, default 1000
 *   --quick         everything with few params, to see that it works
 *   --json          one JSON document instead of the table
 *
 * Each case runs in a process of its own, rounds and copies in turn; results are checked against plain loops. Exit code 1 for a
 * wrong result.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openChildren } from "./lib/aggregate-children.mjs";
import { printReport } from "./lib/aggregate-report.mjs";
import { sweep } from "./lib/aggregate-sweep.mjs";
import { compareWithTorch } from "./lib/aggregate-torch.mjs";

const TMPFS = 0x01021994;
const MEBIBYTE = 2 ** 20;

/** Five clients with one task and one with four, as in the paper; 27.5 M params in the encoder (Swin-T). */
const PAPER = { clientCount: 6, encoderSize: 27_500_000, decoderSize: 500_000, lastTasks: 4 };
const SCALE = { encoderSize: 10_000_000, decoderSize: 4096 };

function settingsOf({ quick: isQuick, repeats }) {
  return {
    isQuick,
    repeats: isQuick ? Math.min(2, repeats) : repeats,
    bufferBytes: (isQuick ? 16 : 256) * MEBIBYTE,
    paper: isQuick ? { ...PAPER, encoderSize: 200_003, decoderSize: 5000 } : PAPER,
    scale: isQuick ? { ...SCALE, encoderSize: 600_000 } : SCALE,
  };
}

async function measureAll(options, children) {
  const settings = settingsOf(options);
  const { paper, repeats, bufferBytes } = settings;
  const common = { threads: options.threads, bufferBytes, strategy: {} };
  const atPaperScale = { ...common, federation: paper, repeats, budgetSeconds: 60 };
  const loads = [loadavg()[0]];
  const memory = await children.run("memory", atPaperScale);
  const files = await children.run("files", atPaperScale);
  const torch = options.torch
    ? await compareWithTorch({ paper, repeats, ...options }, memory, children)
    : { skipped: "--no-torch" };
  const swept = options.sweep ? await sweep({ ...common, isQuick: settings.isQuick }, children) : undefined;
  loads.push(loadavg()[0]);
  const scale = options.scale
    ? await children.run("scale", {
        federation: { clientCount: options["scale-clients"], ...settings.scale },
        threads: options.threads,
        strategy: { weights: "sketch" },
      })
    : undefined;
  return {
    machine: machine(options.dir, loads),
    ...commit(),
    threads: options.threads,
    isQuick: settings.isQuick,
    paperScale: { ...paper, memory, files },
    torch,
    ...(swept === undefined ? { sweep: [] } : swept),
    ...(scale === undefined ? {} : { scale }),
  };
}

function machine(folder, loads) {
  return {
    cpu: cpus()[0]?.model ?? "",
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.versions.node,
    system: `${process.platform} ${kernelRelease()}`,
    filesInMemory: statfsSync(folder).type === TMPFS,
    /** Of the last minute, before and after. */
    loads,
  };
}

function kernelRelease() {
  try {
    return readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
  } catch {
    return "";
  }
}

function commit() {
  const { status, stdout } = spawnSync("git", ["rev-parse", "--short", "HEAD"], {
    cwd: dirname(fileURLToPath(import.meta.url)),
    encoding: "utf8",
  });
  return status === 0 ? { commit: stdout.trim() } : {};
}

function parseOptions() {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      threads: { type: "string", default: "2" },
      repeats: { type: "string", default: "7" },
      dir: { type: "string", default: tmpdir() },
      python: { type: "string", multiple: true, default: ["python3", "/usr/bin/python3"] },
      sweep: { type: "boolean", default: true },
      torch: { type: "boolean", default: true },
      scale: { type: "boolean", default: false },
      "scale-clients": { type: "string", default: "1000" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const numbers = Object.fromEntries(
    ["threads", "repeats", "scale-clients"].map((name) => [name, Number(values[name])]),
  );
  for (const [name, value] of Object.entries(numbers)) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw new RangeError(`--${name}: expected a whole number above 0, received ${values[name]}`);
  }
  return { ...values, ...numbers };
}

async function main() {
  let options;
  try {
    options = parseOptions();
  } catch (error) {
    process.stderr.write(`bench aggregate: ${error.message}\n`);
    return 2;
  }
  const folder = mkdtempSync(join(resolve(options.dir), "kumiai-bench-"));
  const children = openChildren(folder);
  try {
    const report = await measureAll(options, children);
    if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    else printReport(report);
    return 0;
  } catch (error) {
    process.stderr.write(`bench aggregate: ${error.message}\n`);
    return children.wasInterrupted() ? 130 : 1;
  } finally {
    // Whatever happened, no child is left that could write here.
    await children.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
