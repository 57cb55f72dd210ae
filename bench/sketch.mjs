/**
 * `npm run bench -- sketch [options]`: what a sketch of each update costs and how far the conflict-averse step made from
 * sketches is from the exact one, over sketch sizes.
 *
 *   --sizes LIST    default 256,1024,4096,16384,65536
 *   --seeds N       sketch seeds per size; default 8
 *   --json          one JSON document instead of the tables
 *
 * Updates: the fixtures of fixtures/fedhca2 (every round), then made-up clients of stated structure. The exact Gram is summed here in
 * f64, apart from any kernel. Of every size: mean and sample std over seeds (and rounds) of
 *   gram        ‖Ĝ − G‖ / ‖G‖, Frobenius; `theory`: its root mean square over seeds by the variance of the sketch
 *   cosine      the largest |Ĝ_ij − G_ij| / (‖Δ_i‖‖Δ_j‖)
 *   objective   (F(ŵ) − F(w*)) / ‖g₀‖², F on the exact Gram: what the weights of the sketch give away
 *   direction   ‖Û − Ũ‖ / ‖Ũ‖, and the cosine between the two
 * `raw`: from the Gram of the sketches as it is; the other columns: after `shrinkSketchGram`.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { solveConflictAverse } from "@kumiai/algorithms";
import { addSketchInto, planSketch, shrinkSketchGram, sketchOf } from "@kumiai/kernels";
import { FIXTURES, fixtureCase, MADE_UP, range } from "./lib/sketch-cases.mjs";

const RADIUS = 0.4;

function gramOf(rows) {
  const gram = new Float64Array(rows.length ** 2);
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j <= i; j++) gram[i * rows.length + j] = gram[j * rows.length + i] = dot(rows[i], rows[j]);
  }
  return gram;
}

/** Four sums at once, added at the end. */
function dot(x, y) {
  const whole = x.length - (x.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += x[i] * y[i];
    b += x[i + 1] * y[i + 1];
    c += x[i + 2] * y[i + 2];
    d += x[i + 3] * y[i + 3];
  }
  for (let i = whole; i < x.length; i++) a += x[i] * y[i];
  return a + b + c + d;
}

/** xᵀGy */
function form(gram, x, y) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * dot(gram.subarray(i * x.length, (i + 1) * x.length), y);
  return sum;
}

/** One round's exact answers. */
function exactRound(updates, radius) {
  const count = updates.length;
  const gram = gramOf(updates);
  const uniform = new Float64Array(count).fill(1 / count);
  const meanNorm2 = form(gram, uniform, uniform);
  const objective = (weights) =>
    form(gram, uniform, weights) + radius * Math.sqrt(meanNorm2 * Math.max(0, form(gram, weights, weights)));
  return { updates, radius, gram, meanNorm2, objective, solved: solveConflictAverse(gram, radius) };
}

/** Errors of one round's sketches with one seed. */
function sample(exact, size, seed) {
  const { updates, gram } = exact;
  const spec = { size, seed };
  const estimated = gramOf(updates.map((update) => sketchOf(update, spec)));
  const shrunk = shrinkSketchGram(estimated, planSketch(updates[0].length, spec));
  const { objective: rawObjective, direction: rawDirection } = solveErrors(exact, estimated);
  return {
    gram: relativeError(estimated, gram),
    cosine: largestCosineError(estimated, gram),
    rawObjective,
    rawDirection,
    shrunkGram: relativeError(shrunk, gram),
    ...solveErrors(exact, shrunk),
  };
}

/** What is lost by solving on an estimate of the Gram. */
function solveErrors({ radius, gram, meanNorm2, objective, solved }, estimate) {
  const { weights, factors } = solveConflictAverse(estimate, radius);
  const off = factors.map((factor, j) => factor - solved.factors[j]);
  const length2 = form(gram, solved.factors, solved.factors);
  return {
    objective: (objective(weights) - objective(solved.weights)) / meanNorm2,
    direction: Math.sqrt(Math.max(0, form(gram, off, off)) / length2),
    directionCosine: form(gram, factors, solved.factors) / Math.sqrt(length2 * form(gram, factors, factors)),
  };
}

function relativeError(estimate, gram) {
  const off = estimate.map((value, i) => value - gram[i]);
  return Math.sqrt(dot(off, off) / dot(gram, gram));
}

function largestCosineError(estimate, gram) {
  const count = Math.sqrt(gram.length);
  let largest = 0;
  estimate.forEach((value, i) => {
    const norms = Math.sqrt(gram[Math.floor(i / count) * (count + 1)] * gram[(i % count) * (count + 1)]);
    if (norms > 0) largest = Math.max(largest, Math.abs(value - gram[i]) / norms);
  });
  return largest;
}

/** √E‖Ĝ − G‖² / ‖G‖ by the variance of the sketch; its small term −2Σx²y² left out. */
function theoryOf({ gram, updates }, size) {
  if (updates[0].length <= size) return 0;
  const count = updates.length;
  const trace = range(count).reduce((sum, i) => sum + gram[i * (count + 1)], 0);
  return Math.sqrt((trace ** 2 / dot(gram, gram) + 1) / size);
}

function statOf(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}

