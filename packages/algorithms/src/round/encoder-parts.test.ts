import { createLayout, type ParamSlotSpec, parseClientId } from "@kumiai/params";
import { expect, test } from "vitest";
import { defineStrategy } from "../define-strategy.js";
import { NO_TRAFFIC } from "../diagnostics.js";
import {
  type ClientSpec,
  type ClientUpdate,
  type Measurements,
  type MeasureRequest,
  NOTHING_MEASURED,
  PLAIN_ASSIGNMENT,
} from "../strategy.js";

/** Layer `x` has two slots with layer `y` between them. */
function clientOf(id: string, width = 2): ClientSpec {
  const slots: ParamSlotSpec[] = [
    { name: "encoder.x.weight", shape: [width], layer: "encoder.x", role: { kind: "encoder" } },
    { name: "encoder.y.weight", shape: [1], layer: "encoder.y", role: { kind: "encoder" } },
    { name: "encoder.x.bias", shape: [1], layer: "encoder.x", role: { kind: "encoder" } },
  ];
  return { id: parseClientId(id), domain: "d", tasks: [], layout: createLayout(slots) };
}

function updateOf(client: string, base: readonly number[], local: readonly number[]): ClientUpdate {
  return {
    client: parseClientId(client),
    base: Float32Array.from(base),
    local: Float32Array.from(local),
    sampleCount: 1,
  };
}

/** What a strategy that asks for `request` is told. */
function measure(
  clients: readonly ClientSpec[],
  updates: readonly ClientUpdate[],
  request: Partial<MeasureRequest>,
): Measurements {
  const told: Measurements[] = [];
  const strategy = defineStrategy({
    name: "listener",
    training: "sites",
    init: () => null,
    assignment: () => PLAIN_ASSIGNMENT,
    measure: () => ({ ...NOTHING_MEASURED, ...request }),
    decide(_state, _cohort, measured) {
      told.push(measured);
      return { state: null, mixes: [], traffic: NO_TRAFFIC, diagnostics: {} };
    },
  });
  strategy.aggregate(null, { round: 1, clients, updates });
  const [measured] = told;
  if (measured === undefined) throw new Error("the strategy was not asked to decide");
  return measured;
}

const CLIENTS = [clientOf("a"), clientOf("b")];
// Deltas: a (1, 2 | 3 | 4), b (1, 0 | −1 | 2), with the layer y in the middle.
const UPDATES = [updateOf("a", [0, 0, 0, 0], [1, 2, 3, 4]), updateOf("b", [1, 1, 1, 1], [2, 1, 0, 3])];

test("a layer's Gram takes in all its slots, wherever they stand, and the encoder's Gram is the sum", () => {
  const measured = measure(CLIENTS, UPDATES, { encoderLayerGrams: "exact" });
  expect(measured.encoderLayers).toEqual(["x", "y"]);
  expect([...measured.encoderLayerGram("x")]).toEqual([21, 9, 9, 5]);
  expect([...measured.encoderLayerGram("y")]).toEqual([9, -3, -3, 1]);
  expect([...measured.encoderGram]).toEqual([30, 6, 6, 6]);
  expect(measured.encoderNorms.get(parseClientId("a"))).toBe(Math.sqrt(30));
});

test("alignments are those with the whole vector, whether or not the encoder is measured layer by layer", () => {
  const vector = Float32Array.of(1, 10, 100, 1000);
  const encoderAlignments = new Map([[parseClientId("b"), vector]]);
  for (const encoderLayerGrams of ["none", "exact"] as const) {
    const measured = measure(CLIENTS, UPDATES, { encoderAlignments, encoderLayerGrams });
    expect([...measured.encoderAlignments]).toEqual([["b", 1 - 100 + 2000]]);
  }
});

test("distances are between params after training, whatever each client started from", () => {
  const measured = measure(CLIENTS, UPDATES, { encoderDistances: "exact" });
  expect([...measured.encoderDistances()]).toEqual([0, 1 + 1 + 9 + 1, 12, 0]);
});

test("encoders of other shapes are at no finite distance, and have inner products of 0 in layers of the same name", () => {
  const clients = [...CLIENTS, clientOf("c", 1)];
  const updates = [...UPDATES, updateOf("c", [0, 0, 0], [1, 1, 1])];
  const measured = measure(clients, updates, { encoderLayerGrams: "exact", encoderDistances: "exact" });
  expect([...measured.encoderLayerGram("x")]).toEqual([21, 9, 0, 9, 5, 0, 0, 0, 2]);
  const far = Number.POSITIVE_INFINITY;
  expect([...measured.encoderDistances()]).toEqual([0, 12, far, 12, 0, far, far, far, 0]);
});

test("what was not asked for is refused by name, and so is a sketch beside exact layers", () => {
  const measured = measure(CLIENTS, UPDATES, {});
  expect(measured.encoderLayers).toEqual([]);
  expect(() => measured.encoderLayerGram("x")).toThrow("none were asked for");
  expect(() => measured.encoderDistances()).toThrow("none were asked for");
  expect(() => measure(CLIENTS, UPDATES, { encoderLayerGrams: "exact", encoderGram: { seed: 1 } })).toThrow(RangeError);
});

test("two finite encoders too far apart for f32 are refused with the name of the one that is measured from the other", () => {
  const updates = [updateOf("a", [-3e38, 0, 0, 0], [-3e38, 0, 0, 0]), updateOf("b", [3e38, 0, 0, 0], [3e38, 0, 0, 0])];
  expect(() => measure(CLIENTS, updates, {})).not.toThrow();
  expect(() => measure(CLIENTS, updates, { encoderDistances: "exact" })).toThrow(
    /client b: delta params, slot encoder\.x\.weight.*received Infinity/,
  );
});
