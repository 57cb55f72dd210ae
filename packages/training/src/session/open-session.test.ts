import { createRng, parseTaskId, slotsOfRole, slotView } from "@kumiai/params";
import { describe, expect, test } from "vitest";
import { add, attention, mean, mul, relu, reshape } from "../graph/functions.js";
import { defineModel, type ModelBuilder } from "../model/define-model.js";
import { maxPool2d } from "../model/pool.js";
import { classifierNet } from "../models/classifier-net.js";
import { denseNet } from "../models/dense-net.js";
import type { Batch, Model, SessionOptions } from "../types.js";
import { openTrainingSession } from "./open-session.js";

const task = parseTaskId("value");
const other = parseTaskId("other");

/** y = w·x, loss mean (y − label)². */
const line = defineModel((m) => {
  const x = m.input("x", [1]);
  m.task(task, m.head(task).linear("out", x, { out: 1, bias: false }), { kind: "mse" });
});

/** One linear layer of each role, two tasks. */
const twoTasks = defineModel((m) => {
  const features = relu(m.encoder().linear("fc", m.input("x", [3]), { out: 4 }));
  for (const id of [task, other]) {
    const hidden = relu(m.decoder(id).linear("fc", features, { out: 4 }));
    m.task(id, m.head(id).linear("out", hidden, { out: 1 }), { kind: "mse", lossWeight: id === task ? 1 : 3 });
  }
});

const sgd: SessionOptions = { batchSize: 2, optimizer: { kind: "sgd" } };

function batchFor(model: Model, batchSize: number, seed = 1): Batch {
  const rng = createRng(seed);
  return Object.fromEntries(
    model.inputs.map(({ name, shape, dtype, classes }) => {
      const size = shape.reduce((product, extent) => product * extent, batchSize);
      const draw = () => (classes !== undefined ? rng.int(classes.count) : dtype === "f32" ? rng.normal() : rng.int(2));
      const array = new (dtype === "f32" ? Float32Array : dtype === "i32" ? Int32Array : Uint8Array)(size);
      for (let i = 0; i < size; i++) array[i] = draw();
      return [name, array];
    }),
  );
}

describe("one step by hand", () => {
  const batch = { x: Float32Array.of(1, 2), "label.value": Float32Array.of(0, 0) };

  test("SGD follows the gradient", async () => {
    await using session = await openTrainingSession(line, sgd);
    session.load(Float32Array.of(2));
    // loss = (2² + 4²) / 2 = 10, gradient = 2·w·(1 + 4) / 2 = 10.
    const result = await session.step({ batch, learningRate: 0.125 });
    expect(result).toEqual({ loss: 10, gradientNorm: 10, taskLosses: new Map([[task, 10]]) });
    expect([...session.params()]).toEqual([0.75]);
  });

  test("clipping limits the step, not the reported norm", async () => {
    await using session = await openTrainingSession(line, { ...sgd, clipNorm: 1 });
    session.load(Float32Array.of(2));
    expect((await session.step({ batch, learningRate: 1 })).gradientNorm).toBe(10);
    expect(session.params()[0]).toBeCloseTo(1, 6);
  });

  test("the proximal term pulls towards the anchor in encoder and decoders, not in heads", async () => {
    await using session = await openTrainingSession(twoTasks, sgd);
    const params = twoTasks.initParams(createRng(3));
    const anchor = params.map((value) => value - 1);
    const moved = async (proximalWeight: number) => {
      session.load(params);
      await session.step({ batch: batchFor(twoTasks, 2), learningRate: 0.1, proximalWeight, anchor });
      return session.params();
    };
    const [plain, pulled] = [await moved(0), await moved(0.5)];
    for (const slot of twoTasks.layout.slots) {
      const pull = slot.role.kind === "head" ? 0 : 0.1 * 0.5;
      slotView(plain, slot).forEach((value, i) => {
        expect(value - (slotView(pulled, slot)[i] ?? 0)).toBeCloseTo(pull, 5);
      });
    }
  });

  test("AdamW takes steps of the learning rate at first and decays weights, but not biases", async () => {
    await using session = await openTrainingSession(twoTasks, {
      batchSize: 2,
      optimizer: { kind: "adamw", weightDecay: 0.5 },
    });
    const params = new Float32Array(twoTasks.layout.size).fill(0.5);
    session.load(params);
    await session.step({ batch: batchFor(twoTasks, 2), learningRate: 0.01 });
    const after = session.params();
    for (const slot of twoTasks.layout.slots) {
      const decay = slot.shape.length > 1 ? 0.01 * 0.5 * 0.5 : 0;
      for (const value of slotView(after, slot)) {
        const step = Math.abs(0.5 - decay - value);
        expect(Math.min(Math.abs(step - 0.01), step)).toBeLessThan(1e-4);
      }
    }
  });
});

