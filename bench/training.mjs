/**
 * `npm run bench -- training [options]`: milliseconds per training step (forward, backward, update), our engine against
 * PyTorch on the same model, params, batch and number of threads.
 *
 *   --python PATH   a Python to look for torch in; may be repeated. Default: python3 and /usr/bin/python3.
 *   --threads LIST  default 1,2
 *   --rounds N      rounds of each side, taken in turn; default 7 (after one round to warm up)
 *   --json          one JSON document instead of the table
 *
 * Each PyTorch runs in its own process, in the faster of NCHW and channels last, with oneDNN where its backward
 * pass works (Debian's 1.13 ends with a signal or an error on some processors; then oneDNN is switched off, and the output
 * says so). Both sides must report the same first loss, or nothing is measured. Both numbers are wall time of a whole step:
 * ours includes copying the batch in.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createRng, parseTaskId } from "@kumiai/params";
import { defineModel, denseNet, mean, openTrainingSession, relu } from "@kumiai/training";
import { pythonsWithTorch } from "./lib/torch-pythons.mjs";

const TORCH_SCRIPT = join(dirname(fileURLToPath(import.meta.url)), "training_torch.py");
const STEPS_PER_ROUND = 5;
const BAR = 1.5;

/** The five-layer net of docs: 16 images of 64 × 64 × 3. Channels chosen so that PyTorch needs about 20 ms on one core. */
function convNet() {
  const item = parseTaskId("item");
  return defineModel((m) => {
    const layers = [
      [16, 1],
      [32, 2],
      [32, 1],
      [64, 2],
      [64, 1],
    ];
    const features = layers.reduce(
      (x, [out, stride], i) => relu(m.encoder().conv2d(`conv${i}`, x, { out, stride, kernel: 3, padding: 1 })),
      m.input("image", [3, 64, 64]),
    );
    m.task(item, m.head(item).linear("out", mean(features, { axes: [2, 3] }), { out: 10 }), { kind: "crossEntropy" });
  });
}

/** The scene model of the demo: two tasks on four residual stages. */
function sceneNet() {
  return denseNet({
    height: 64,
    width: 64,
    encoder: { channels: [16, 24, 32, 48] },
    decoder: { width: 24 },
    tasks: [
      {
        id: parseTaskId("semseg"),
        outChannels: 11,
        loss: { kind: "crossEntropy", classWeights: [0.2, ...Array(10).fill(1)] },
      },
      { id: parseTaskId("edge"), outChannels: 1, loss: { kind: "binaryCrossEntropy", positiveWeight: 4 } },
    ],
  });
}

const SETUPS = [
  {
    name: "conv-net",
    title: "conv net, batch 16",
    model: convNet(),
    batchSize: 16,
    torchTypes: { "label.item": "int64" },
  },
  {
    name: "dense-net",
    title: "scene model, 2 tasks, batch 8",
    model: sceneNet(),
    batchSize: 8,
    clipNorm: 1,
    torchTypes: { "label.semseg": "int64", "label.edge": "float32" },
  },
];

/** Made-up params and batch, the same on every run. */
function dataOf({ model, batchSize }) {
  const rng = createRng(1);
  const params = model.initParams(rng.split("params"));
  const batch = {};
  for (const spec of model.inputs) {
    const stream = rng.split(spec.name);
    const size = batchSize * spec.shape.reduce((product, extent) => product * extent, 1);
    if (spec.role === "feature") batch[spec.name] = Float32Array.from({ length: size }, () => stream.normal());
    else
      batch[spec.name] = Uint8Array.from({ length: size }, () =>
        Math.floor(stream.uniform() * (spec.classes?.count ?? 2)),
      );
  }
  return { params, batch };
}

function writeForTorch(folder, setup, { params, batch }) {
  const { model, name, batchSize, clipNorm, torchTypes } = setup;
  const slots = model.layout.slots.map((slot) => [slot.name, "<f4", slot.shape]);
  const arrays = model.inputs.map((spec) => [
    spec.name,
    batch[spec.name] instanceof Float32Array ? "<f4" : "u1",
    [batchSize, ...spec.shape],
  ]);
  const bytes = [params, ...model.inputs.map((spec) => batch[spec.name])].map((values) => Buffer.from(values.buffer));
  writeFileSync(
    join(folder, `${name}.json`),
    JSON.stringify({ slots, batch: arrays, clipNorm: clipNorm ?? null, torchTypes }),
  );
  writeFileSync(join(folder, `${name}.bin`), Buffer.concat(bytes));
}

async function openOurs({ model, batchSize, clipNorm }, { params, batch }, threadCount) {
  const session = await openTrainingSession(model, {
    batchSize,
    threadCount,
    optimizer: { kind: "adamw", weightDecay: 0.01 },
    ...(clipNorm === undefined ? {} : { clipNorm }),
  });
  session.load(params);
  const { loss } = await session.step({ batch, learningRate: 1e-3 });
  return {
    label: "kumiai",
    losses: [loss],
    async run(count) {
      const times = [];
      for (let i = 0; i < count; i++) {
        const start = performance.now();
        await session.step({ batch, learningRate: 1e-3 });
        times.push(performance.now() - start);
      }
      return { "": times };
    },
    close: () => session[Symbol.asyncDispose](),
  };
}

