/**
 * A round in this thread, on threads over shared memory, and over files: the same bits, for every strategy, over several rounds with
 * absences and a newcomer, whatever the number of threads. Models are long enough for several chunks.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openThreads, type PassThreads } from "@kumiai/kernels";
import {
  type ClientId,
  createLayout,
  createRng,
  type ParamSlotSpec,
  type ParamVector,
  parseClientId,
  parseTaskId,
  readParamsFile,
  slotView,
  writeParamsFile,
} from "@kumiai/params";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createStrategy, STRATEGIES } from "../registry.js";
import { StoredVector, storedVectorsOf } from "../state-vector.js";
import type { ClientSpec, ClientUpdate, RoundDiagnostics, Strategy } from "../strategy.js";
import { randomVector } from "../testing/federation.js";
import { createProbe } from "../testing/probe.js";
import type { FileClient } from "./client-files.js";
import { aggregateFiles } from "./in-files.js";
import { aggregateShared, sharedVector } from "./in-memory.js";

/** Three encoder tensors with a buffer between them, decoders of four, a head of an odd size. */
function clientOf(id: string, domain: string, tasks: readonly string[]): ClientSpec {
  const slots: ParamSlotSpec[] = [
    { name: "encoder.a.weight", shape: [301, 211], layer: "encoder.a", role: { kind: "encoder" } },
    { name: "encoder.a.mean", shape: [7], layer: "encoder.a", role: { kind: "buffer" } },
    { name: "encoder.a.bias", shape: [301], layer: "encoder.a", role: { kind: "encoder" } },
    { name: "encoder.b.weight", shape: [5_001], layer: "encoder.b", role: { kind: "encoder" } },
    ...tasks.flatMap((raw): ParamSlotSpec[] => {
      const task = parseTaskId(raw);
      const decoder = { kind: "decoder", task } as const;
      return [
        { name: `decoders.${raw}.up.weight`, shape: [33, 129], layer: `decoders.${raw}.up`, role: decoder },
        { name: `decoders.${raw}.up.bias`, shape: [33], layer: `decoders.${raw}.up`, role: decoder },
        { name: `decoders.${raw}.out.weight`, shape: [1027], layer: `decoders.${raw}.out`, role: decoder },
        { name: `decoders.${raw}.out.bias`, shape: [1], layer: `decoders.${raw}.out`, role: decoder },
        { name: `heads.${raw}.weight`, shape: [11], layer: `heads.${raw}`, role: { kind: "head", task } },
      ];
    }),
  ];
  return { id: parseClientId(id), domain, tasks: tasks.map(parseTaskId), layout: createLayout(slots) };
}

const CLIENTS = [
  clientOf("c", "streets", ["depth", "semseg"]),
  clientOf("a", "rooms", ["semseg"]),
  clientOf("b", "rooms", ["semseg"]),
  clientOf("d", "streets", ["edge"]),
];
const ROUNDS: readonly (readonly string[])[] = [
  ["a", "b", "c"],
  ["a", "c"],
  ["d", "b", "c"],
  ["a", "b", "c", "d"],
];

interface Played {
  readonly params: ReadonlyMap<ClientId, ParamVector>;
  readonly diagnostics: RoundDiagnostics;
  readonly stateVectors: readonly (readonly [string, number])[];
}

function sameBits(a: ParamVector, b: ParamVector | undefined): boolean {
  return b !== undefined && Buffer.from(a.slice().buffer).equals(Buffer.from(b.slice().buffer));
}

type Play = (strategy: Strategy) => Promise<readonly Played[]>;

/** Drawing numbers takes longer than all else here. */
const drawn = new Map<string, ParamVector>();

function draw(seed: string | number, spec: ClientSpec, scale: number): ParamVector {
  const key = `${seed}/${spec.id}`;
  const known = drawn.get(key) ?? randomVector(createRng(seed).split(spec.id), spec.layout.size, scale);
  drawn.set(key, known);
  return known;
}

