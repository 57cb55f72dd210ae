import { parseTaskId } from "@kumiai/params";
import { describe, expect, test } from "vitest";
import { Graph } from "../graph/tensor.js";
import { type CheckedInput, discrepanciesOf } from "../testing/check-gradients.js";
import { interpret } from "../testing/interpreter.js";
import { type LossSpec, taskLoss } from "./losses.js";

const task = parseTaskId("t");

/** The loss as the graph computes it, in f64. */
function lossOf(spec: LossSpec, shape: readonly number[], output: readonly number[], inputs: Record<string, number[]>) {
  const graph = new Graph();
  const { loss } = taskLoss(task, graph.input("output", "f32", shape), spec);
  return interpret([loss], { output, ...inputs })[0]?.data[0];
}

describe("cross entropy", () => {
  const uniform = [0, 0, 0, 0, 0, 0];

  test("is ln C for equal logits, whatever the class weights", () => {
    const labels = { "label.t": [0, 2] };
    expect(lossOf({ kind: "crossEntropy" }, [2, 3], uniform, labels)).toBeCloseTo(Math.log(3), 12);
    expect(lossOf({ kind: "crossEntropy", classWeights: [0.2, 1, 5] }, [2, 3], uniform, labels)).toBeCloseTo(
      Math.log(3),
      12,
    );
  });

  test("weights the points by the weights of their classes", () => {
    // Losses ln 2 (class 0) and ln(1 + e) (class 1 at a logit 1 below): mean with weights 1 and 3.
    const expected = (Math.log(2) + 3 * Math.log(1 + Math.E)) / 4;
    const loss = lossOf({ kind: "crossEntropy", classWeights: [1, 3] }, [2, 2], [5, 5, 1, 0], { "label.t": [0, 1] });
    expect(loss).toBeCloseTo(expected, 6);
  });

  test("does not count ignored and masked points", () => {
    const logits = [1, 2, 3, 100, -50, 7];
    const alone = lossOf({ kind: "crossEntropy" }, [1, 3], [1, 2, 3], { "label.t": [1] });
    // Inside the graph ignored points have the class number C.
    const ignored = lossOf({ kind: "crossEntropy", ignoreIndex: 255 }, [2, 3], logits, { "label.t": [1, 3] });
    const masked = lossOf({ kind: "crossEntropy", mask: true }, [2, 3], logits, {
      "label.t": [1, 0],
      "mask.t": [1, 0],
    });
    expect(ignored).toBeCloseTo(alone ?? Number.NaN, 12);
    expect(masked).toBeCloseTo(alone ?? Number.NaN, 12);
  });

  test("is 0 when everything is masked out", () => {
    expect(lossOf({ kind: "crossEntropy", mask: true }, [2, 3], uniform, { "label.t": [0, 0], "mask.t": [0, 0] })).toBe(
      0,
    );
  });
});

describe("other losses by hand", () => {
  const cases: readonly [string, LossSpec, number[], number[], number][] = [
    ["binary cross entropy at 0", { kind: "binaryCrossEntropy" }, [0, 0], [0, 1], Math.log(2)],
    ["positive weight", { kind: "binaryCrossEntropy", positiveWeight: 3 }, [0, 0], [0, 1], 2 * Math.log(2)],
    ["l1", { kind: "l1" }, [1, -2], [0, 2], 2.5],
    ["mse", { kind: "mse" }, [1, -2], [0, 2], 8.5],
    ["smooth l1, near and far", { kind: "smoothL1" }, [0.5, 2], [0, 0], (0.125 + 1.5) / 2],
    ["smooth l1 with beta", { kind: "smoothL1", beta: 2 }, [1, 4], [0, 0], (0.25 + 3) / 2],
  ];
  test.each(cases)("%s", (_, spec, output, labels, expected) => {
    expect(lossOf(spec, [2, 1], output, { "label.t": labels })).toBeCloseTo(expected, 12);
  });

  test("binary cross entropy stays finite for logits of ±80", () => {
    const loss = lossOf({ kind: "binaryCrossEntropy" }, [2, 1], [80, -80], { "label.t": [0, 1] });
    expect(loss).toBeCloseTo(80, 9);
  });

  test("cosine is 0 for parallel, 1 for orthogonal, 2 for opposite vectors, whatever their length", () => {
    const output = [3, 0, 0, 5, -2, 0];
    const labels = [1, 0, 1, 0, 1, 0];
    const losses = [0, 1, 2].map((i) =>
      lossOf({ kind: "cosine" }, [1, 2, 1], output.slice(2 * i, 2 * i + 2), {
        "label.t": labels.slice(2 * i, 2 * i + 2),
      }),
    );
    losses.forEach((loss, i) => {
      expect(loss).toBeCloseTo(i, 6);
    });
  });

  test("a mask averages over what it leaves", () => {
    const loss = lossOf({ kind: "mse", mask: true }, [1, 2, 2], [1, 9, 3, 9], {
      "label.t": [0, 0, 0, 0],
      "mask.t": [1, 0],
    });
    expect(loss).toBeCloseTo((1 + 9) / 2, 12);
  });
});

