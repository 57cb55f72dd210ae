import { createRng } from "@kumiai/params";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createStrategy } from "../registry.js";
import type { ClientSpec, ClientUpdate, RoundOutput } from "../strategy.js";
import { PLAIN_ASSIGNMENT } from "../strategy.js";
import {
  decoderOf,
  encoderOf,
  maxDifference,
  paramsFor,
  randomVector,
  specOf,
  updateOf,
  updatesOf,
} from "../testing/federation.js";

const A = specOf({ id: "a", domain: "garments", tasks: ["semseg", "edge"] });
const B = specOf({ id: "b", domain: "digits", tasks: ["semseg"] });
const C = specOf({ id: "c", domain: "garments", tasks: ["depth"] });
const CLIENTS = [A, B, C];

function constantUpdate(spec: ClientSpec, value: number, sampleCount: number): ClientUpdate {
  const base = new Float32Array(spec.layout.size);
  return updateOf(
    spec,
    base,
    base.map(() => value),
    sampleCount,
  );
}

const UPDATES = [constantUpdate(A, 1, 1), constantUpdate(B, 2, 3), constantUpdate(C, 6, 4)];

function run(name: string, options: unknown = {}): RoundOutput<unknown> {
  const strategy = createStrategy(name, options);
  return strategy.aggregate(strategy.init(CLIENTS), { round: 1, clients: CLIENTS, updates: UPDATES });
}

const decoder = (output: RoundOutput<unknown>, spec: ClientSpec, task: string) =>
  decoderOf(spec, paramsFor(output, spec), task)[0];

describe("fedavg", () => {
  test("by hand: encoders 1, 2, 6 with 1, 3, 4 samples give 31/8 to all; decoders stay at home", () => {
    const output = run("fedavg");
    for (const spec of CLIENTS) expect(new Set(encoderOf(spec, paramsFor(output, spec)))).toEqual(new Set([31 / 8]));
    expect([decoder(output, A, "semseg"), decoder(output, A, "edge"), decoder(output, B, "semseg")]).toEqual([1, 1, 2]);
  });

  test("share all, same task: semseg of a and b become 7/4, edge and depth have no partner", () => {
    for (const output of [run("fedavg", { share: "all" }), run("fedavg-all")]) {
      expect([decoder(output, A, "semseg"), decoder(output, B, "semseg")]).toEqual([7 / 4, 7 / 4]);
      expect([decoder(output, A, "edge"), decoder(output, C, "depth")]).toEqual([1, 6]);
    }
  });

  test("share all, all decoders: four decoders with 1, 1, 3 and 4 samples become 32/9, to f32", () => {
    const output = run("fedavg-all", { decoders: "all" });
    for (const [spec, task] of [
      [A, "semseg"],
      [A, "edge"],
      [B, "semseg"],
      [C, "depth"],
    ] as const) {
      expect(decoder(output, spec, task)).toBeCloseTo(32 / 9, 6);
    }
  });

  test("traffic: the encoder each way, with share all the own decoders too, 4 bytes a number", () => {
    expect(run("fedavg").diagnostics.traffic).toEqual({
      a: { upBytes: 32, downBytes: 32 },
      b: { upBytes: 32, downBytes: 32 },
      c: { upBytes: 32, downBytes: 32 },
    });
    const all = run("fedavg-all").diagnostics.traffic;
    expect(all[A.id]).toEqual({ upBytes: 32 + 2 * 36, downBytes: 32 + 2 * 36 });
    expect(all[B.id]).toEqual({ upBytes: 32 + 36, downBytes: 32 + 36 });
  });

  test("equal starts: the mean delta on top of the start, to 1e-6", () => {
    fc.assert(
      fc.property(fc.nat(10_000), (seed) => {
        const strategy = createStrategy("fedavg");
        const start = randomVector(createRng(seed), B.layout.size);
        const twin = { ...B, id: specOf({ id: "twin" }).id };
        const deltas = [1, 2].map((i) => randomVector(createRng(seed).split(i), B.layout.size));
        const updates = [B, twin].map((spec, i) => updateOf(spec, start, deltas[i] ?? start, 7));
        const output = strategy.aggregate(null, { round: 1, clients: [B, twin], updates });
        const expected = start.map((value, p) => value + ((deltas[0]?.[p] ?? 0) + (deltas[1]?.[p] ?? 0)) / 2);
        expect(maxDifference(encoderOf(B, paramsFor(output, B)), encoderOf(B, expected))).toBeLessThan(1e-6);
        expect(paramsFor(output, B)).not.toBe(paramsFor(output, twin));
      }),
    );
  });

  test("one client is the identity", () => {
    const [update] = updatesOf([A], 4);
    const output = createStrategy("fedavg-all", { decoders: "same-task" }).aggregate(null, {
      round: 1,
      clients: [A],
      updates: update === undefined ? [] : [update],
    });
    expect(output.params.get(A.id)).toEqual(update?.local);
  });

  test("decoders of one task that differ in shape are refused only where they are averaged", () => {
    const other = {
      ...B,
      layout: { ...B.layout, slots: B.layout.slots.filter(({ name }) => !name.endsWith("out.weight")) },
    };
    expect(() => createStrategy("fedavg").init([A, other])).not.toThrow();
    expect(() => createStrategy("fedavg-all").init([A, other])).toThrow(
      expect.objectContaining({
        code: "LAYOUT_MISMATCH",
        message: expect.stringContaining(
          "decoder b/semseg against decoder a/edge: slot 2: expected out.weight [3], received no slot".replace(
            "a/edge",
            "a/semseg",
          ),
        ),
      }),
    );
  });
});