function updatesFor(round: number, params: ReadonlyMap<ClientId, ParamVector>): readonly ClientUpdate[] {
  return CLIENTS.filter(({ id }) => ROUNDS[round]?.includes(id)).map((spec) => {
    const base = params.get(spec.id) ?? draw("start", spec, 1);
    const delta = draw(round, spec, 0.1);
    const local = sharedVector(base.length);
    for (let i = 0; i < base.length; i++) local[i] = (base[i] ?? 0) + (delta[i] ?? 0);
    const shared = sharedVector(base.length);
    shared.set(base);
    return { client: spec.id, base: shared, local, sampleCount: 10 + spec.id.charCodeAt(0) };
  });
}

const inThisThread: Play = async (strategy) => {
  let state = strategy.init(CLIENTS);
  const params = new Map<ClientId, ParamVector>();
  return ROUNDS.map((_, round) => {
    const output = strategy.aggregate(state, {
      round: round + 1,
      clients: CLIENTS,
      updates: updatesFor(round, params),
    });
    state = output.state;
    for (const [id, own] of output.params) params.set(id, own);
    return { params: output.params, diagnostics: output.diagnostics, stateVectors: [] };
  });
};

const onThreads =
  (threads: () => PassThreads): Play =>
  async (strategy) => {
    let state = strategy.init(CLIENTS);
    const params = new Map<ClientId, ParamVector>();
    const played: Played[] = [];
    for (const round of ROUNDS.keys()) {
      const input = { round: round + 1, clients: CLIENTS, updates: updatesFor(round, params) };
      const output = await aggregateShared(strategy, state, input, threads());
      state = output.state;
      for (const [id, own] of output.params) params.set(id, own);
      played.push({ params: output.params, diagnostics: output.diagnostics, stateVectors: [] });
    }
    return played;
  };

/** Writes what `updatesFor` draws; base and local have their tensors in different orders. */
const overFiles =
  (folder: () => string, threadCount: number): Play =>
  async (strategy) => {
    const dir = await mkdtemp(join(folder(), "run-"));
    let state: unknown = strategy.init(CLIENTS);
    let stateVectors: string | undefined;
    const params = new Map<ClientId, ParamVector>();
    const played: Played[] = [];
    for (const round of ROUNDS.keys()) {
      const updates = updatesFor(round, params);
      const clients: FileClient[] = [];
      for (const spec of CLIENTS) {
        const at = (stage: string): string => join(dir, `${spec.id}-${round}-${stage}.safetensors`);
        const update = updates.find(({ client }) => client === spec.id);
        if (update !== undefined) {
          const entries = (values: ParamVector) =>
            spec.layout.slots.map((slot) => ({
              name: `x.${slot.name}`,
              shape: slot.shape,
              values: slotView(values, slot),
            }));
          await writeParamsFile(at("base"), entries(update.base).reverse(), { metadata: { format: "pt" } });
          await writeParamsFile(at("local"), entries(update.local));
        }
        clients.push({
          spec,
          sampleCount: update?.sampleCount ?? 1,
          base: at("base"),
          local: update === undefined ? undefined : at("local"),
          out: at("out"),
          tensorOf: (slot) => `x.${slot}`,
        });
      }
      const nextStateVectors = join(dir, `state-${round}.safetensors`);
      const about = { strategy, state, stateVectors, nextStateVectors, round: round + 1, clients, threadCount };
      let now = 0;
      const result = await aggregateFiles(about, () => now++);
      state = result.state;
      if (result.wroteStateVectors) stateVectors = nextStateVectors;
      const output = new Map<ClientId, ParamVector>();
      for (const { spec, local, out } of clients) {
        if (local === undefined) continue;
        const file = await readParamsFile(out);
        expect(file.metadata).toEqual({ format: "pt" });
        const own = new Float32Array(spec.layout.size);
        for (const slot of spec.layout.slots) {
          slotView(own, slot).set(file.tensors.get(`x.${slot.name}`)?.values ?? []);
        }
        output.set(spec.id, own);
        params.set(spec.id, own);
      }
      const vectors = storedVectorsOf(state).map(({ name, length }) => [name, length] as const);
      played.push({ params: output, diagnostics: result.diagnostics, stateVectors: vectors });
    }
    return played;
  };

