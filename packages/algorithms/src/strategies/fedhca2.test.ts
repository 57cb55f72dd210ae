import { createLayout, type ParamSlotSpec, parseClientId } from "@kumiai/params";
import { describe, expect, test } from "vitest";
import { createStrategy } from "../registry.js";
import type { StateVector } from "../state-vector.js";
import type { ClientSpec, RoundOutput } from "../strategy.js";
import { decoderOf, encoderOf, maxDifference, paramsFor, specOf, updatesOf } from "../testing/federation.js";
import { type FedHca2State, WHOLE } from "./fedhca2-state.js";

const A = specOf({ id: "a", domain: "garments", tasks: ["semseg"] });
const B = specOf({ id: "b", domain: "digits", tasks: ["edge", "depth"] });
const C = specOf({ id: "c", domain: "garments", tasks: ["semseg"] });
const CLIENTS = [A, B, C];

interface Round {
  readonly present?: readonly ClientSpec[];
  readonly roster?: readonly ClientSpec[];
}

/** Plays rounds; the update of a client in a round depends on seed, round and client only. */
function play(options: unknown, rounds: readonly Round[], seed = 1): readonly RoundOutput<FedHca2State>[] {
  const strategy = createStrategy("fedhca2", options);
  let state = strategy.init(rounds[0]?.roster ?? CLIENTS);
  return rounds.map(({ roster = CLIENTS, present = roster }, index) => {
    const round = index + 1;
    const output = strategy.aggregate(state, {
      round,
      clients: roster,
      updates: updatesOf(present, `${seed}/${round}`),
    });
    state = output.state;
    return output as RoundOutput<FedHca2State>;
  });
}

const only = (rounds: readonly RoundOutput<FedHca2State>[], index: number): RoundOutput<FedHca2State> => {
  const output = rounds[index];
  if (output === undefined) throw new Error(`no round ${index}`);
  return output;
};

function inMemory(vector: StateVector | undefined): Float32Array {
  return vector instanceof Float32Array ? vector : new Float32Array();
}

