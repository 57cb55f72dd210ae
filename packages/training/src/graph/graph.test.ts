import { parseTaskId } from "@kumiai/params";
import onnxProto from "onnx-proto";
import { describe, expect, test } from "vitest";
import { defineModel } from "../model/define-model.js";
import { buildStepGraph } from "../session/step-graph.js";
import { gradientsOf } from "./autodiff.js";
import { emitOnnx } from "./emit.js";
import { add, mul, relu, reshape, sum } from "./functions.js";
import { Graph, type Tensor } from "./tensor.js";

function nodesOf(bytes: Uint8Array): readonly string[] {
  return (onnxProto.onnx.ModelProto.decode(bytes).graph?.node ?? []).map((node) => node.opType ?? "");
}

const countOf = (nodes: readonly string[], type: string): number => nodes.filter((node) => node === type).length;

describe("graphs", () => {
  const graph = new Graph();
  const [a, b] = ["a", "b"].map((name) => graph.input(name, "f32", [2, 3])) as [Tensor, Tensor];

  test("equal ops on equal inputs are one tensor", () => {
    expect(mul(a, b)).toBe(mul(a, b));
    expect(mul(a, b)).not.toBe(mul(b, a));
    expect(add(a, 1)).toBe(add(a, 1));
  });

  test("a reshape of a reshape is one reshape, and back again none", () => {
    const flat = reshape(reshape(a, [3, 2]), [6]);
    expect(flat.inputs).toEqual([a]);
    expect(reshape(flat, [2, 3])).toBe(a);
  });

  test("only what the outputs need is written", () => {
    mul(relu(a), relu(b));
    expect(nodesOf(emitOnnx("g", [{ name: "y", tensor: relu(a) }]))).toEqual(["Relu", "Identity"]);
  });

  test("a gradient of something that the loss does not need is zero", () => {
    const [da, db] = gradientsOf(sum(mul(a, a)), [a, b]);
    expect(da?.op).not.toBe("full");
    expect(db?.op).toBe("full");
  });
});

test("a step computes no gradient for images", () => {
  const task = parseTaskId("t");
  const model = defineModel((m) => {
    let x = m.input("image", [8, 8, 8]);
    for (const i of [0, 1]) x = m.encoder().conv2d(`conv${i}`, x, { out: 8, kernel: 3, padding: 1 });
    m.task(task, x, { kind: "l1" });
  });
  const { bytes } = buildStepGraph(model, { batchSize: 1, optimizer: { kind: "sgd" }, proximal: false });
  // Two forward, one backward: the second convolution's input has a gradient, the first one's is the image.
  expect(countOf(nodesOf(bytes), "Conv")).toBe(3);
});
