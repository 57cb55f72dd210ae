import { type ClientSpec, type ClientUpdate, createStrategy, type Strategy } from "@kumiai/algorithms";
import { type ClientId, createLayout, createRng, parseClientId, parseTaskId, slotsOfRole } from "@kumiai/params";
import { expect, test } from "vitest";
import { parseScenario } from "../config/parse.js";
import type { TrafficConfig } from "../config/traffic-schema.js";
import { type Exchange, type Exchanged, openExchange, plainExchange } from "./exchange.js";
import { gatherSlots } from "./groups.js";

const task = parseTaskId("edge");
const ENCODER = 600;
const DECODER = 40;

function specOf(id: string): ClientSpec {
  const layout = createLayout([
    { name: "encoder.weight", shape: [ENCODER - 8], layer: "encoder", role: { kind: "encoder" } },
    { name: "encoder.mean", shape: [8], layer: "encoder", role: { kind: "buffer" } },
    { name: "encoder.bias", shape: [8], layer: "encoder", role: { kind: "encoder" } },
    { name: "decoders.edge.weight", shape: [DECODER], layer: "decoders.edge", role: { kind: "decoder", task } },
    { name: "heads.edge.weight", shape: [5], layer: "heads.edge", role: { kind: "head", task } },
  ]);
  return { id: parseClientId(id), domain: "garments", tasks: [task], layout };
}

const SPECS = ["a", "b", "c"].map(specOf);
const find = (id: ClientId): ClientSpec => SPECS.find((spec) => spec.id === id) ?? specOf(id);

/** Plays rounds of made-up training: each client moves by a direction of its own plus noise. */
function play(exchange: Exchange, strategy: Strategy, rounds: number, scale = 1e-2): readonly Exchanged[] {
  let state = strategy.init(SPECS);
  let params = new Map(SPECS.map(({ id, layout }) => [id, new Float32Array(layout.size).fill(0.1)]));
  return Array.from({ length: rounds }, (_, index) => {
    const round = index + 1;
    const updates = SPECS.map(({ id }): ClientUpdate => {
      const base = params.get(id) ?? new Float32Array(0);
      const own = createRng(id);
      const noise = createRng(round).split(id);
      return { client: id, base, local: base.map((x) => x + scale * (own.normal() + noise.normal())), sampleCount: 10 };
    });
    const exchanged = exchange.play({
      updates,
      specOf: find,
      aggregate: (seen) => strategy.aggregate(state, { round, clients: SPECS, updates: seen }),
      rng: createRng(9).split(round),
    });
    state = exchanged.output.state;
    params = new Map(exchanged.params as ReadonlyMap<ClientId, Float32Array<ArrayBuffer>>);
    return exchanged;
  });
}

const trafficOf = (yaml: string): TrafficConfig => {
  const clients = "clients: [{ id: a, domain: garments, tasks: [edge] }]";
  const { traffic } = parseScenario(`name: t\n${clients}\ntraffic:\n${yaml}`, "t.yaml");
  if (traffic === undefined) throw new Error("no traffic section");
  return traffic;
};

const INT8 = "  upload: { codec: int8 }\n  download: { codec: int8 }";
const SPARSE = "  upload: { codec: topk, share: 0.05 }\n  download: { codec: topk, share: 0.05 }";

const paramsOf = (exchanged: Exchanged | undefined, id: string) =>
  exchanged?.params.get(parseClientId(id)) ?? new Float32Array(0);
const encoderOf = (exchanged: Exchanged | undefined, id: string) =>
  gatherSlots(paramsOf(exchanged, id), slotsOfRole(specOf(id).layout, "encoder"));

for (const kind of ["fedavg", "fedavg-all", "fedhca2", "local", "self-extrapolation"]) {
  test(`${kind}: f32 both ways gives the params of no codec at all, to the bit; frames add 16 bytes a group`, () => {
    const plain = play(plainExchange(), createStrategy(kind, {}), 3).at(-1);
    const framed = play(openExchange(trafficOf("  upload: { codec: f32 }")), createStrategy(kind, {}), 3).at(-1);
    for (const { id } of SPECS) {
      expect(paramsOf(framed, id)).toEqual(paramsOf(plain, id));
      const { upBytes = 0 } = plain?.bytes.get(id) ?? {};
      const groups = upBytes === 0 ? 0 : upBytes > 4 * ENCODER ? 2 : 1;
      expect(framed?.bytes.get(id)).toEqual({ upBytes: upBytes + 16 * groups, downBytes: upBytes + 16 * groups });
    }
  });
}

