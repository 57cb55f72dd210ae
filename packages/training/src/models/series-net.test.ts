import { createRng, parseTaskId, type Rng, slotView } from "@kumiai/params";
import { expect, test } from "vitest";
import { openTrainingSession } from "../session/open-session.js";
import { type SeriesNetOptions, seriesNet } from "./series-net.js";

const wear = parseTaskId("wear");
const fault = parseTaskId("fault");
const life = parseTaskId("life");

const OPTIONS: SeriesNetOptions = {
  channels: 3,
  length: 13,
  stem: { width: 8 },
  encoder: { channels: [8, 16], kernel: 3 },
  decoder: { width: 8 },
  tasks: [
    { id: wear, outChannels: 3, loss: { kind: "crossEntropy" } },
    { id: life, outChannels: 1, loss: { kind: "smoothL1" } },
  ],
};

const BATCH = 4;

function randomBatch(rng: Rng) {
  return {
    series: Float32Array.from({ length: BATCH * 3 * 13 }, () => rng.normal()),
    [`label.${wear}`]: Uint8Array.of(0, 2, 1, 1),
    [`label.${life}`]: Float32Array.from({ length: BATCH }, () => rng.normal()),
  };
}

test("one output per series and task; only the stem knows the site's channels, decoders differ in nothing but the task", () => {
  const model = seriesNet(OPTIONS);
  expect([...model.outputs]).toEqual([
    [wear, [3]],
    [life, [1]],
  ]);
  const told = (options: SeriesNetOptions, kinds: readonly string[]) =>
    seriesNet(options).layout.slots.flatMap((slot) =>
      kinds.includes(slot.role.kind) ? [`${slot.name} [${slot.shape}]`] : [],
    );
  const elsewhere: SeriesNetOptions = { ...OPTIONS, channels: 17, length: 60, stem: { width: 8, kernel: 5 } };
  expect(told(elsewhere, ["encoder", "decoder", "head"])).toEqual(told(OPTIONS, ["encoder", "decoder", "head"]));
  expect(told(OPTIONS, ["stem"])).toEqual(["stem.mix.weight [8,3,1]", "stem.mix.bias [8]"]);
  expect(told(elsewhere, ["stem"])).toEqual(["stem.mix.weight [8,17,5]", "stem.mix.bias [8]"]);
  const decoders = told(OPTIONS, ["decoder"]);
  const half = decoders.length / 2;
  expect(decoders.slice(half).map((name) => name.replace(life, wear))).toEqual(decoders.slice(0, half));
});

test("the step's gradient agrees with central differences within 1 % of the largest in its slot, for every slot", async () => {
  const model = seriesNet(OPTIONS);
  const rng = createRng(5);
  const batch = randomBatch(rng);
  const start = model.initParams(rng);
  await using session = await openTrainingSession(model, { batchSize: BATCH, optimizer: { kind: "sgd" } });
  const lossAt = async (params: Float32Array): Promise<number> => {
    session.load(params);
    return (await session.step({ batch, learningRate: 0 })).loss;
  };
  session.load(start);
  await session.step({ batch, learningRate: 1 });
  const after = session.params();
  const gradient = start.map((value, i) => value - (after[i] ?? 0));
  for (const slot of model.layout.slots) {
    const values = slotView(gradient, slot);
    const steepest = values.reduce((best, value, i) => (Math.abs(value) > Math.abs(values[best] ?? 0) ? i : best), 0);
    const at = slot.offset + steepest;
    const step = 2e-3;
    const moved = async (by: number): Promise<number> => {
      const params = start.slice();
      params[at] = (params[at] ?? 0) + by;
      return await lossAt(params);
    };
    const difference = ((await moved(step)) - (await moved(-step))) / (2 * step);
    const own = gradient[at] ?? Number.NaN;
    expect(Math.abs(own), slot.name).toBeGreaterThan(0);
    expect(Math.abs(own - difference), slot.name).toBeLessThan(0.01 * Math.abs(own) + 2e-4);
  }
});

/** Three sensors with noise. Class: where the first rises; value: the level of the second. */
function problem(count: number, rng: Rng) {
  const series = new Float32Array(count * 3 * 13);
  const classes = new Uint8Array(count);
  const levels = new Float32Array(count);
  for (let n = 0; n < count; n++) {
    const where = Math.floor(rng.uniform() * 3);
    const level = rng.normal();
    classes[n] = where;
    levels[n] = level;
    for (let t = 0; t < 13; t++) {
      const rise = t >= 2 + 4 * where ? 1.5 : -0.5;
      [rise, level, 0].forEach((value, c) => {
        series[(n * 3 + c) * 13 + t] = value + 0.3 * rng.normal();
      });
    }
  }
  return { series, classes, levels };
}

test("learns where a curve rises (95 % right on fresh examples) and how high a noisy level is (mean error below 0.2)", async () => {
  const rng = createRng(11);
  const model = seriesNet(OPTIONS);
  await using session = await openTrainingSession(model, { batchSize: 32, optimizer: { kind: "adamw" } });
  session.load(model.initParams(rng));
  for (let step = 0; step < 200; step++) {
    const { series, classes, levels } = problem(32, rng);
    const batch = { series, [`label.${wear}`]: classes, [`label.${life}`]: levels };
    await session.step({ batch, learningRate: 5e-3 });
  }
  const { series, classes, levels } = problem(256, rng);
  const outputs = await session.predict({ series });
  const logits = outputs[wear] ?? new Float32Array(0);
  const right = classes.filter((label, n) => {
    const own = [...logits.subarray(n * 3, n * 3 + 3)];
    return own.indexOf(Math.max(...own)) === label;
  });
  expect(right.length / 256).toBeGreaterThan(0.95);
  const error = levels.reduce((sum, level, n) => sum + Math.abs(level - (outputs[life]?.[n] ?? 0)), 0) / 256;
  expect(error).toBeLessThan(0.2);
});

test("a frozen stem stays as it is while all else moves", async () => {
  const model = seriesNet(OPTIONS);
  const rng = createRng(3);
  const start = model.initParams(rng);
  await using session = await openTrainingSession(model, { batchSize: BATCH, optimizer: { kind: "sgd" } });
  session.load(start);
  await session.step({ batch: randomBatch(rng), learningRate: 0.1, frozen: ["stem"] });
  const after = session.params();
  for (const slot of model.layout.slots) {
    const stays = slotView(after, slot).every((value, i) => value === slotView(start, slot)[i]);
    expect(stays, slot.name).toBe(slot.role.kind === "stem");
  }
});

const refused: readonly [string, Partial<SeriesNetOptions>, RegExp][] = [
  ["no stage", { encoder: { channels: [] } }, /encoder\.channels: expected at least one stage, received none/],
  ["an even kernel", { stem: { width: 8, kernel: 2 } }, /stem\.kernel: expected an odd number, so that lengths stay/],
  ["half a channel", { channels: 2.5 }, /seriesNet: channels: expected a whole number of 1 or more, received 2\.5/],
  ["no output", { tasks: [{ id: fault, outChannels: 0, loss: { kind: "mse" } }] }, /outChannels of task fault/],
];
test.each(refused)("%s is MODEL_INVALID, naming the option", (_, options, message) => {
  expect(() => seriesNet({ ...OPTIONS, ...options })).toThrow(expect.objectContaining({ code: "MODEL_INVALID" }));
  expect(() => seriesNet({ ...OPTIONS, ...options })).toThrow(message);
});