describe("fedhca2, one round", () => {
  test("α = 0 leaves the local step, averaged among clients of one domain and task set, to 1e-6", () => {
    const output = only(play({ encoderAlpha: 0 }, [{}]), 0);
    const updates = updatesOf(CLIENTS, "1/1");
    const of = (index: number, what: "base" | "local") => updates[index]?.[what] ?? new Float32Array();
    expect(maxDifference(encoderOf(B, paramsFor(output, B)), encoderOf(B, of(1, "local")))).toBeLessThan(1e-6);
    const mean = encoderOf(A, of(0, "base")).map((value, p) => {
      const own = (encoderOf(A, of(0, "local"))[p] ?? 0) - value;
      const other = (encoderOf(C, of(2, "local"))[p] ?? 0) - (encoderOf(C, of(2, "base"))[p] ?? 0);
      return value + (own + other) / 2;
    });
    expect(maxDifference(encoderOf(A, paramsFor(output, A)), mean)).toBeLessThan(1e-6);
  });

  test("β = 0 leaves decoders as trained, bit for bit; α is at work all the same", () => {
    const output = only(play({ decoderBeta: 0 }, [{}]), 0);
    for (const { client, local } of updatesOf(CLIENTS, "1/1")) {
      const spec = CLIENTS.find(({ id }) => id === client) ?? A;
      for (const task of spec.tasks) {
        expect(decoderOf(spec, paramsFor(output, spec), task)).toEqual(decoderOf(spec, local, task));
      }
      expect(encoderOf(spec, paramsFor(output, spec))).not.toEqual(encoderOf(spec, local));
    }
  });

  test.each([
    { part: "encoderPart", upBytes: 36 },
    { part: "decoderPart", upBytes: 32 },
  ])(
    "without $part that group stays the client's own, has no hyper-weights and moves no bytes",
    ({ part, upBytes }) => {
      const outputs = play({ [part]: false }, [{}, {}]);
      const [update] = updatesOf([A], "1/2");
      const params = paramsFor(only(outputs, 1), A);
      const local = update?.local ?? new Float32Array();
      const isEncoderOff = part === "encoderPart";
      expect(maxDifference(encoderOf(A, params), encoderOf(A, local)) === 0).toBe(isEncoderOff);
      expect(maxDifference(decoderOf(A, params, "semseg"), decoderOf(A, local, "semseg")) === 0).toBe(!isEncoderOff);
      const { hyperWeights, conflictWeights, traffic } = only(outputs, 1).diagnostics;
      expect(Object.keys(hyperWeights?.encoderAlpha ?? {})).toHaveLength(isEncoderOff ? 0 : 3);
      expect(Object.keys(hyperWeights?.decoderBeta ?? {})).toHaveLength(isEncoderOff ? 4 : 0);
      expect(conflictWeights === undefined).toBe(isEncoderOff);
      expect(traffic[A.id]).toEqual({ upBytes, downBytes: upBytes });
    },
  );

  test("scaling all updates by 1/64 scales the encoders' steps by 1/64, to 1e-6 relative", () => {
    const strategy = createStrategy("fedhca2");
    const updates = updatesOf(CLIENTS, 3);
    const zeroBased = updates.map(({ client, local, base }) => ({
      client,
      base: new Float32Array(base.length),
      local: local.map((value, p) => value - (base[p] ?? 0)),
      sampleCount: 1,
    }));
    const small = zeroBased.map((update) => ({ ...update, local: update.local.map((value) => value / 64) }));
    const run = (list: typeof zeroBased) =>
      strategy.aggregate(strategy.init(CLIENTS), { round: 1, clients: CLIENTS, updates: list });
    const [large, little] = [run(zeroBased), run(small)];
    for (const spec of CLIENTS) {
      const scaled = encoderOf(spec, paramsFor(little, spec)).map((value) => value * 64);
      expect(maxDifference(scaled, encoderOf(spec, paramsFor(large, spec)))).toBeLessThan(1e-5);
    }
  });

  test("traffic: encoder and own decoders, each once up and once down", () => {
    const { traffic } = only(play({}, [{}]), 0).diagnostics;
    expect(traffic[A.id]).toEqual({ upBytes: 32 + 36, downBytes: 32 + 36 });
    expect(traffic[B.id]).toEqual({ upBytes: 32 + 72, downBytes: 32 + 72 });
  });

  test("refuses decoders of different shapes, also of different tasks", () => {
    const other = {
      ...B,
      layout: { ...B.layout, slots: B.layout.slots.filter(({ name }) => name !== "decoders.depth.mix.bias") },
    };
    expect(() => createStrategy("fedhca2").init([A, other])).toThrow(
      expect.objectContaining({
        code: "LAYOUT_MISMATCH",
        message: expect.stringContaining(
          "decoder b/depth against decoder a/semseg: slot 1: expected mix.bias [2], received out.weight [3]",
        ),
      }),
    );
  });
});