test("int8 sends a quarter of the bytes; sites keep one encoder to the bit, within two steps (0.07/127) of plain fedavg", () => {
  const rounds = play(openExchange(trafficOf(INT8)), createStrategy("fedavg", {}), 6);
  // Three blocks of 256 for 600 numbers; down one byte more, which says what the difference is to.
  for (const { bytes } of rounds) {
    for (const traffic of bytes.values()) expect(traffic).toEqual({ upBytes: 16 + 612, downBytes: 17 + 612 });
  }
  const got = encoderOf(rounds.at(-1), "a");
  expect(encoderOf(rounds.at(-1), "b")).toEqual(got);
  const plain = encoderOf(play(plainExchange(), createStrategy("fedavg", {}), 6).at(-1), "a");
  const largest = Math.max(...got.map((x, i) => Math.abs(x - (plain[i] ?? Number.NaN))));
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThan((2 * 0.07) / 127);
});

test("what the strategy does not share, heads and running statistics stay as the client trained them, to the bit", () => {
  const strategy = createStrategy("fedavg", {});
  const before = new Map(SPECS.map(({ id, layout }) => [id, new Float32Array(layout.size)]));
  const updates = SPECS.map(({ id, layout }): ClientUpdate => {
    const rng = createRng(id);
    const local = Float32Array.from({ length: layout.size }, () => rng.normal());
    return { client: id, base: before.get(id) ?? local, local, sampleCount: 1 };
  });
  const { params } = openExchange(trafficOf(SPARSE)).play({
    updates,
    specOf: find,
    aggregate: (seen) => strategy.aggregate(null, { round: 1, clients: SPECS, updates: seen }),
    rng: createRng(1),
  });
  for (const { client, local } of updates) {
    const { layout } = find(client);
    const kept = ["decoder", "head", "buffer"] as const;
    for (const slot of kept.flatMap((kind) => slotsOfRole(layout, kind))) {
      const part = (vector?: Float32Array) => vector?.slice(slot.offset, slot.offset + slot.size);
      expect(part(params.get(client))).toEqual(part(local));
    }
  }
});

test("with error feedback a twentieth of the coordinates follows plain fedavg over 30 rounds; without, it falls behind twice as far", () => {
  const distanceOf = (yaml: string): number => {
    const truth = encoderOf(play(plainExchange(), createStrategy("fedavg", {}), 30).at(-1), "a");
    const got = encoderOf(play(openExchange(trafficOf(yaml)), createStrategy("fedavg", {}), 30).at(-1), "a");
    return Math.sqrt(got.reduce((sum, x, i) => sum + (x - (truth[i] ?? Number.NaN)) ** 2, 0));
  };
  const plain = "topk, share: 0.05, errorFeedback: false";
  const without = distanceOf(`  upload: { codec: ${plain} }\n  download: { codec: ${plain} }`);
  expect(2 * distanceOf(SPARSE)).toBeLessThan(without);
});

test("one letter to all takes a third of three, and the common direction of fedhca2 too", () => {
  const encoderFrame = 17 + 612;
  const fedavg = play(openExchange(trafficOf(INT8)), createStrategy("fedavg", {}), 1)[0];
  expect(fedavg?.broadcastBytes).toBe(encoderFrame);
  const alone = { ...createStrategy("fedhca2", { decoderPart: false }) };
  const specs = SPECS.map((spec, i) => ({ ...spec, domain: `domain-${i}` }));
  const updates = specs.map(({ id, layout }): ClientUpdate => {
    const rng = createRng(id);
    const base = new Float32Array(layout.size);
    return { client: id, base, local: base.map(() => rng.normal()), sampleCount: 1 };
  });
  const state = alone.init(specs);
  const fedhca2 = openExchange(trafficOf(INT8)).play({
    updates,
    specOf: find,
    aggregate: (seen) => alone.aggregate(state, { round: 1, clients: specs, updates: seen }),
    rng: createRng(1),
  });
  expect(fedhca2.broadcastBytes).toBe(encoderFrame);
  expect([...fedhca2.bytes.values()].map(({ downBytes }) => downBytes)).toEqual(Array(3).fill(encoderFrame));
});

test("a NaN is refused by the name of its client and group, and nothing of the round is kept", () => {
  const strategy = createStrategy("fedavg", {});
  const exchange = openExchange(trafficOf(INT8));
  play(exchange, strategy, 1);
  expect(() => play(exchange, strategy, 1, Number.NaN)).toThrow(
    expect.objectContaining({ code: "NON_FINITE", message: expect.stringMatching(/client a\b/) }),
  );
  expect(() => play(exchange, strategy, 1)).not.toThrow();
});