test("a parameter that is used under another shape learns", async () => {
  const model = defineModel((m) => {
    const convolved = m.encoder().conv1d("conv", m.input("x", [1, 2]), { out: 1, kernel: 2, bias: false });
    m.task(task, reshape(convolved, [-1, 1]), { kind: "mse" });
  });
  await using session = await openTrainingSession(model, { batchSize: 1, optimizer: { kind: "sgd" } });
  session.load(Float32Array.of(3, 4));
  await session.step({ batch: { x: Float32Array.of(1, 2), "label.value": Float32Array.of(10) }, learningRate: 0.5 });
  // y = 11, error 1, gradient 2·(1, 2).
  expect([...session.params()]).toEqual([2, 2]);
});

describe("frozen groups", () => {
  test("stay as they are, with their moments, while the others move", async () => {
    await using session = await openTrainingSession(twoTasks, {
      batchSize: 2,
      optimizer: { kind: "adamw", weightDecay: 0.1 },
    });
    const batch = batchFor(twoTasks, 2);
    session.load(twoTasks.initParams(createRng(3)));
    await session.step({ batch, learningRate: 0.01 });
    const before = { params: session.params(), moments: session.optimizerState().moments };
    await session.step({ batch, learningRate: 0.01, frozen: ["encoder", "head"] });
    const after = { params: session.params(), moments: session.optimizerState().moments };
    for (const slot of twoTasks.layout.slots) {
      const isFrozen = slot.role.kind !== "decoder";
      const pairs = [
        [before.params, after.params] as const,
        ...before.moments.map((m, i) => [m, after.moments[i] ?? m] as const),
      ];
      for (const [a, b] of pairs) {
        if (isFrozen) expect(slotView(b, slot)).toEqual(slotView(a, slot));
      }
      if (!isFrozen) expect(slotView(after.params, slot)).not.toEqual(slotView(before.params, slot));
    }
  });
});

describe("several tasks", () => {
  test("the loss is the weighted sum of the task losses", async () => {
    await using session = await openTrainingSession(twoTasks, sgd);
    session.load(twoTasks.initParams(createRng(3)));
    const { loss, taskLosses } = await session.step({ batch: batchFor(twoTasks, 2), learningRate: 0 });
    expect(loss).toBeCloseTo((taskLosses.get(task) ?? 0) + 3 * (taskLosses.get(other) ?? 0), 5);
  });
});

describe("determinism", () => {
  const model = denseNet({
    height: 16,
    width: 16,
    encoder: { channels: [8, 8] },
    decoder: { width: 8 },
    tasks: [
      { id: task, outChannels: 3, loss: { kind: "crossEntropy" } },
      { id: other, outChannels: 1, loss: { kind: "binaryCrossEntropy" } },
    ],
  });

  test("equal inputs give equal bytes, also after saving and loading in between", async () => {
    const options: SessionOptions = { batchSize: 2, optimizer: { kind: "adamw" }, clipNorm: 1 };
    await using one = await openTrainingSession(model, options);
    await using two = await openTrainingSession(model, options);
    one.load(model.initParams(createRng(3)));
    two.load(model.initParams(createRng(3)));
    for (let i = 0; i < 4; i++) {
      const batch = batchFor(model, 2, i);
      await one.step({ batch, learningRate: 0.01 });
      await two.step({ batch, learningRate: 0.01 });
      two.load(two.params(), two.optimizerState());
    }
    expect(two.params()).toEqual(one.params());
    expect(two.optimizerState()).toEqual(one.optimizerState());
  });

  test("predicts any number of examples, each as if it were alone", async () => {
    await using session = await openTrainingSession(model, { batchSize: 2, optimizer: { kind: "sgd" } });
    session.load(model.initParams(createRng(3)));
    const { image } = batchFor(model, 5);
    const all = await session.predict({ image: image as Float32Array });
    expect(all[task]?.length).toBe(5 * 3 * 16 * 16);
    const last = await session.predict({ image: image?.subarray(4 * 768) as Float32Array });
    expect(last[other]).toEqual(all[other]?.subarray(4 * 256));
  });

  test("the classifier's encoder has the slots of the dense model's", () => {
    const classifier = classifierNet({ height: 16, width: 16, encoder: { channels: [8, 8] }, task, classCount: 4 });
    const names = (m: Model) =>
      slotsOfRole(m.layout, "encoder").map(({ name, shape, offset }) => [name, shape, offset]);
    expect(names(classifier)).toEqual(names(model));
    const encoderSize = slotsOfRole(model.layout, "encoder").reduce((size, slot) => size + slot.size, 0);
    const [a, b] = [classifier, model].map((m) => m.initParams(createRng(5)).subarray(0, encoderSize));
    expect(a).toEqual(b);
  });
});