function describeUpdates(rounds) {
  const cosines = rounds.flatMap(({ gram, updates }) => {
    const count = updates.length;
    return [...gram].flatMap((value, i) => {
      const [row, column] = [Math.floor(i / count), i % count];
      return row < column ? [value / Math.sqrt(gram[row * (count + 1)] * gram[column * (count + 1)])] : [];
    });
  });
  const meanNorm = rounds.map(({ gram, meanNorm2, updates }) => {
    const trace = range(updates.length).reduce((sum, i) => sum + gram[i * (updates.length + 1)], 0);
    return Math.sqrt((meanNorm2 * updates.length) / trace);
  });
  return {
    cosines: { min: Math.min(...cosines), mean: statOf(cosines).mean, max: Math.max(...cosines) },
    meanNormRatio: statOf(meanNorm).mean,
  };
}

function measureCase({ name, title, radius = RADIUS, seedLimit = seedCount, rounds: updates }) {
  const seeds = range(Math.min(seedLimit, seedCount));
  const rounds = updates.map((round) => exactRound(round, radius));
  const rows = sizes.map((size) => {
    const samples = rounds.flatMap((round) => seeds.map((seed) => sample(round, size, seed)));
    const stats = Object.keys(samples[0]).map((key) => [key, statOf(samples.map((errors) => errors[key]))]);
    const theory = Math.sqrt(statOf(rounds.map((round) => theoryOf(round, size) ** 2)).mean);
    return { size, isExact: updates[0][0].length <= size, theory, ...Object.fromEntries(stats) };
  });
  return {
    name,
    title,
    clients: updates[0].length,
    params: updates[0][0].length,
    radius,
    rounds: rounds.length,
    seeds: seeds.length,
    ...describeUpdates(rounds),
    rows,
  };
}

/** Bytes that a site sends, and its time: median of 7 passes over 4 M elements that are in memory. */
function measureCost(size) {
  const length = 1 << 22;
  const values = Float32Array.from({ length }, (_, i) => Math.sin(i));
  const plan = planSketch(length, { size, seed: 1 });
  const sums = new Float64Array(plan.size);
  const times = range(9).map(() => {
    const start = performance.now();
    addSketchInto(sums, plan, values, 0);
    return performance.now() - start;
  });
  const sorted = times.slice(2).sort((a, b) => a - b);
  return { size, bytes: 4 * size, nsPerElement: (sorted[3] * 1e6) / length };
}

const short = (value) => (value === 0 ? "0" : value < 1e-3 ? value.toExponential(0) : value.toPrecision(2));
const withSpread = ({ mean, std }) => `${short(Math.max(0, mean))} ± ${short(std)}`;

function table(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function cellsOf(row) {
  return [
    row.size,
    withSpread(row.gram),
    short(row.theory),
    withSpread(row.cosine),
    withSpread(row.rawDirection),
    withSpread(row.direction),
    row.directionCosine.mean.toFixed(4),
    withSpread(row.objective),
  ];
}

/** One row for all sizes that are no less than the vector. */
function exactRow(rows) {
  const first = rows.find(({ isExact }) => isExact);
  return first === undefined ? [] : [[`${first.size} and more`, "exact", "0", "0", "0", "0", "1", "0"]];
}

function print(report) {
  const line = (text) => process.stdout.write(`${text}\n`);
  line(`${report.cpu}, Node ${report.node}; mean ± std over ${report.seeds} seeds\n`);
  const costs = report.costs.map(({ size, bytes, nsPerElement }) => [
    size,
    `${bytes / 1024} KB`,
    nsPerElement.toFixed(1),
  ]);
  line(table(["size", "sent", "ns per element"], costs));
  for (const { title, clients, params, cosines, meanNormRatio, radius, rows } of report.cases) {
    line(`\n${title}`);
    line(
      `N = ${clients}, P = ${params}, c = ${radius}; cosines ${cosines.min.toFixed(3)} to ${cosines.max.toFixed(3)}, mean ${cosines.mean.toFixed(3)}; ‖g₀‖ = ${short(meanNormRatio)} × the root mean square norm\n`,
    );
    const head = ["size", "gram", "theory", "cosine", "direction, raw", "direction", "its cosine", "objective"];
    line(table(head, [...rows.filter(({ isExact }) => !isExact).map(cellsOf), ...exactRow(rows)]));
  }
  if (report.loadAtEnd > report.cores)
    line(`\nthe machine was busy (load ${report.loadAtEnd.toFixed(1)}): times are too long`);
}

const { values: options } = parseArgs({
  options: {
    sizes: { type: "string", default: "256,1024,4096,16384,65536" },
    seeds: { type: "string", default: "8" },
    json: { type: "boolean", default: false },
  },
});
const sizes = options.sizes.split(",").map(Number);
const seedCount = Number(options.seeds);
if (![seedCount, ...sizes].every((value) => Number.isSafeInteger(value) && value > 0 && value <= 2 ** 20)) {
  process.stderr.write("bench sketch: --sizes and --seeds need whole numbers from 1 to 1,048,576\n");
  process.exit(2);
}
const costs = sizes.map(measureCost);
const cases = [];
for (const name of FIXTURES) cases.push(measureCase(await fixtureCase(name)));
for (const { make, ...facts } of MADE_UP) cases.push(measureCase({ ...facts, rounds: [make()] }));
const report = {
  cpu: cpus()[0]?.model ?? "",
  cores: cpus().length,
  node: process.versions.node,
  seeds: seedCount,
  costs,
  cases,
  loadAtEnd: loadavg()[0],
};
if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else print(report);
