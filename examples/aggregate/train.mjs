/**
 * A training loop of your own, as small as can be: two sites, eight sensors, plain gradient descent without any framework.
 *
 *   node examples/aggregate/train.mjs DIR
 *
 * One local round: reads DIR/params/SITE.safetensors (makes it the first time), trains, writes DIR/local/SITE.safetensors and prints the
 * loss on measurements that training never sees. `kumiai aggregate` does the rest; in your project this file is your own program, in
 * any language that has a safetensors library.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createRng, readParamsFile, writeParamsFile } from "@kumiai/params";

const SENSORS = 8;
const FEATURES = 16;
const HIDDEN = 8;
const STEPS = 40;
const LEARNING_RATE = 0.05;

const SITES = {
  "press-shop": { tasks: ["wear"], sampleCount: 48 },
  "paint-line": { tasks: ["wear", "gloss"], sampleCount: 96 },
};

/** Names are what the federation file's roles look at; see docs/ref-federation.md. */
function shapesOf(tasks) {
  return {
    "encoder.mix.weight": [FEATURES, SENSORS],
    "encoder.mix.bias": [FEATURES],
    ...Object.fromEntries(
      tasks.flatMap((task) => [
        [`decoders.${task}.fuse.weight`, [HIDDEN, FEATURES]],
        [`decoders.${task}.fuse.bias`, [HIDDEN]],
        [`heads.${task}.weight`, [1, HIDDEN]],
        [`heads.${task}.bias`, [1]],
      ]),
    ),
  };
}

/** Every site starts from the same encoder and the same decoder; only heads differ. */
function firstParams(tasks) {
  return Object.entries(shapesOf(tasks)).map(([name, shape]) => {
    const rng = createRng("start").split(name.replace(/^decoders\.[^.]+/, "decoders"));
    const scale = name.endsWith(".bias") ? 0 : 1 / Math.sqrt(shape[1]);
    const size = shape.reduce((product, extent) => product * extent, 1);
    return { name, shape, values: Float32Array.from({ length: size }, () => scale * rng.normal()) };
  });
}

/** What the sensors said, and what an inspector found: wear follows one law at both sites, which look at other ranges of it. */
function measure(site, purpose, count) {
  const rng = createRng("plant").split(site).split(purpose);
  const shift = site === "press-shop" ? 0.5 : -0.5;
  return Array.from({ length: count }, () => {
    const x = Array.from({ length: SENSORS }, () => rng.normal() + shift);
    const wear = Math.tanh(x[0] + x[1]) + 0.5 * x[2] + 0.05 * rng.normal();
    const gloss = Math.tanh(x[1] - x[3]) + 0.3 * x[4] + 0.05 * rng.normal();
    return { x, targets: { wear, gloss } };
  });
}

const dense = ({ weight, bias }, x) =>
  Array.from(bias, (b, row) => x.reduce((sum, value, column) => sum + weight[row * x.length + column] * value, b));

const layer = (params, name) => ({ weight: params.get(`${name}.weight`), bias: params.get(`${name}.bias`) });

function predict(params, task, x) {
  const features = dense(layer(params, "encoder.mix"), x).map(Math.tanh);
  const hidden = dense(layer(params, `decoders.${task}.fuse`), features).map(Math.tanh);
  return { features, hidden, value: dense(layer(params, `heads.${task}`), hidden)[0] };
}

/** One step back through a dense layer: changes it and returns the gradient of its input. */
function descend({ weight, bias }, input, gradient, rate) {
  const back = input.map((_, column) =>
    gradient.reduce((sum, g, row) => sum + g * weight[row * input.length + column], 0),
  );
  gradient.forEach((g, row) => {
    bias[row] -= rate * g;
    input.forEach((value, column) => {
      weight[row * input.length + column] -= rate * g * value;
    });
  });
  return back;
}

function train(params, tasks, data) {
  const through = (gradient, activations) => gradient.map((g, i) => g * (1 - activations[i] ** 2));
  for (let step = 0; step < STEPS; step++) {
    for (const task of tasks) {
      for (const { x, targets } of data) {
        const { features, hidden, value } = predict(params, task, x);
        const rate = LEARNING_RATE / Math.sqrt(data.length);
        const toHidden = descend(layer(params, `heads.${task}`), hidden, [value - targets[task]], rate);
        const toFeatures = descend(layer(params, `decoders.${task}.fuse`), features, through(toHidden, hidden), rate);
        descend(layer(params, "encoder.mix"), x, through(toFeatures, features), rate);
      }
    }
  }
}

function lossOf(params, task, data) {
  const squares = data.map(({ x, targets }) => (predict(params, task, x).value - targets[task]) ** 2);
  return squares.reduce((sum, square) => sum + square, 0) / data.length;
}

const [dir] = process.argv.slice(2);
if (dir === undefined) throw new Error("usage: node examples/aggregate/train.mjs DIR");
for (const folder of ["params", "local"]) mkdirSync(join(dir, folder), { recursive: true });

for (const [site, { tasks, sampleCount }] of Object.entries(SITES)) {
  const base = join(dir, "params", `${site}.safetensors`);
  if (!existsSync(base)) await writeParamsFile(base, firstParams(tasks));
  const { tensors } = await readParamsFile(base);
  const params = new Map(Array.from(tensors, ([name, { values }]) => [name, values]));
  train(params, tasks, measure(site, "train", sampleCount));
  const entries = Array.from(tensors, ([name, { shape, values }]) => ({ name, shape, values }));
  await writeParamsFile(join(dir, "local", `${site}.safetensors`), entries);
  const test = measure(site, "test", 200);
  const losses = tasks.map((task) => `${task} ${lossOf(params, task, test).toFixed(4)}`);
  console.log(`${site.padEnd(10)}  mean squared error: ${losses.join(", ")}`);
}
