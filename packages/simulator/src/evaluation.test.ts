import type { TaskId } from "@kumiai/params";
import { expect, test } from "vitest";
import { constantMetrics, undefinedScores } from "./evaluation.js";
import type { Examples } from "./examples.js";
import type { TaskSpec } from "./model.js";

const STATE = "state" as TaskId;
const TASK: TaskSpec = { id: STATE, label: { kind: "mask" }, metric: "auroc", lossWeight: 1, backgroundWeight: 1 };

function examples(labels: readonly number[], mask?: readonly number[]): Examples {
  return {
    count: labels.length,
    inputName: "series",
    inputs: new Float32Array(labels.length),
    points: 1,
    labels: new Map([[STATE, Uint8Array.from(labels)]]),
    masks: new Map(mask === undefined ? [] : [[STATE, Uint8Array.from(mask)]]),
    scales: new Map(),
  };
}

test.each([
  ["both classes", examples([0, 1, 1]), {}],
  ["one class", examples([1, 1, 1]), { state: "oneClass" }],
  ["one class among those that are labeled", examples([0, 1, 1], [0, 1, 1]), { state: "oneClass" }],
  ["no labels at all", examples([0, 0, 0], [0, 0, 0]), { state: "noTestLabels" }],
])("with %s in the test data a task says why it has no score, or has one", (_, test, expected) => {
  const constants = constantMetrics([TASK], examples([0, 1]), test);
  expect(undefinedScores([TASK], test, constants)).toEqual(expected);
  expect(Number.isNaN(constants[STATE])).toBe(Object.keys(expected).length > 0);
});