describe("gradients", () => {
  const classes: CheckedInput = { shape: [2, 3, 2], dtype: "u8", name: "label.t", values: (rng) => rng.int(4) };
  const binary: CheckedInput = { shape: [2, 4, 3, 2], dtype: "u8", name: "label.t", values: (rng) => rng.int(2) };
  const real: CheckedInput = { shape: [2, 4, 3, 2], name: "label.t" };
  const mask: CheckedInput = { shape: [2, 3, 2], dtype: "u8", name: "mask.t", values: (rng) => rng.int(2) };
  const cases: readonly [string, LossSpec, readonly CheckedInput[]][] = [
    ["cross entropy", { kind: "crossEntropy" }, [classes]],
    [
      "cross entropy with everything",
      { kind: "crossEntropy", classWeights: [1, 2, 0.5, 3], ignoreIndex: 9, mask: true },
      [classes, mask],
    ],
    ["binary cross entropy", { kind: "binaryCrossEntropy", positiveWeight: 4 }, [binary]],
    ["masked binary cross entropy", { kind: "binaryCrossEntropy", mask: true }, [binary, mask]],
    ["l1", { kind: "l1" }, [real]],
    ["masked mse", { kind: "mse", mask: true }, [real, mask]],
    ["smooth l1", { kind: "smoothL1", beta: 0.7 }, [real]],
    ["cosine", { kind: "cosine" }, [real]],
    ["masked cosine", { kind: "cosine", mask: true }, [real, mask]],
  ];
  test.each(cases)("%s equals central differences within 1e-6, ONNX Runtime within 1e-5", async (_, spec, extra) => {
    const inputs = [{ shape: [2, 4, 3, 2] }, ...extra];
    const found = await discrepanciesOf(inputs, (output) => taskLoss(task, output, spec).loss, 5);
    expect(found.gradient).toBeLessThan(1e-6);
    expect(found.runtime).toBeLessThan(1e-5);
  });
});

describe("refusals", () => {
  const output = new Graph().input("logits", "f32", [2, 3]);
  const broken: readonly [string, unknown, RegExp][] = [
    ["an unknown kind", { kind: "focal" }, /one of crossEntropy, .* received focal/],
    ["no loss at all", undefined, /received undefined/],
    ["a negative loss weight", { kind: "mse", lossWeight: -1 }, /lossWeight/],
    ["an infinite loss weight", { kind: "mse", lossWeight: Number.POSITIVE_INFINITY }, /lossWeight/],
    ["a negative class weight", { kind: "crossEntropy", classWeights: [1, -1, 1] }, /classWeights/],
    [
      "a positive weight that is no number",
      { kind: "binaryCrossEntropy", positiveWeight: Number.NaN },
      /positiveWeight/,
    ],
    ["a beta of 0", { kind: "smoothL1", beta: 0 }, /beta/],
  ];
  test.each(broken)("MODEL_INVALID for %s", (_, spec, message) => {
    expect(() => taskLoss(task, output, spec as LossSpec)).toThrow(expect.objectContaining({ code: "MODEL_INVALID" }));
    expect(() => taskLoss(task, output, spec as LossSpec)).toThrow(message);
  });

  test("a wrong number of class weights", () => {
    const output = new Graph().input("output", "f32", [2, 3]);
    expect(() => taskLoss(task, output, { kind: "crossEntropy", classWeights: [1] })).toThrow(
      expect.objectContaining({ code: "MODEL_INVALID" }),
    );
  });
});
