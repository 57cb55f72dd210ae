/**
 * `npm run bench -- solver [options]`: seconds and duality gap of the conflict-averse weights, from the Gram alone.
 *
 *   --clients LIST  default 10,100,1000,2000
 *   --radii LIST    default 0.4,1
 *   --kinds LIST    default all of bench/lib/solver-cases.mjs
 *   --json          one JSON document instead of the table
 *
 * Times: the median of five solves up to 100 clients, of three beyond, after one to warm up. One thread. Where the processor time of a
 * solve is far below its wall time, somebody else had the core.
 *
 * Gap, computed here from the definition: every d = ĝ + c·s with ‖s‖ ≤ 1 (ĝ = g₀/‖g₀‖) shows that no F is below ‖g₀‖·min_j ⟨Δ_j, d⟩; taken for
 * s = the direction of Σ w_j Δ_j and, at c ≥ 1, for d = 0. Gap = F − that, as a part of (1 + c)·M·R, the size of F's
 * terms before they cancel (M = mean ‖Δ_j‖, R = Σ w_j‖Δ_j‖).
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { solveConflictAverse } from "@kumiai/algorithms";
import { KIND_NAMES, solverCase } from "./lib/solver-cases.mjs";

const BAR = { clients: 1000, seconds: 1 };

function dot(x, xStart, y) {
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum += x[xStart + i] * y[i];
  return sum;
}

/** F and the gap, both as parts of (1 + c)·M·R. */
function judge(gram, weights, radius) {
  const count = weights.length;
  const ones = new Float64Array(count).fill(1 / count);
  const [linear, image] = [new Float64Array(count), new Float64Array(count)];
  let [norms, reach] = [0, 0];
  for (let i = 0; i < count; i++) {
    linear[i] = dot(gram, i * count, ones);
    image[i] = dot(gram, i * count, weights);
    const norm = Math.sqrt(gram[i * count + i]);
    norms += norm / count;
    reach += weights[i] * norm;
  }
  const meanNorm = Math.sqrt(dot(linear, 0, ones));
  const mixNorm = Math.sqrt(Math.max(0, dot(image, 0, weights)));
  const value = dot(linear, 0, weights) + radius * meanNorm * mixNorm;
  const least = linear.reduce((low, entry, j) => {
    return Math.min(low, entry + (radius * meanNorm * image[j]) / mixNorm);
  }, Number.POSITIVE_INFINITY);
  const bound = Math.max(Number.isFinite(least) ? least : Number.NEGATIVE_INFINITY, ...(radius >= 1 ? [0] : []));
  const size = (1 + radius) * norms * reach;
  return { objective: value / size, gap: Math.max(0, value - bound) / size };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function measure({ name, title, params, gram }, count, radius) {
  let { weights } = solveConflictAverse(gram, radius);
  const runs = Array.from({ length: count <= 100 ? 5 : 3 }, () => {
    const [startedAt, processor] = [performance.now(), process.cpuUsage()];
    ({ weights } = solveConflictAverse(gram, radius));
    const { user, system } = process.cpuUsage(processor);
    return { seconds: (performance.now() - startedAt) / 1000, processorSeconds: (user + system) / 1e6 };
  });
  return {
    kind: name,
    title,
    clients: count,
    params,
    radius,
    seconds: median(runs.map((run) => run.seconds)),
    processorSeconds: median(runs.map((run) => run.processorSeconds)),
    support: weights.filter((weight) => weight > 0).length,
    ...judge(gram, weights, radius),
  };
}

function lineOf(cells) {
  const widths = [16, 8, 6, 10, 10, 9, 10, 11];
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("");
}

function print(report) {
  const line = (text) => process.stdout.write(`${text}\n`);
  line(`${report.cpu}, Node ${report.node}, one thread`);
  line(lineOf(["kind", "clients", "c", "ms", "cpu ms", "support", "gap", "F"]));
  for (const row of report.results) {
    line(
      lineOf([
        row.kind,
        `${row.clients}`,
        `${row.radius}`,
        (1000 * row.seconds).toFixed(row.seconds < 0.01 ? 2 : 0),
        (1000 * row.processorSeconds).toFixed(row.seconds < 0.01 ? 2 : 0),
        `${row.support}`,
        row.gap.toExponential(1),
        row.objective.toExponential(2),
      ]),
    );
  }
  for (const { clients, seconds, gap } of report.slowest) {
    line(`\n${clients} clients: at most ${seconds.toFixed(3)} s, gap at most ${gap.toExponential(1)}`);
    if (clients === BAR.clients) line(`${seconds <= BAR.seconds ? "within" : "above"} the bar of ${BAR.seconds} s`);
  }
  if (report.loadAtEnd > report.cores)
    line(`\nthe machine was busy (load ${report.loadAtEnd.toFixed(1)}): times are too long`);
}

const { values: options } = parseArgs({
  options: {
    clients: { type: "string", default: "10,100,1000,2000" },
    radii: { type: "string", default: "0.4,1" },
    kinds: { type: "string", default: KIND_NAMES.join(",") },
    json: { type: "boolean", default: false },
  },
});
const clientCounts = options.clients.split(",").map(Number);
const radii = options.radii.split(",").map(Number);
const kinds = options.kinds.split(",");
const refuse = (reason) => {
  process.stderr.write(`bench solver: ${reason}\n`);
  process.exit(2);
};
if (!clientCounts.every((value) => Number.isSafeInteger(value) && value >= 2 && value <= 4000))
  refuse("--clients needs whole numbers from 2 to 4,000");
if (!radii.every((value) => Number.isFinite(value) && value >= 0)) refuse("--radii needs numbers of at least 0");
const unknown = kinds.find((kind) => !KIND_NAMES.includes(kind));
if (unknown !== undefined) refuse(`there is no kind "${unknown}"; kinds: ${KIND_NAMES.join(", ")}`);

const results = [];
for (const count of clientCounts) {
  for (const kind of kinds) {
    const problem = solverCase(kind, count);
    for (const radius of radii) results.push(measure(problem, count, radius));
  }
}
const report = {
  cpu: cpus()[0]?.model ?? "",
  cores: cpus().length,
  node: process.versions.node,
  bar: BAR,
  results,
  slowest: clientCounts.map((clients) => {
    const rows = results.filter((row) => row.clients === clients);
    const most = (key) => Math.max(...rows.map((row) => row[key]));
    return { clients, seconds: most("seconds"), gap: most("gap") };
  }),
  loadAtEnd: loadavg()[0],
};
if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else print(report);
