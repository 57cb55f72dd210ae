import { createRng, parseTaskId } from "@kumiai/params";
import { describe, expect, test } from "vitest";
import { flatten } from "../graph/functions.js";
import type { Tensor } from "../graph/tensor.js";
import { openTrainingSession } from "../session/open-session.js";
import { defineModel } from "./define-model.js";
import type { Scope } from "./scope.js";

const task = parseTaskId("t");

/** A model of one layer below the encoder whose output is predicted as it is. */
function layerModel(shape: readonly number[], layer: (scope: Scope, x: Tensor) => Tensor) {
  return defineModel((m) => m.output("y", layer(m.encoder(), m.input("x", shape))));
}

const shapes: readonly [string, readonly number[], (scope: Scope, x: Tensor) => Tensor, readonly number[]][] = [
  ["linear", [5, 3], (s, x) => s.linear("l", x, { out: 4 }), [5, 4]],
  ["conv1d", [4, 10], (s, x) => s.conv1d("l", x, { out: 6, kernel: 3, stride: 2, padding: 1, groups: 2 }), [6, 5]],
  [
    "conv2d",
    [4, 8, 6],
    (s, x) => s.conv2d("l", x, { out: 6, kernel: [3, 1], stride: [2, 1], padding: [1, 0] }),
    [6, 4, 6],
  ],
  [
    "convTranspose2d",
    [4, 5, 5],
    (s, x) => s.convTranspose2d("l", x, { out: 2, kernel: 3, stride: 2, padding: 1, outputPadding: 1 }),
    [2, 10, 10],
  ],
  ["multiHeadAttention", [7, 8], (s, x) => s.multiHeadAttention("l", x, { headCount: 2, causal: true }), [7, 8]],
];

test.each(shapes)("%s gives the shape that PyTorch gives", (_, input, layer, output) => {
  expect(layerModel(input, layer).outputs.get("y")).toEqual(output);
});

test("conv1d by hand: the kernel is not turned round", async () => {
  const model = layerModel([1, 4], (s, x) => s.conv1d("l", x, { out: 1, kernel: 2 }));
  await using session = await openTrainingSession(model, { batchSize: 1, optimizer: { kind: "sgd" } });
  session.load(Float32Array.of(10, 1, 0.5));
  const { y } = await session.predict({ x: Float32Array.of(1, 2, 3, 4) });
  expect([...(y ?? [])]).toEqual([12.5, 23.5, 34.5]);
});

describe("layouts", () => {
  const model = defineModel((m) => {
    const head = m.head(task);
    const x = m.decoder(task).linear(
      "fc",
      m
        .encoder()
        .in("block")
        .batchNorm("norm", m.stem().linear("mix", m.input("x", [5]), { out: 3, bias: false })),
      { out: 2 },
    );
    m.task(task, head.linear("out", flatten(x), { out: 1 }), { kind: "mse" });
  });

  test("slots stand in the order encoder, decoders, heads, stem, buffers", () => {
    expect(model.layout.slots.map(({ name }) => name)).toEqual([
      "encoder.block.norm.weight",
      "encoder.block.norm.bias",
      "decoders.t.fc.weight",
      "decoders.t.fc.bias",
      "heads.t.out.weight",
      "heads.t.out.bias",
      "stem.mix.weight",
      "encoder.block.norm.runningMean",
      "encoder.block.norm.runningVar",
    ]);
  });

  test("weight and bias share a layer, and keys leave the task's name out", () => {
    const [weight, bias] = model.layout.slots.filter(({ role }) => role.kind === "decoder");
    expect([weight?.layer, bias?.layer]).toEqual(["decoders.t.fc", "decoders.t.fc"]);
    expect([weight?.key, weight?.layerKey]).toEqual(["fc.weight", "fc"]);
  });

  test("initial values depend on the slot's name and the seed alone", () => {
    const wider = defineModel((m) => {
      m.encoder().linear("first", m.input("a", [3]), { out: 5 });
      const x = m.decoder(task).linear("fc", m.input("x", [3]), { out: 2 });
      m.task(task, m.head(task).linear("out", x, { out: 1 }), { kind: "mse" });
    });
    const valuesOf = (m: typeof model, seed: number) => {
      const slot = m.layout.slots.find(({ name }) => name === "decoders.t.fc.weight");
      return m.initParams(createRng(seed)).slice(slot?.offset, (slot?.offset ?? 0) + 6);
    };
    expect(valuesOf(wider, 1)).toEqual(valuesOf(model, 1));
    expect(valuesOf(wider, 2)).not.toEqual(valuesOf(model, 1));
  });
});