describe("batch norm and dropout", () => {
  const batchNormed = defineModel((m) => {
    const x = m.encoder().batchNorm("norm", m.input("x", [2, 4]), { momentum: 0.5 });
    m.task(task, m.head(task).linear("out", mean(x, { axes: [2] }), { out: 1 }), { kind: "mse" });
  });

  test("running statistics are buffers that a step moves and prediction uses", async () => {
    await using session = await openTrainingSession(batchNormed, { batchSize: 1, optimizer: { kind: "sgd" } });
    session.load(batchNormed.initParams(createRng(1)));
    const batch = { x: Float32Array.of(1, 2, 3, 4, 0, 0, 4, 4), "label.value": Float32Array.of(0) };
    await session.step({ batch, learningRate: 0 });
    const buffers = slotsOfRole(batchNormed.layout, "buffer").map((slot) => [...slotView(session.params(), slot)]);
    // Means 2.5 and 2; unbiased variances 5/3 and 16/3; half of the way from 0 and 1.
    expect(buffers[0]).toEqual([1.25, 1]);
    expect(buffers[1]?.[0]).toBeCloseTo((1 + 5 / 3) / 2, 6);
    expect(buffers[1]?.[1]).toBeCloseTo((1 + 16 / 3) / 2, 6);
  });

  const dropped = defineModel((m) => {
    const ones = m.head(task).param("gain", "weight", [1, 1], { kind: "constant", value: 1 });
    const x = m.dropout(m.input("x", [1000]), 0.3);
    m.output("dropped", x);
    m.task(task, mul(reshape(mean(x, { axes: [1] }), [m.batchSize, 1]), ones), { kind: "mse" });
  });

  test("dropout keeps the mean in training (within 0.1 for 1,000 elements) and everything in evaluation", async () => {
    await using session = await openTrainingSession(dropped, { batchSize: 1, optimizer: { kind: "sgd" } });
    session.load(dropped.initParams(createRng(1)));
    const batch = { x: new Float32Array(1000).fill(1), "label.value": Float32Array.of(0) };
    const losses: number[] = [];
    for (let i = 0; i < 2; i++) losses.push((await session.step({ batch, learningRate: 0 })).loss);
    for (const loss of losses) expect(Math.abs(Math.sqrt(loss) - 1)).toBeLessThan(0.1);
    expect(losses[0]).not.toBe(losses[1]);
    expect((await session.predict({ x: batch.x })).dropped).toEqual(batch.x);
    session.load(dropped.initParams(createRng(1)));
    expect((await session.step({ batch, learningRate: 0 })).loss).toBe(losses[0]);
  });
});

test("the gradient passes through dropout where values do (1e-5 relative)", async () => {
  // loss = (mean of dropout(gain · x))² = gain²·c, so its derivative at gain = 1 is twice the loss.
  const model = defineModel((m) => {
    const gain = m.head(task).param("gain", "weight", [1, 1], { kind: "constant", value: 1 });
    const x = m.dropout(mul(m.input("x", [50]), gain), 0.4);
    m.task(task, mean(x, { axes: [1], keepDims: true }), { kind: "mse" });
  });
  await using session = await openTrainingSession(model, { batchSize: 1, optimizer: { kind: "sgd" } });
  session.load(model.initParams(createRng(1)));
  const batch = { x: new Float32Array(50).fill(1), "label.value": Float32Array.of(0) };
  const { loss, gradientNorm } = await session.step({ batch, learningRate: 0 });
  expect(Math.abs(gradientNorm / (2 * loss) - 1)).toBeLessThan(1e-5);
});

