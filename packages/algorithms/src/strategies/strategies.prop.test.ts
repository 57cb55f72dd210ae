/** Laws that hold for every strategy, or for those named. */
import { createRng, type KumiaiError } from "@kumiai/params";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createStrategy, STRATEGIES } from "../registry.js";
import type { ClientSpec, ClientUpdate, RoundOutput, Strategy } from "../strategy.js";
import {
  maxDifference,
  paramsFor,
  privateOf,
  randomVector,
  specOf,
  updateOf,
  updatesOf,
} from "../testing/federation.js";

const AVERAGING = [
  "fedavg",
  "fedavg-all",
  "fedprox",
  "fedper",
  "fedamp",
  "mat-fl",
  "fedmtl",
  "krum",
  "fedhca2",
  "pooled",
];
const NOT_FINITE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const NAMES = Object.keys(STRATEGIES);
const COHORT = [
  specOf({ id: "e", domain: "garments", tasks: ["edge", "semseg"] }),
  specOf({ id: "a", domain: "garments", tasks: ["semseg", "edge"] }),
  specOf({ id: "d", domain: "digits", tasks: ["semseg"] }),
  specOf({ id: "b", domain: "digits", tasks: ["depth"] }),
  specOf({ id: "c", domain: "garments", tasks: ["semseg"] }),
];

/** Three rounds; who is present is drawn from the seed. */
function play(strategy: Strategy, clients: readonly ClientSpec[], seed: number, order: readonly ClientSpec[]) {
  let state = strategy.init(clients);
  const outputs: RoundOutput<unknown>[] = [];
  for (let round = 1; round <= 3; round++) {
    const present = order.filter(({ id }) => round === 1 || createRng(seed).split(round).split(id).uniform() < 0.7);
    const output = strategy.aggregate(state, {
      round,
      clients: order,
      updates: updatesOf(present, `${seed}/${round}`, 0.3),
    });
    state = output.state;
    outputs.push(output);
  }
  return outputs;
}

