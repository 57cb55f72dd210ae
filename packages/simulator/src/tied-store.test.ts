import type { ClientSpec } from "@kumiai/algorithms";
import { createLayout, type ParamSlotSpec, parseClientId, parseTaskId } from "@kumiai/params";
import { expect, test } from "vitest";
import { gatherInto, scatterInto, tieParams } from "./tied-store.js";

const slot = (name: string, shape: number[], role: ParamSlotSpec["role"]): ParamSlotSpec => ({
  name,
  shape,
  layer: name.replace(/\.[^.]*$/, ""),
  role,
});

function client(
  id: string,
  domain: string,
  tasks: readonly string[],
  { headWidth = 2, stemWidth = 1 } = {},
): ClientSpec {
  const specs = [
    slot("encoder.a.weight", [3], { kind: "encoder" }),
    ...tasks.flatMap((raw) => {
      const task = parseTaskId(raw);
      return [
        slot(`decoders.${raw}.b.weight`, [2], { kind: "decoder", task }),
        slot(`heads.${raw}.c.weight`, [headWidth], { kind: "head", task }),
      ];
    }),
    slot("stem.mix.weight", [stemWidth], { kind: "stem" }),
    slot("norm.mean", [1], { kind: "buffer" }),
  ];
  return { id: parseClientId(id), domain, tasks: tasks.map(parseTaskId), layout: createLayout(specs) };
}

test("encoders are tied across all clients, decoders and heads by domain and task, stems and buffers not at all", () => {
  const clients = [
    client("a", "x", ["edge", "depth"]),
    client("b", "x", ["depth"]),
    client("c", "y", ["depth"], { stemWidth: 4 }),
  ];
  const tied = tieParams(clients);
  // Encoder 3; x/edge 4; x/depth 4; y/depth 4; stems 1, 1 and 4; three buffers of 1.
  expect(tied.size).toBe(3 + 4 + 4 + 4 + 6 + 3);

  const store = new Float32Array(tied.size);
  const [a, b, c] = clients.map((one) => new Float32Array(one.layout.size));
  if (a === undefined || b === undefined || c === undefined) throw new Error("three clients");
  a.forEach((_, i) => {
    a[i] = i + 1;
  });
  scatterInto(store, a, tied.pieces.get(parseClientId("a")) ?? []);
  gatherInto(b, store, tied.pieces.get(parseClientId("b")) ?? []);
  gatherInto(c, store, tied.pieces.get(parseClientId("c")) ?? []);
  expect([...b]).toEqual([1, 2, 3, 8, 9, 10, 11, 0, 0]);
  expect([...c]).toEqual([1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("gathering after scattering is the identity", () => {
  const one = client("a", "x", ["edge", "depth"]);
  const tied = tieParams([client("b", "x", ["depth"]), one]);
  const pieces = tied.pieces.get(one.id) ?? [];
  const before = Float32Array.from({ length: one.layout.size }, (_, i) => i * i);
  const store = new Float32Array(tied.size);
  scatterInto(store, before, pieces);
  const after = new Float32Array(before.length);
  gatherInto(after, store, pieces);
  expect(after).toEqual(before);
});

test("tied slots of different shape are refused with both shapes", () => {
  expect(() => tieParams([client("a", "x", ["edge"]), client("b", "x", ["edge"], { headWidth: 5 })])).toThrow(
    "client b: heads.edge.c.weight: expected [2] as client a has it, received [5]",
  );
});
