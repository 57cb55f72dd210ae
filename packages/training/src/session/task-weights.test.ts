import { createRng, type ParamRoleKind, type ParamVector, parseTaskId, slotsOfRole, slotView } from "@kumiai/params";
import { describe, expect, test } from "vitest";
import { mean, relu } from "../graph/functions.js";
import { defineModel } from "../model/define-model.js";
import { denseNet } from "../models/dense-net.js";
import { interpret } from "../testing/interpreter.js";
import type { Batch, Model, SessionOptions, StepInput } from "../types.js";
import { openTrainingSession } from "./open-session.js";

const [one, two, three] = ["one", "two", "three"].map(parseTaskId) as [TaskId, TaskId, TaskId];
type TaskId = ReturnType<typeof parseTaskId>;

/** Every role: an encoder over a stem, a normalization with buffers, three tasks of which one has no decoder. */
const model = defineModel((m) => {
  const signal = m.stem().conv1d("conv", m.input("x", [2, 6]), { out: 3, kernel: 3 });
  const normed = m.encoder().batchNorm("norm", signal);
  const features = relu(m.encoder().linear("fc", mean(normed, { axes: [2] }), { out: 5 }));
  const of = (id: TaskId, weight: number) => {
    const hidden = id === three ? features : relu(m.decoder(id).linear("fc", features, { out: 4 }));
    m.task(id, m.head(id).linear("out", hidden, { out: 2 }), { kind: "mse", lossWeight: weight });
  };
  of(one, 1);
  of(two, 3);
  of(three, 0.5);
});

const BATCH_SIZE = 4;
const rng = createRng(5);
const batch: Batch = Object.fromEntries(
  model.inputs.map(({ name, shape }) => {
    const size = shape.reduce((product, extent) => product * extent, BATCH_SIZE);
    return [name, Float32Array.from({ length: size }, () => rng.normal())];
  }),
);
const start = model.initParams(createRng(3));
const sgd: SessionOptions = { batchSize: BATCH_SIZE, optimizer: { kind: "sgd" } };
const ones = (_: Float64Array, count: number) => new Float64Array(count).fill(1);

/** Params after steps from `start`, with what each was given. */
async function after(
  inputs: readonly Omit<StepInput, "batch">[],
  options = sgd,
  of: Model = model,
): Promise<ParamVector> {
  await using session = await openTrainingSession(of, options);
  session.load(start);
  for (const input of inputs) await session.step({ batch, ...input });
  return session.params();
}

/** Gradient of the weighted loss of a task by central differences of the interpreter's f64 loss. */
function differences(task: number): Float64Array {
  const { losses } = model.trace({ batchSize: BATCH_SIZE, mode: "train" });
  const { loss, lossWeight } = losses[task] ?? {};
  if (loss === undefined) throw new Error("no such task");
  const trained = model.layout.slots.filter(({ role }) => role.kind !== "buffer");
  const gradient = new Float64Array(model.layout.size);
  const step = 1e-6;
  for (const { offset, size } of trained) {
    for (let i = offset; i < offset + size; i++) {
      const at = (by: number): number => {
        const params = Float64Array.from(start);
        params[i] = (params[i] ?? 0) + by;
        return interpret([loss], { ...batch, params })[0]?.data[0] ?? Number.NaN;
      };
      gradient[i] = ((lossWeight ?? 1) * (at(step) - at(-step))) / (2 * step);
    }
  }
  return gradient;
}

const shared: readonly ParamRoleKind[] = ["encoder", "stem"];