describe("fedhca2, hyper-weights", () => {
  const alphaOf = (output: RoundOutput<FedHca2State>, spec: ClientSpec) => output.state.clients[spec.id]?.alphas[WHOLE];

  test("start at their initial values and move from a client's second round on", () => {
    const [first, second] = play({ encoderAlpha: 0.2, decoderBeta: 0.3 }, [{}, {}]);
    expect(first?.diagnostics.hyperWeights?.encoderAlpha).toEqual({ a: 0.2, b: 0.2, c: 0.2 });
    expect(first?.diagnostics.hyperWeights?.decoderBeta["b/depth"]).toEqual({ mix: 0.3, out: 0.3 });
    for (const { id } of CLIENTS) expect(second?.diagnostics.hyperWeights?.encoderAlpha[id]).not.toBe(0.2);
  });

  test("stay where they are, and nothing is kept for them, when learning is off", () => {
    const third = only(play({ learnHyperWeights: false }, [{}, {}, {}]), 2);
    expect(third.diagnostics.hyperWeights?.encoderAlpha).toEqual({ a: 0.1, b: 0.1, c: 0.1 });
    expect(third.state.directions).toEqual({});
    expect(third.state.clients[A.id]?.decoders[A.tasks[0] ?? ("" as never)]?.attended).toBeNull();
  });

  test("with a large rate leave [0, 1] in the paper's way, and do not with projection", () => {
    const options = { hyperOptimizer: { learningRate: 50 } };
    const free = Object.values<number>(only(play(options, [{}, {}]), 1).diagnostics.hyperWeights?.encoderAlpha ?? {});
    expect(free.some((value) => value < 0 || value > 1)).toBe(true);
    const outputs = play({ ...options, projectHyperWeights: true }, [{}, {}, {}, {}]);
    for (const { diagnostics } of outputs) {
      const betas = Object.values(diagnostics.hyperWeights?.decoderBeta ?? {}).flatMap((layers) =>
        Object.values(layers),
      );
      for (const value of [...Object.values<number>(diagnostics.hyperWeights?.encoderAlpha ?? {}), ...betas]) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }
    }
  });

  test("a client that misses rounds keeps its hyper-weights, momentum and memory untouched", () => {
    const [first, second, third] = play({}, [{}, { present: [A, C] }, { present: [A, C] }]);
    expect(third?.state.clients[B.id]).toEqual(first?.state.clients[B.id]);
    expect(second?.diagnostics.absent).toEqual(["b"]);
    expect(second?.diagnostics.hyperWeights?.encoderAlpha).not.toHaveProperty("b");
  });

  test("each learns from the direction of its own last round, also who comes back after missing one, to 1e-6", () => {
    const outputs = play({}, [{}, { present: [A, C] }, {}]);
    const before = only(outputs, 1);
    const updates = updatesOf(CLIENTS, "1/3");
    for (const [spec, index, lastRound] of [
      [A, 0, 2],
      [B, 1, 1],
      [C, 2, 2],
    ] as const) {
      const { base, local } = updates[index] ?? { base: new Float32Array(), local: new Float32Array() };
      const direction = inMemory(before.state.directions[lastRound]);
      const start = encoderOf(spec, base);
      const alignment = encoderOf(spec, local).reduce(
        (sum, value, p) => sum + (value - (start[p] ?? 0)) * (direction[p] ?? 0),
        0,
      );
      const past = alphaOf(before, spec);
      if (past === undefined) throw new Error(`no memory of ${spec.id}`);
      const velocity = 0.9 * past.velocity - alignment + 1e-4 * past.value;
      expect(alphaOf(only(outputs, 2), spec)?.value).toBeCloseTo(past.value - 0.01 * velocity, 6);
    }
    expect(alphaOf(before, B)?.velocity).toBe(0);
    expect(alphaOf(before, A)?.velocity).not.toBe(0);
  });

  test("directions are kept as long as somebody's last round needs them, no longer", () => {
    const outputs = play({}, [{}, { present: [A, C] }, { present: [A] }, {}]);
    expect(outputs.map(({ state }) => Object.keys(state.directions))).toEqual([
      ["1"],
      ["1", "2"],
      ["1", "2", "3"],
      ["4"],
    ]);
  });

  test("a newcomer starts with initial hyper-weights while the others go on with theirs", () => {
    const outputs = play({}, [{ roster: [A, B] }, { roster: [A, B] }, { roster: CLIENTS }]);
    const { encoderAlpha } = only(outputs, 2).diagnostics.hyperWeights ?? { encoderAlpha: {} };
    expect(encoderAlpha).toMatchObject({ c: 0.1 });
    expect(Object.values(encoderAlpha).filter((value) => value !== 0.1)).toHaveLength(2);
  });

  test("a client that left the roster finds its hyper-weights when it is back on it", () => {
    const outputs = play({}, [{}, {}, { roster: [A, C] }, {}]);
    const before = alphaOf(only(outputs, 1), B);
    expect(alphaOf(only(outputs, 2), B)).toEqual(before);
    const back = alphaOf(only(outputs, 3), B);
    expect(back?.value).not.toBe(0.1);
    expect(back?.velocity).not.toBe(0);
  });

  test("refuses a client whose encoder changed its size during the run, when everybody's did", () => {
    const strategy = createStrategy("fedhca2");
    const narrow = [specOf({ id: "a" }), specOf({ id: "b" })];
    const wide = [specOf({ id: "a", width: 4 }), specOf({ id: "b", width: 4 })];
    const { state } = strategy.aggregate(strategy.init(narrow), {
      round: 1,
      clients: narrow,
      updates: updatesOf(narrow, 1),
    });
    const input = { round: 2, clients: wide, updates: updatesOf(wide, 1) };
    expect(() => strategy.aggregate(state, input)).toThrow(
      expect.objectContaining({ code: "LAYOUT_MISMATCH", details: { client: "a", expected: 8, received: 10 } }),
    );
  });
});