const OPTIONS: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = {
  cooperative: [
    {},
    { momentum: 0.5 },
    { momentum: 0.5, share: false },
    { decoders: "same-task", momentum: 0.5, encoderRule: "median" },
    { togetherRounds: 1 },
  ],
  "mat-fl": [{}, { grouping: "soft", similarity: "params" }],
  fedhca2: [
    {},
    { attention: "cosine" },
    { weights: "sketch", sketchSize: 256 },
    { decoderPart: false, encoderRule: "trimmed-mean" },
    { decoderPart: false, encoderRule: "pull", alphaPer: "layer" },
    { decoderPart: false, normalizeUpdates: true, alphaPer: "layer" },
    { encoderPart: false },
  ],
};
const AGGREGATE_AS_FEDAVG: readonly string[] = ["fedprox", "fedper", "fedrep", "ditto", "pcgrad", "cagrad"];
const CASES: readonly (readonly [string, Strategy])[] = [
  // Ablations are fedhca2 with options, which are all here; and some differ from fedavg in local training alone.
  ...Object.keys(STRATEGIES)
    .filter((name) => !name.startsWith("fedhca2-") && !AGGREGATE_AS_FEDAVG.includes(name))
    .flatMap((name) =>
      (OPTIONS[name] ?? [{}]).map(
        (options) => [`${name} ${JSON.stringify(options)}`, createStrategy(name, options)] as const,
      ),
    ),
  ["all that can be measured", createProbe()],
];

describe("the same bits", () => {
  let folder = "";
  const pools = new Map<number, PassThreads>();
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kumiai-rounds-"));
    for (const threadCount of [1, 3]) pools.set(threadCount, openThreads({ threadCount }));
  });
  afterAll(async () => {
    for (const pool of pools.values()) await pool[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  const pool = (threadCount: number) => (): PassThreads => {
    const found = pools.get(threadCount);
    if (found === undefined) throw new Error("no such pool");
    return found;
  };

  test.each(CASES)("%s: in this thread, on threads, and over files", async (_, strategy) => {
    const expected = await inThisThread(strategy);
    const both = [onThreads(pool(3)), overFiles(() => folder, 2)];
    const ways = ["fedhca2", "probe"].includes(strategy.name)
      ? [...both, onThreads(pool(1)), overFiles(() => folder, 1)]
      : both;
    for (const play of ways) {
      const played = await play(strategy);
      expect(played).toHaveLength(ROUNDS.length);
      played.forEach((output, round) => {
        expect(output.diagnostics).toEqual(expected[round]?.diagnostics);
        expect(new Set(output.params.keys())).toEqual(new Set(expected[round]?.params.keys()));
        for (const [id, own] of output.params) {
          expect(sameBits(own, expected[round]?.params.get(id)), `round ${round}, ${id}`).toBe(true);
        }
      });
    }
  });

  test("over files the state holds names only: Ũ of each client's last round, M_k of each decoder", async () => {
    const played = await overFiles(() => folder, 1)(createStrategy("fedhca2"));
    const names = played.map(({ stateVectors }) => stateVectors.map(([name]) => name).sort());
    expect(names[1]).toEqual([
      "attended/a/semseg",
      "attended/b/semseg",
      "attended/c/depth",
      "attended/c/semseg",
      "direction/1",
      "direction/2",
    ]);
    expect(names[3]).toHaveLength(6);
    expect(new StoredVector("a", 1)).toBeInstanceOf(StoredVector);
  });
});