describe("gradients by task against central differences in f64", () => {
  const gradients = [0, 1, 2].map(differences);

  test.each([
    [[], shared],
    [["stem"], ["encoder"]],
    [["encoder"], ["stem"]],
  ] as const)("with %o frozen the Gram is over %o (1e-4 relative)", async (frozen, kinds) => {
    let gram = new Float64Array();
    const taskWeights = (given: Float64Array, count: number) => {
      gram = given.slice();
      return ones(given, count);
    };
    await after([{ learningRate: 0.1, frozen: [...frozen], taskWeights }]);
    const slots = kinds.flatMap((kind) => slotsOfRole(model.layout, kind));
    for (let a = 0; a < 3; a++) {
      for (let b = 0; b < 3; b++) {
        let expected = 0;
        for (const { offset, size } of slots) {
          for (let i = offset; i < offset + size; i++) expected += (gradients[a]?.[i] ?? 0) * (gradients[b]?.[i] ?? 0);
        }
        expect(Math.abs((gram[3 * a + b] ?? Number.NaN) - expected)).toBeLessThan(1e-4 * (1 + Math.abs(expected)));
      }
    }
  });

  test("a step of SGD follows the weighted sum in encoder and stem, the plain sum in decoders and heads (1e-5)", async () => {
    const weights = [2, -0.5, 0.25];
    const params = await after([{ learningRate: 0.5, taskWeights: () => Float64Array.from(weights) }]);
    for (const { role, offset, size } of model.layout.slots) {
      if (role.kind === "buffer") continue;
      for (let i = offset; i < offset + size; i++) {
        const factors = shared.includes(role.kind) ? weights : [1, 1, 1];
        const gradient = factors.reduce((sum, factor, task) => sum + factor * (gradients[task]?.[i] ?? 0), 0);
        expect(Math.abs((start[i] ?? 0) - 0.5 * gradient - (params[i] ?? Number.NaN))).toBeLessThan(1e-5);
      }
    }
  });
});

test.each<[string, SessionOptions, Partial<StepInput>]>([
  ["SGD with momentum", { ...sgd, optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 0.1 } }, {}],
  ["clipping", { ...sgd, clipNorm: 0.1 }, {}],
  ["a proximal term", sgd, { proximalWeight: 0.5, anchor: start.map((value) => value - 1) }],
  ["frozen decoders", sgd, { frozen: ["decoder"] }],
])(
  "%s: weights of 1 give the plain step (1e-6 relative); buffers are the same to the bit",
  async (_, options, extra) => {
    const steps = (more: Partial<StepInput>) =>
      Array.from({ length: 3 }, () => ({ learningRate: 0.1, ...extra, ...more }));
    const [plain, weighed] = [await after(steps({}), options), await after(steps({ taskWeights: ones }), options)];
    plain.forEach((value, i) => {
      expect(Math.abs(value - (weighed[i] ?? Number.NaN))).toBeLessThan(1e-6 * (1 + Math.abs(value)));
    });
    const first = [
      await after(steps({}).slice(0, 1), options),
      await after(steps({ taskWeights: ones }).slice(0, 1), options),
    ];
    const [a, b] = first.map((params) => slotsOfRole(model.layout, "buffer").map((slot) => slotView(params, slot)));
    expect(a).toEqual(b);
  },
);

describe("the step is the plain one to the bit, and nobody is asked", () => {
  const never = (): Float64Array => {
    throw new Error("asked for weights");
  };

  test("where nothing that tasks share is trained", async () => {
    const frozen = ["encoder", "stem"] as const;
    const plain = await after([{ learningRate: 0.1, frozen }]);
    expect(await after([{ learningRate: 0.1, frozen, taskWeights: never }])).toEqual(plain);
  });

  test("in a model of one task", async () => {
    const single = denseNet({
      height: 16,
      width: 16,
      encoder: { channels: [8] },
      decoder: { width: 8 },
      tasks: [{ id: one, outChannels: 1, loss: { kind: "l1" } }],
    });
    await using session = await openTrainingSession(single, { batchSize: 1, optimizer: { kind: "adamw" } });
    const images = { image: new Float32Array(768).fill(0.5), "label.one": new Float32Array(256).fill(1) };
    const run = async (input: Partial<StepInput>) => {
      session.load(single.initParams(createRng(1)));
      await session.step({ batch: images, learningRate: 0.1, ...input });
      return session.params();
    };
    expect(await run({ taskWeights: never })).toEqual(await run({}));
  });
});

test("TRAINING_DIVERGED for a loss that is not finite, INVALID_CONFIG for weights that are none; state is as before", async () => {
  await using session = await openTrainingSession(model, sgd);
  session.load(start);
  const broken = { ...batch, "label.two": new Float32Array(2 * BATCH_SIZE).fill(Number.NaN) };
  await expect(session.step({ batch: broken, learningRate: 0.1, taskWeights: ones })).rejects.toMatchObject({
    code: "TRAINING_DIVERGED",
  });
  for (const weights of [Float64Array.of(1, 1), Float64Array.of(1, Number.NaN, 1)]) {
    await expect(session.step({ batch, learningRate: 0.1, taskWeights: () => weights })).rejects.toMatchObject({
      code: "INVALID_CONFIG",
    });
  }
  expect(session.params()).toEqual(start);
  await session.step({ batch, learningRate: 0.1, taskWeights: ones });
  expect(session.optimizerState().stepCount).toBe(1);
});