describe.each(NAMES)("%s", (name) => {
  const strategy = createStrategy(name);

  test("results do not depend on the order of clients and updates, bit for bit", () => {
    fc.assert(
      fc.property(fc.nat(1000), (seed) => {
        const shuffled = createRng(seed).split("order").shuffled(COHORT);
        const straight = play(strategy, COHORT, seed, COHORT);
        const mixed = play(strategy, shuffled, seed, shuffled);
        straight.forEach((output, index) => {
          expect(new Map([...(mixed[index]?.params ?? [])].sort())).toEqual(new Map([...output.params].sort()));
          expect(mixed[index]?.diagnostics).toEqual(output.diagnostics);
        });
      }),
      { numRuns: 8 },
    );
  });

  test("arguments stay as they were, and outputs share no memory with them", () => {
    const updates = updatesOf(COHORT, 5);
    const before = structuredClone(updates);
    const state = strategy.init(COHORT);
    const first = strategy.aggregate(state, { round: 1, clients: COHORT, updates });
    const stateBefore = structuredClone(first.state);
    strategy.aggregate(first.state, { round: 2, clients: COHORT, updates: updatesOf(COHORT, 6) });
    expect(updates).toEqual(before);
    expect(first.state).toEqual(stateBefore);
    const given = new Set(updates.flatMap(({ base, local }) => [base.buffer, local.buffer]));
    const returned = [...first.params.values()].map((params) => params.buffer);
    expect(returned.some((buffer) => given.has(buffer))).toBe(false);
    expect(new Set(returned).size).toBe(returned.length);
  });

  test("heads and buffers come back as the client's own, bit for bit", () => {
    for (const output of [1, 2, 3].map((seed) => ({ seed, first: play(strategy, COHORT, seed, COHORT)[0] }))) {
      for (const { client, local } of updatesOf(COHORT, `${output.seed}/1`, 0.3)) {
        const spec = COHORT.find(({ id }) => id === client);
        if (spec === undefined || output.first === undefined) throw new Error("no such client");
        expect(privateOf(spec, paramsFor(output.first, spec))).toEqual(privateOf(spec, local));
      }
    }
  });

  test("a state that went through a store gives the same bits", () => {
    let kept = strategy.init(COHORT);
    let stored = structuredClone(kept);
    for (let round = 1; round <= 3; round++) {
      const input = { round, clients: COHORT, updates: updatesOf(COHORT, `store/${round}`, 0.3) };
      const left = strategy.aggregate(kept, input);
      const right = strategy.aggregate(stored, input);
      expect(right.params).toEqual(left.params);
      kept = left.state;
      stored = structuredClone(right.state);
    }
  });

  test("zero updates leave params as they were, up to averaging", () => {
    const base = randomVector(createRng(1), COHORT[2]?.layout.size ?? 0);
    const spec = COHORT[2] as ClientSpec;
    const output = strategy.aggregate(strategy.init([spec]), {
      round: 1,
      clients: [spec],
      updates: [updateOf(spec, base, new Float32Array(base.length))],
    });
    expect(maxDifference(paramsFor(output, spec), base)).toBe(0);
  });

  test("a round that nobody answered changes nothing and names the absent", () => {
    const first = strategy.aggregate(strategy.init(COHORT), {
      round: 1,
      clients: COHORT,
      updates: updatesOf(COHORT, 1),
    });
    const empty = strategy.aggregate(first.state, { round: 2, clients: COHORT, updates: [] });
    expect(empty.params.size).toBe(0);
    expect(empty.state).toEqual(first.state);
    expect(empty.diagnostics.absent).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("params go to those who sent an update, to nobody else", () => {
    const updates = updatesOf(COHORT.slice(0, 3), 1);
    const output = strategy.aggregate(strategy.init(COHORT), { round: 1, clients: COHORT, updates });
    expect([...output.params.keys()].sort()).toEqual(["a", "d", "e"]);
    expect(output.diagnostics.absent).toEqual(["b", "c"]);
  });

  const refusal = (updates: readonly ClientUpdate[], clients: readonly ClientSpec[] = COHORT): KumiaiError => {
    try {
      strategy.aggregate(strategy.init(COHORT), { round: 4, clients, updates });
    } catch (error) {
      return error as KumiaiError;
    }
    throw new Error("expected a refusal");
  };

  test("refuses NaN and infinities in an update, naming client and slot", () => {
    let turn = 0;
    for (const spec of COHORT) {
      for (const slot of spec.layout.slots) {
        const updates = updatesOf(COHORT, 2);
        const own = updates.find(({ client }) => client === spec.id);
        if (own !== undefined) own.local[slot.offset + slot.size - 1] = NOT_FINITE[turn++ % 3] ?? 0;
        expect(refusal(updates)).toMatchObject({ code: "NON_FINITE", details: { client: spec.id, slot: slot.name } });
      }
    }
  });

  test("refuses a difference that overflows", () => {
    const spec = COHORT[0] as ClientSpec;
    const base = new Float32Array(spec.layout.size).fill(3e38);
    const updates = [{ client: spec.id, base, local: base.map((value) => -value), sampleCount: 1 }];
    expect(refusal(updates)).toMatchObject({ code: "NON_FINITE", details: { client: "e" } });
  });

  test("zero updates of all clients give finite params", () => {
    const updates = updatesOf(COHORT, 1).map((update) => ({ ...update, local: update.base.slice() }));
    const { params } = strategy.aggregate(strategy.init(COHORT), { round: 1, clients: COHORT, updates });
    for (const own of params.values()) expect(own.every(Number.isFinite)).toBe(true);
  });

  test("updates at the end of f32 give finite params, or are refused with NON_FINITE naming client and slot", () => {
    // Base and step are finite, also together; any longer step is not.
    const updates = updatesOf(COHORT, 1).map(({ client, base }) => ({
      client,
      base: base.map(() => 1.6e38),
      local: base.map(() => 3.3e38),
      sampleCount: 1,
    }));
    let params: RoundOutput<unknown>["params"] | undefined;
    let refused: unknown;
    try {
      params = strategy.aggregate(strategy.init(COHORT), { round: 1, clients: COHORT, updates }).params;
    } catch (error) {
      refused = error;
    }
    for (const own of params?.values() ?? []) expect(own.every(Number.isFinite)).toBe(true);
    if (params === undefined) {
      const details = { client: expect.any(String), slot: expect.any(String), longestUpdate: expect.any(String) };
      expect(refused).toMatchObject({ code: "NON_FINITE", details });
    }
    // These make the step longer.
    if (name.startsWith("fedhca2") || name === "self-extrapolation") {
      const slot = name === "fedhca2-decoder-only" ? "decoders.edge.mix.weight" : "encoder.in.weight";
      expect(refused).toMatchObject({ details: { client: "a", slot } });
    }
  });

  test("refuses an update from outside the roster, naming the client", () => {
    expect(refusal(updatesOf(COHORT, 1), COHORT.slice(1))).toMatchObject({
      code: "UNKNOWN_CLIENT",
      details: { client: "e", round: 4 },
    });
  });

  test("refuses a second update of one client, and a client that is on the roster twice", () => {
    const updates = updatesOf(COHORT, 1);
    expect(refusal([...updates, ...updates.slice(0, 1)])).toMatchObject({
      code: "INVALID_CONFIG",
      details: { client: "e" },
    });
    expect(refusal(updates, [...COHORT, ...COHORT.slice(0, 1)])).toMatchObject({ code: "INVALID_CONFIG" });
  });

  test("refuses a vector of the wrong length", () => {
    const [first, ...others] = updatesOf(COHORT, 1);
    if (first === undefined) throw new Error("no update");
    const short = { ...first, local: first.local.slice(1) };
    expect(refusal([short, ...others])).toMatchObject({
      code: "LAYOUT_MISMATCH",
      details: { client: "e", expected: 38, received: 37 },
    });
  });

  test.each([0, -1, 1.5, Number.NaN])("refuses a sample count of %d", (sampleCount) => {
    const updates = updatesOf(COHORT, 1).map((update) => ({ ...update, sampleCount }));
    expect(refusal(updates)).toMatchObject({ code: "INVALID_CONFIG", details: { client: "a" } });
  });
});

describe.each(NAMES)("%s", (name) => {
  test("takes encoders of different shapes, or refuses them with the exact difference, at the start and for a newcomer", () => {
    const strategy = createStrategy(name);
    const clients = [...COHORT, specOf({ id: "wide", width: 4 })];
    const expected = expect.objectContaining({
      code: "LAYOUT_MISMATCH",
      message: expect.stringContaining(
        "encoder of client wide against that of client a: slot 0: expected in.weight [2,3], received in.weight [2,4]",
      ),
    });
    const refusalOf = (call: () => unknown): unknown => {
      try {
        call();
        return undefined;
      } catch (error) {
        return error;
      }
    };
    const atStart = refusalOf(() => strategy.init(clients));
    expect([undefined, expected]).toContainEqual(atStart);
    if (AVERAGING.includes(name)) expect(atStart).toEqual(expected);
    if (strategy.training === "pooled") return;
    const input = { round: 2, clients, updates: updatesOf(clients, 1) };
    expect(refusalOf(() => strategy.aggregate(strategy.init(COHORT), input))).toEqual(atStart);
  });
});

test.each(["local", "self-extrapolation"])("%s takes models that differ; their cosine is 0", (name) => {
  const strategy = createStrategy(name);
  const clients = [...COHORT, specOf({ id: "wide", width: 4 })];
  const { diagnostics } = strategy.aggregate(strategy.init(clients), {
    round: 1,
    clients,
    updates: updatesOf(clients, 1),
  });
  expect(diagnostics.encoderCosines.clients.at(-1)).toBe("wide");
  expect(diagnostics.encoderCosines.values.at(-1)).toEqual([0, 0, 0, 0, 0, 1]);
});