describe("fedhca2, options of our own", () => {
  const encoderAfter = (output: RoundOutput<FedHca2State>, spec: ClientSpec) =>
    encoderOf(spec, paramsFor(output, spec));
  const updates = updatesOf(CLIENTS, "1/1");
  const encodersOf = (what: "base" | "local") =>
    updates.map((update, index) => encoderOf(CLIENTS[index] ?? A, update[what]));
  const mean = encoderOf(A, updates[0]?.local ?? new Float32Array()).map(
    (_, p) => encodersOf("local").reduce((sum, own) => sum + (own[p] ?? 0), 0) / CLIENTS.length,
  );

  test("pull: α = 1 gives everybody the mean of all encoders, α = 0 their own, to 1e-6", () => {
    const pulled = only(play({ encoderRule: "pull", encoderAlpha: 1 }, [{}]), 0);
    for (const spec of CLIENTS) expect(maxDifference(encoderAfter(pulled, spec), mean)).toBeLessThan(1e-6);
    const free = only(play({ encoderRule: "pull", encoderAlpha: 0 }, [{}]), 0);
    const own = encodersOf("local")[1] ?? new Float32Array();
    expect(maxDifference(encoderAfter(free, B), own)).toBeLessThan(1e-6);
  });

  test("pull: α learns from the client's own way to the mean, kept from its last round, to 1e-6", () => {
    const [first, second] = play({ encoderRule: "pull", encoderAlpha: 0.3 }, [{}, {}]);
    const own = encodersOf("local")[1] ?? new Float32Array();
    const way = mean.map((value, p) => value - (own[p] ?? 0));
    expect(maxDifference(inMemory(first?.state.clients[B.id]?.direction ?? undefined), way)).toBeLessThan(1e-5);
    const next = updatesOf(CLIENTS, "1/2")[1];
    const before = encoderOf(B, next?.base ?? new Float32Array());
    const alignment = encoderOf(B, next?.local ?? new Float32Array()).reduce(
      (sum, value, p) => sum + (value - (before[p] ?? 0)) * (way[p] ?? 0),
      0,
    );
    const expected = 0.3 - 0.01 * (-alignment + 1e-4 * 0.3);
    expect(second?.diagnostics.hyperWeights?.encoderAlpha[B.id]).toBeCloseTo(expected, 6);
    expect(first?.state.directions).toEqual({});
  });

  test("pull: what the server sends is one mean for all, and the mean step of each group", () => {
    const { traffic } = only(play({ encoderRule: "pull", decoderPart: false }, [{ present: [A, B] }]), 0);
    expect(traffic.broadcast.encoder).toBe(8); // Of two encoders of 8 numbers each.
  });

  test("normalizeUpdates: weights do not depend on how long a client's update is, and its step keeps the others' size", () => {
    const strategy = createStrategy("fedhca2", { normalizeUpdates: true });
    const run = (scale: number) => {
      const scaled = updates.map((update, index) => {
        if (index !== 0) return update;
        return { ...update, local: update.base.map((b, p) => b + scale * ((update.local[p] ?? 0) - b)) };
      });
      return strategy.aggregate(strategy.init(CLIENTS), { round: 1, clients: CLIENTS, updates: scaled }).diagnostics;
    };
    const [usual, long] = [run(1).conflictWeights ?? {}, run(64).conflictWeights ?? {}];
    for (const { id } of CLIENTS) expect(long[id]).toBeCloseTo(usual[id] ?? Number.NaN, 4);
    const plain = only(play({}, [{}]), 0).diagnostics.conflictWeights ?? {};
    expect(CLIENTS.some(({ id }) => Math.abs((plain[id] ?? 0) - (usual[id] ?? 0)) > 1e-3)).toBe(true);
  });

  test("alphaPer layer: each layer learns from its own part of Ũ, and with equal α all is as with one for the client", () => {
    const clients = ["x", "y"].map((id) => twoLayers(id));
    const strategy = createStrategy("fedhca2", { alphaPer: "layer", encoderAlpha: 0.2 });
    const plain = createStrategy("fedhca2", { encoderAlpha: 0.2 });
    const input = (round: number) => ({ round, clients, updates: updatesOf(clients, `layers/${round}`) });
    const first = strategy.aggregate(strategy.init(clients), input(1)) as RoundOutput<FedHca2State>;
    const whole = plain.aggregate(plain.init(clients), input(1)) as RoundOutput<FedHca2State>;
    const [x] = clients;
    if (x === undefined) throw new Error("no client");
    expect(paramsFor(first, x)).toEqual(paramsFor(whole, x));
    expect(first.state.directions).toEqual(whole.state.directions);

    const second = strategy.aggregate(first.state, input(2)) as RoundOutput<FedHca2State>;
    const direction = inMemory(first.state.directions[1]);
    const [update] = input(2).updates;
    const delta = encoderOf(x, update?.local ?? new Float32Array()).map(
      (value, p) => value - (encoderOf(x, update?.base ?? new Float32Array())[p] ?? 0),
    );
    // The encoder's slots end to end: four numbers of layer one, two of layer two, two more of layer one.
    const places: Readonly<Record<string, readonly number[]>> = { one: [0, 1, 2, 3, 6, 7], two: [4, 5] };
    for (const [layer, own] of Object.entries(places)) {
      const alignment = own.reduce((sum, p) => sum + (direction[p] ?? 0) * (delta[p] ?? 0), 0);
      const { value } = second.state.clients[x.id]?.alphas[layer] ?? { value: Number.NaN };
      expect(value).toBeCloseTo(0.2 - 0.01 * (-alignment + 1e-4 * 0.2), 6);
    }
    const values = Object.values(second.state.clients[x.id]?.alphas ?? {}).map(({ value }) => value);
    const mean = second.diagnostics.hyperWeights?.encoderAlpha[x.id];
    expect(mean).toBeCloseTo(((values[0] ?? 0) + (values[1] ?? 0)) / 2, 12);
  });

  test("refuses an α for each layer from sketches, which do not tell layers apart", () => {
    expect(() => createStrategy("fedhca2", { alphaPer: "layer", weights: "sketch" })).toThrow(
      expect.objectContaining({ code: "INVALID_CONFIG", message: expect.stringContaining('expected "exact"') }),
    );
  });
});

/** An encoder whose first layer goes on after the second. */
function twoLayers(id: string): ClientSpec {
  const slot = (name: string, size: number, layer: string): ParamSlotSpec => ({
    name: `encoder.${name}`,
    shape: [size],
    layer: `encoder.${layer}`,
    role: { kind: "encoder" },
  });
  const { tasks } = A;
  const slots = [slot("one.weight", 4, "one"), slot("two.weight", 2, "two"), slot("one.late", 2, "one")];
  const decoders = A.layout.slots.filter(({ role }) => role.kind === "decoder");
  return { id: parseClientId(id), domain: id, tasks, layout: createLayout([...slots, ...decoders]) };
}