describe("refusals", () => {
  const code = (name: string) => expect.objectContaining({ code: name });

  test("TRAINING_DIVERGED leaves params and optimizer state as they were", async () => {
    await using session = await openTrainingSession(line, { batchSize: 2, optimizer: { kind: "adamw" } });
    session.load(Float32Array.of(2));
    const batch = { x: Float32Array.of(1, 2), "label.value": Float32Array.of(0, 0) };
    await session.step({ batch, learningRate: 0.1 });
    const before = [session.params(), session.optimizerState()];
    const broken = { ...batch, x: Float32Array.of(1, Number.NaN) };
    await expect(session.step({ batch: broken, learningRate: 0.1 })).rejects.toThrow(code("TRAINING_DIVERGED"));
    expect([session.params(), session.optimizerState()]).toEqual(before);
    await session.step({ batch, learningRate: 0.1 });
  });

  test("inputs that are missing, too short or not a class", async () => {
    const classifier = classifierNet({ height: 16, width: 16, encoder: { channels: [8] }, task, classCount: 4 });
    await using session = await openTrainingSession(classifier, sgd);
    const image = new Float32Array(2 * 3 * 256);
    const step = (batch: Batch) => session.step({ batch, learningRate: 0.1 });
    await expect(step({ image })).rejects.toThrow(code("DATA_MALFORMED"));
    await expect(step({ image: image.subarray(5), "label.value": Uint8Array.of(0, 1) })).rejects.toThrow(
      code("DATA_MALFORMED"),
    );
    await expect(step({ image, "label.value": Uint8Array.of(0, 4) })).rejects.toThrow(/classes from 0 to 3/);
    await expect(step({ image, "label.value": Int32Array.of(-1, 0) })).rejects.toThrow(code("DATA_MALFORMED"));
  });

  test("params of another model", async () => {
    await using session = await openTrainingSession(line, sgd);
    expect(() => session.load(new Float32Array(7))).toThrow(code("LAYOUT_MISMATCH"));
  });

  test("options out of range", async () => {
    await expect(openTrainingSession(line, { ...sgd, batchSize: 0 })).rejects.toThrow(code("INVALID_CONFIG"));
    await expect(openTrainingSession(line, { ...sgd, clipNorm: -1 })).rejects.toThrow(code("INVALID_CONFIG"));
    await using session = await openTrainingSession(line, sgd);
    const batch = { x: Float32Array.of(1, 2), "label.value": Float32Array.of(0, 0) };
    await expect(session.step({ batch, learningRate: -1 })).rejects.toThrow(code("INVALID_CONFIG"));
    await expect(session.step({ batch, learningRate: 1, proximalWeight: 1 })).rejects.toThrow(code("INVALID_CONFIG"));
    await expect(session.step({ batch, learningRate: 1, proximalWeight: -1 })).rejects.toThrow(/proximalWeight/);
    const frozen = ["encoders" as "encoder"];
    await expect(session.step({ batch, learningRate: 1, frozen })).rejects.toThrow(/encoder, decoder, head, stem/);
  });

  const optimizers: readonly [unknown, string][] = [
    [{ kind: "adam" }, "MODEL_INVALID"],
    [undefined, "MODEL_INVALID"],
    [{ kind: "adamw", beta2: 1 }, "INVALID_CONFIG"],
    [{ kind: "adamw", epsilon: 0 }, "INVALID_CONFIG"],
    [{ kind: "sgd", momentum: 1 }, "INVALID_CONFIG"],
    [{ kind: "sgd", weightDecay: -1 }, "INVALID_CONFIG"],
  ];
  test.each(optimizers)("optimizer %o: %s", async (optimizer, expected) => {
    const options = { batchSize: 2, optimizer } as SessionOptions;
    await expect(openTrainingSession(line, options)).rejects.toThrow(code(expected));
  });

  test("a step that leaves the range of f32, with params as they were", async () => {
    await using session = await openTrainingSession(line, sgd);
    session.load(Float32Array.of(2));
    const batch = { x: Float32Array.of(1, 2), "label.value": Float32Array.of(0, 0) };
    await expect(session.step({ batch, learningRate: 3e38 })).rejects.toThrow(code("TRAINING_DIVERGED"));
    expect([...session.params()]).toEqual([2]);
  });

  test("batches that are missing, too long, or of another type", async () => {
    await using session = await openTrainingSession(line, sgd);
    const label = Float32Array.of(0, 0);
    const batches: unknown[] = [
      undefined,
      { x: [1, 2], "label.value": label },
      { x: Float64Array.of(1, 2), "label.value": label },
      { x: Float32Array.of(1, 2, 3), "label.value": label },
    ];
    for (const batch of batches) {
      await expect(session.step({ batch: batch as Batch, learningRate: 1 })).rejects.toThrow(code("DATA_MALFORMED"));
    }
    await expect(session.predict({})).rejects.toThrow(code("DATA_MALFORMED"));
    await expect(session.predict(undefined as unknown as Batch)).rejects.toThrow(code("DATA_MALFORMED"));
  });

  test("indices that are no whole numbers or beyond the table, and binary labels other than 0 and 1", async () => {
    const model = defineModel((m) => {
      const words = m.encoder().embedding("words", m.input("word", [], "i32"), { count: 3, width: 2 });
      m.task(task, m.head(task).linear("out", words, { out: 1 }), { kind: "binaryCrossEntropy" });
    });
    await using session = await openTrainingSession(model, sgd);
    session.load(model.initParams(createRng(1)));
    const step = (word: Batch[string], label: Uint8Array) =>
      session.step({ batch: { word, "label.value": label }, learningRate: 0 });
    const labels = Uint8Array.of(0, 1);
    await step(Float32Array.of(0, 2), labels);
    await expect(step(Float32Array.of(0, 1.5), labels)).rejects.toThrow(code("DATA_MALFORMED"));
    await expect(step(Int32Array.of(0, -1), labels)).rejects.toThrow(/whole numbers from 0/);
    await expect(step(Int32Array.of(0, 3), labels)).rejects.toThrow(code("DATA_MALFORMED"));
    await expect(step(Int32Array.of(0, 1), Uint8Array.of(0, 255))).rejects.toThrow(/classes from 0 to 1/);
  });

  const broken: readonly [string, (m: ModelBuilder) => void, RegExp][] = [
    [
      "adding shapes that do not broadcast",
      (m) => add(m.input("a", [3]), m.input("b", [4])),
      /add\(f32\[2,3\], f32\[2,4\]\)/,
    ],
    [
      "a kernel larger than the image",
      (m) => m.encoder().conv2d("c", m.input("a", [1, 2, 2]), { out: 1, kernel: 5 }),
      /conv2d/,
    ],
    [
      "groups that do not divide",
      (m) => m.encoder().conv2d("c", m.input("a", [3, 4, 4]), { out: 4, kernel: 1, groups: 2 }),
      /conv2d/,
    ],
    [
      "a stride of 1.5",
      (m) => m.encoder().conv2d("c", m.input("a", [1, 4, 4]), { out: 1, kernel: 1, stride: 1.5 }),
      /conv2d.*whole strides/,
    ],
    ["a stride of 0", (m) => maxPool2d(m.input("a", [1, 4, 4]), { kernel: 2, stride: 0 }), /maxPool2d.*whole strides/],
    ["an input with a name of the graph's own", (m) => m.input("t0", [1]), /input t0: .* taken/],
    ["an input that looks like a label", (m) => m.input("label.value", [1]), /input label\.value: .* taken/],
    ["an input of an unknown type", (m) => m.input("a", [1], "f64" as "f32"), /f32, i32 or u8, received f64/],
    [
      "an unknown initializer",
      (m) => m.encoder().linear("fc", m.input("a", [3]), { out: 1, init: "kaiming" as "he" }),
      /"he", "xavier" or/,
    ],
    [
      "keys of another width than the queries",
      (m) => attention(m.input("q", [2, 4]), m.input("k", [2, 8]), m.input("v", [2, 8]), { headCount: 2 }),
      /attention/,
    ],
    ["two inputs of one name", (m) => [m.input("a", [1]), m.input("a", [2])], /input a/],
    ["no output", (m) => m.input("a", [1]), /no output/],
    [
      "one name with two shapes",
      (m) => [1, 2].map((out) => m.encoder().linear("fc", m.input(`a${out}`, [3]), { out })),
      /encoder\.fc\.weight/,
    ],
  ];
  test.each(broken)("MODEL_INVALID for %s", (_, define, message) => {
    expect(() => defineModel(define)).toThrow(code("MODEL_INVALID"));
    expect(() => defineModel(define)).toThrow(message);
  });

  test("MODEL_INVALID for dense predictions of images with an odd side, or with an unknown loss", () => {
    const options = { encoder: { channels: [8] }, decoder: { width: 8 } };
    const of = (height: number, kind: "mse") => () =>
      denseNet({ ...options, height, width: 16, tasks: [{ id: task, outChannels: 1, loss: { kind } }] });
    expect(of(15, "mse")).toThrow(code("MODEL_INVALID"));
    expect(of(16, "focal" as "mse")).toThrow(code("MODEL_INVALID"));
  });

  test("a closed session", async () => {
    const session = await openTrainingSession(line, sgd);
    await session[Symbol.asyncDispose]();
    await session[Symbol.asyncDispose]();
    expect(() => session.params()).toThrow(/closed/);
  });
});