test("fedprox aggregates as fedavg and asks for the proximal term; the others ask for nothing", () => {
  expect(run("fedprox").params).toEqual(run("fedavg").params);
  expect(createStrategy("fedprox").assignment(null, A)).toEqual({ proximalWeight: 0.01, frozen: [] });
  expect(createStrategy("fedprox", { proximalWeight: 0.5 }).assignment(null, A).proximalWeight).toBe(0.5);
  for (const name of ["local", "fedavg", "fedavg-all", "pooled", "self-extrapolation", "fedhca2"]) {
    expect(createStrategy(name).assignment(createStrategy(name).init(CLIENTS), A)).toEqual(PLAIN_ASSIGNMENT);
  }
});

test.each(["local", "pooled"])("%s hands each client its own params back, and moves no bytes", (name) => {
  const output = run(name);
  for (const { client, local } of UPDATES) expect(output.params.get(client)).toEqual(local);
  expect(output.diagnostics.traffic[A.id]).toEqual({ upBytes: 0, downBytes: 0 });
});

test("self-extrapolation: base + 1.25·Δ over encoder and decoders at alpha 0.25, no bytes", () => {
  const strategy = createStrategy("self-extrapolation", { alpha: 0.25 });
  const [update] = updatesOf([A], 9);
  if (update === undefined) throw new Error("no update");
  const output = strategy.aggregate(null, { round: 1, clients: [A], updates: [update] });
  for (const { role, offset, size } of A.layout.slots) {
    const factor = role.kind === "encoder" || role.kind === "decoder" ? 1.25 : 1;
    for (let p = offset; p < offset + size; p++) {
      const base = update.base[p] ?? 0;
      const delta = (update.local[p] ?? 0) - base;
      expect(output.params.get(A.id)?.[p]).toBeCloseTo(base + factor * delta, 5);
    }
  }
  expect(output.diagnostics.traffic[A.id]).toEqual({ upBytes: 0, downBytes: 0 });
});

test("diagnostics: norms and cosines by hand", () => {
  const { diagnostics } = run("local");
  // The encoder has 8 numbers, a decoder 9; deltas are 1 and 2 everywhere.
  expect(diagnostics.updateNorms[A.id]?.encoder).toBeCloseTo(Math.sqrt(8), 12);
  expect(diagnostics.updateNorms[B.id]?.decoders).toEqual({ semseg: 6 });
  expect(diagnostics.encoderCosines.clients).toEqual(["a", "b", "c"]);
  for (const row of diagnostics.encoderCosines.values) for (const value of row) expect(value).toBeCloseTo(1, 12);
  expect(diagnostics.hyperWeights).toBeUndefined();
});