/** One PyTorch process that waits to be asked; undefined with the reason if it cannot train here. */
async function startTorch({ python, folder, name, threads, oneDnn }) {
  const child = spawn(python, [TORCH_SCRIPT, folder, name, `${threads}`, oneDnn ? "on" : "off"], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  child.stdin.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) => child.on("close", (code, signal) => resolve(signal ?? `exit code ${code}`)));
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${await ended}: ${errors.trim().split("\n").at(-1) ?? ""}`);
    return JSON.parse(value);
  };
  const ready = await next();
  return {
    ...ready,
    label: `torch ${ready.torch}`,
    async run(count) {
      child.stdin.write(`${count}\n`);
      return next();
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

async function openTorch(options, notes) {
  try {
    return await startTorch({ ...options, oneDnn: true });
  } catch (error) {
    notes.push(
      `${options.python}, ${options.name}, ${options.threads} thread(s): oneDNN's backward pass fails (${error.message}); measured without oneDNN`,
    );
    return startTorch({ ...options, oneDnn: false });
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** All sides in turn, the order reversed in every other round; of each side the setting with the lowest median. */
async function measure(sides, rounds) {
  const times = sides.map(() => new Map());
  for (let round = 0; round <= rounds; round++) {
    const order = sides.map((_, i) => (round % 2 === 0 ? i : sides.length - 1 - i));
    for (const i of order) {
      for (const [setting, taken] of Object.entries(await sides[i].run(STEPS_PER_ROUND))) {
        if (round > 0) times[i].set(setting, [...(times[i].get(setting) ?? []), ...taken]);
      }
    }
  }
  return times.map((bySetting) => {
    const settings = [...bySetting].map(([setting, taken]) => ({
      setting,
      medianMs: median(taken),
      minMs: Math.min(...taken),
    }));
    return settings.reduce((best, other) => (other.medianMs < best.medianMs ? other : best));
  });
}

async function compare(setup, { threads, rounds, pythons, folder, notes }) {
  const data = dataOf(setup);
  writeForTorch(folder, setup, data);
  const ours = await openOurs(setup, data, threads);
  const sides = [ours];
  try {
    for (const python of pythons) sides.push(await openTorch({ python, folder, name: setup.name, threads }, notes));
    for (const side of sides) {
      const [ourLoss] = ours.losses;
      if (!side.losses.every((loss) => Math.abs(loss / ourLoss - 1) < 1e-4)) {
        throw new Error(`${side.label} starts at loss ${side.losses}, ours at ${ourLoss}: not the same model`);
      }
    }
    const results = await measure(sides, rounds);
    const rows = sides.map((side, i) => {
      const { setting, ...result } = results[i];
      return {
        side: side.label,
        ...(side.torch === undefined ? {} : { oneDnn: side.onednn, layout: setting }),
        ...result,
      };
    });
    const fastest = Math.min(...rows.slice(1).map((row) => row.medianMs));
    return {
      model: setup.name,
      title: setup.title,
      params: setup.model.layout.size,
      threads,
      loadAtEnd: loadavg()[0],
      rows,
      ...(rows.length > 1 ? { ratioToFastestTorch: rows[0].medianMs / fastest } : {}),
    };
  } finally {
    for (const side of sides) await side.close();
  }
}

function describeRow(row, ours) {
  const setting = row.layout === undefined ? "" : ` (${row.layout}, oneDNN ${row.oneDnn ? "on" : "off"})`;
  const ratio = row.layout === undefined ? "" : `${(ours.medianMs / row.medianMs).toFixed(2)}`;
  return [
    `${row.side}${setting}`.padEnd(52),
    row.medianMs.toFixed(1).padStart(8),
    row.minMs.toFixed(1).padStart(8),
    ratio.padStart(9),
  ];
}

function print(report) {
  const line = (text) => process.stdout.write(`${text}\n`);
  line(
    `${report.cpu}, ${report.cores} cores, Node ${process.versions.node}; ms per step: median and fastest of ${report.steps} steps`,
  );
  for (const result of report.results) {
    line(`\n${result.title}, ${result.params} params, ${result.threads} thread(s)`);
    line(["".padEnd(52), "median".padStart(8), "fastest".padStart(8), "ours/this".padStart(9)].join(" "));
    for (const row of result.rows) line(describeRow(row, result.rows[0]).join(" "));
    if (result.ratioToFastestTorch !== undefined) {
      const verdict = result.ratioToFastestTorch <= BAR ? "within" : "above";
      line(`ratio to the fastest PyTorch: ${result.ratioToFastestTorch.toFixed(2)} (${verdict} the bar of ${BAR})`);
      if (result.rows.every((row) => row.oneDnn !== true))
        line("but no PyTorch here could use oneDNN, so this flatters us");
    }
    if (result.loadAtEnd > report.cores)
      line(`the machine was busy (load ${result.loadAtEnd.toFixed(1)}): run it again when it is quiet`);
  }
  for (const note of report.notes) line(`\nnote: ${note}`);
}

const { values: options } = parseArgs({
  options: {
    python: { type: "string", multiple: true, default: ["python3", "/usr/bin/python3"] },
    threads: { type: "string", default: "1,2" },
    rounds: { type: "string", default: "7" },
    json: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds);
const threadCounts = options.threads.split(",").map(Number);
if (![rounds, ...threadCounts].every((value) => Number.isSafeInteger(value) && value > 0)) {
  process.stderr.write("bench training: --rounds and --threads need whole numbers above 0\n");
  process.exit(2);
}
const notes = [];
const pythons = pythonsWithTorch(options.python);
if (pythons.length === 0) {
  notes.push(
    `none of ${options.python.join(", ")} has torch: our times alone (Debian: python3-torch; or --python PATH)`,
  );
}
const folder = mkdtempSync(join(tmpdir(), "kumiai-bench-"));
try {
  const results = [];
  for (const setup of SETUPS) {
    for (const threads of threadCounts) {
      results.push(await compare(setup, { threads, rounds, pythons, folder, notes }));
    }
  }
  const report = {
    cpu: cpus()[0]?.model ?? "",
    cores: cpus().length,
    steps: rounds * STEPS_PER_ROUND,
    bar: BAR,
    results,
    notes,
  };
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else print(report);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
