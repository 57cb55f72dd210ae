import { KumiaiError } from "@kumiai/params";
import { expect, test } from "vitest";
import { BASELINE_STRATEGY } from "./compare.js";
import type { TrafficConfig } from "./config/traffic-schema.js";
import type { ComparisonEvent } from "./events.js";
import type { ComparisonResult } from "./result.js";
import { serializeResult, withoutTimes } from "./serialize.js";
import { compareTiny, tinyScenario } from "./testing/tiny.js";

test("one and two workers give the same bytes apart from times", async () => {
  const strategies = ["local", "ditto", "cagrad", "fedhca2", "pooled"];
  const one = await compareTiny({ strategies, threadCount: 1 });
  const two = await compareTiny({ strategies, threadCount: 2 });
  expect(one.ending).toEqual({ kind: "complete" });
  expect(two.ending).toEqual({ kind: "complete" });
  expect(withoutTimes(serializeResult(two.result))).toBe(withoutTimes(serializeResult(one.result)));
  expect(two.pictures).toEqual(one.pictures);
  checkShape(one.result, strategies);
  expect(one.pictures.map(({ client, task }) => `${client}/${task}`)).toEqual([
    "line-a/edge",
    "line-a/semseg",
    "line-b/depth",
    "line-b/semseg",
  ]);
  for (const { scenes } of one.pictures) {
    expect(scenes).toHaveLength(3);
    for (const { input, truth, predictions } of scenes) {
      expect(Object.keys(predictions).sort()).toEqual([...strategies].sort());
      for (const picture of [input, truth, ...Object.values(predictions)]) expect(picture).toHaveLength(3 * 32 * 32);
    }
  }
});

function checkShape(result: ComparisonResult, strategies: readonly string[]): void {
  expect(result.complete).toBe(true);
  expect(result.baseline).toBe(BASELINE_STRATEGY);
  expect(Object.keys(result.strategies)).toEqual(strategies);
  const local = result.strategies.local;
  expect(local?.relativeGainPercent).toBe(0);
  expect(local?.upBytes).toBe(0);
  const fedhca2 = result.strategies.fedhca2?.perSeed["1"];
  expect(fedhca2?.rounds.map(({ round }) => round)).toEqual([0, 1, 2]);
  expect(fedhca2?.rounds[0]?.clients["line-a"]?.metrics).toEqual(
    local?.perSeed["1"]?.rounds[0]?.clients["line-a"]?.metrics,
  );
  for (const record of fedhca2?.rounds.slice(1) ?? []) {
    expect(Object.keys(record.hyperWeights?.encoderAlpha ?? {})).toEqual(["line-a", "line-b"]);
    for (const client of Object.values(record.clients)) {
      expect(client.upBytes).toBeGreaterThan(0);
      expect(client.updateNorm?.encoder).toBeGreaterThan(0);
      expect(Object.values(client.trainLoss).every(Number.isFinite)).toBe(true);
    }
  }
}

test("a client that joins late or is absent neither trains nor receives, and is reported", async () => {
  const clients = `clients:
  - { id: steady, domain: garments, tasks: [normals], trainCount: 8 }
  - { id: late, domain: digits, tasks: [depth], trainCount: 8, joinsAtRound: 2 }
  - { id: away, domain: garments, tasks: [semseg], trainCount: 8, absentRounds: [2] }
`;
  const events: ComparisonEvent[] = [];
  const { result, ending } = await compareTiny({
    scenario: tinyScenario({ clients }),
    strategies: ["fedhca2", "pooled"],
    threadCount: 2,
    onEvent: (event) => events.push(event),
  });
  expect(ending).toEqual({ kind: "complete" });
  for (const strategy of ["fedhca2", "pooled"]) {
    const rounds = result.strategies[strategy]?.perSeed["1"]?.rounds ?? [];
    expect(rounds.map(({ clients }) => Object.keys(clients))).toEqual([
      ["steady", "away"],
      ["steady", "away"],
      ["steady", "late", "away"],
    ]);
    const second = rounds[2]?.clients;
    expect(second?.away).toMatchObject({ absent: true, trainLoss: {}, updateNorm: null, upBytes: 0, downBytes: 0 });
    expect(second?.late?.absent).toBe(false);
    expect(second?.away?.metrics).toEqual(rounds[1]?.clients.away?.metrics);
    expect(second?.steady?.metrics).not.toEqual(rounds[1]?.clients.steady?.metrics);
  }
  const last = events.at(-1)?.progress;
  expect(last?.finishedSteps).toBe(last?.totalSteps);
  expect(last).toMatchObject({ finishedRuns: 2, totalRuns: 2 });
});

test("with a single client the pooled reference is that client alone, to the bit", async () => {
  const clients = "clients:\n  - { id: only, domain: digits, tasks: [depth, semseg], trainCount: 10 }\n";
  const { result } = await compareTiny({ scenario: tinyScenario({ clients }), strategies: ["local", "pooled"] });
  const [local, pooled] = ["local", "pooled"].map((name) => result.strategies[name]?.perSeed["1"]);
  expect(pooled?.rounds.map((round) => round.clients.only?.metrics)).toEqual(
    local?.rounds.map((round) => round.clients.only?.metrics),
  );
});

test("ditto: copies trained without a pull score as local in every round, for absent and joining clients too; encoders go their own way", async () => {
  const clients = `clients:
  - { id: steady, domain: garments, tasks: [normals], trainCount: 8 }
  - { id: late, domain: digits, tasks: [depth], trainCount: 8, joinsAtRound: 2 }
  - { id: away, domain: garments, tasks: [semseg], trainCount: 8, absentRounds: [2] }
`;
  const strategies = { free: { kind: "ditto", options: { proximalWeight: 0 } } };
  const scenario = { ...tinyScenario({ clients }), strategies };
  const { result } = await compareTiny({ scenario, strategies: ["local", "free", "fedavg"] });
  const [local, free, fedavg] = ["local", "free", "fedavg"].map((name) => result.strategies[name]?.perSeed["1"]);
  const told = (seed: typeof local, key: "metrics" | "trainLoss" | "upBytes" | "updateNorm") =>
    seed?.rounds.map(({ clients }) => Object.values(clients).map((client) => client[key]));
  expect(told(free, "metrics")).toEqual(told(local, "metrics"));
  expect(told(free, "trainLoss")).toEqual(told(local, "trainLoss"));
  expect(free?.clients).toEqual(local?.clients);
  expect(told(fedavg, "metrics")).not.toEqual(told(local, "metrics"));
  expect(told(free, "upBytes")).toEqual(told(fedavg, "upBytes"));
  expect(told(free, "updateNorm")).toEqual(told(fedavg, "updateNorm"));
});

test("surgery: a site of one task trains plainly, one of several does not, whatever the strategy", async () => {
  const clients = `clients:
  - { id: single, domain: garments, tasks: [semseg], trainCount: 8 }
  - { id: double, domain: digits, tasks: [depth, semseg], trainCount: 8 }
`;
  const strategies = {
    alone: { kind: "pcgrad", options: { share: "none" } },
    option: { kind: "local", options: { surgery: "pcgrad" } },
    pool: { kind: "pooled", options: { surgery: "cagrad" } },
  };
  const scenario = { ...tinyScenario({ clients }), strategies };
  const names = ["local", "alone", "option", "pooled", "pool"];
  const { result, ending } = await compareTiny({ scenario, strategies: names });
  expect(ending).toEqual({ kind: "complete" });
  const [local, alone, option, pooled, pool] = names.map((name) => result.strategies[name]?.perSeed["1"]);
  const lossesOf = (seed: typeof local, client: string) =>
    seed?.rounds.map(({ clients }) => clients[client]?.trainLoss);
  expect(lossesOf(alone, "single")).toEqual(lossesOf(local, "single"));
  expect(lossesOf(alone, "double")).not.toEqual(lossesOf(local, "double"));
  expect(lossesOf(option, "double")).toEqual(lossesOf(alone, "double"));
  expect(option?.clients).toEqual(alone?.clients);
  expect(lossesOf(pool, "double")).not.toEqual(lossesOf(pooled, "double"));
});

test("a cancelled comparison keeps finished runs and says that it is not complete", async () => {
  const stop = new AbortController();
  const written: ComparisonResult[] = [];
  const { result, ending } = await compareTiny({
    strategies: ["local"],
    seeds: [1, 2, 3],
    signal: stop.signal,
    onRunFinished: (partial) => {
      written.push(partial);
    },
    onEvent: (event) => {
      if (event.type === "roundFinished" && event.seed === 2) stop.abort();
    },
  });
  expect(ending).toEqual({ kind: "cancelled" });
  expect(result.complete).toBe(false);
  expect(Object.keys(result.strategies.local?.perSeed ?? {})).toEqual(["1"]);
  expect(written).toHaveLength(1);
});

test("a run that diverges ends with a coded error that names strategy, seed, round and client", async () => {
  // With a learning rate of 10, a weight decay of 1 turns each weight into −9 times itself at every step.
  const { training, ...rest } = tinyScenario();
  const optimizer = { name: "sgd", learningRate: 10, weightDecay: 1, momentum: 0 } as const;
  const scenario = { ...rest, training: { ...training, optimizer, clipNorm: null, localEpochs: 20 } };
  const { ending } = await compareTiny({ scenario, strategies: ["local"] });
  if (ending.kind !== "failed" || !(ending.error instanceof KumiaiError)) throw new Error("the run did not diverge");
  expect(ending.error.code).toBe("TRAINING_DIVERGED");
  expect(ending.error.message).toMatch(/^strategy local, seed 1, round \d, client line-[ab]: /);
});

test("a strategy that nobody knows is refused before any work", async () => {
  await expect(compareTiny({ strategies: ["fedhca3"] })).rejects.toMatchObject({ code: "UNKNOWN_STRATEGY" });
});

test("a missing encoder file is refused before any work", async () => {
  const scenario = tinyScenario();
  const initFile = "/nowhere/encoder.safetensors";
  const model = { ...scenario.model, encoder: { ...scenario.model.encoder, initFile } };
  await expect(compareTiny({ scenario: { ...scenario, model } })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
});

test("traffic: f32 frames change no metric; int8 changes them, gives the same bytes on one and two workers, and moves a quarter", async () => {
  const traffic = (codec: "f32" | "int8"): TrafficConfig => {
    const direction =
      codec === "f32"
        ? { codec: { codec }, errorFeedback: false }
        : { codec: { codec, blockSize: 256, rounding: "stochastic" as const }, errorFeedback: true };
    return { upload: direction, download: { ...direction, reference: "auto" }, syncEveryRounds: 1 };
  };
  const strategies = {
    framed: { kind: "fedhca2", options: {}, traffic: traffic("f32") },
    small: { kind: "fedhca2", options: {}, traffic: traffic("int8") },
  };
  const scenario = { ...tinyScenario(), strategies };
  const run = (threadCount: number) =>
    compareTiny({ scenario, strategies: ["fedhca2", "framed", "small"], threadCount });
  const [{ result }, two] = [await run(1), await run(2)];
  expect(withoutTimes(serializeResult(two.result))).toBe(withoutTimes(serializeResult(result)));
  const { fedhca2, framed, small } = result.strategies;
  expect(framed?.perSeed["1"]?.clients).toEqual(fedhca2?.perSeed["1"]?.clients);
  expect(small?.perSeed["1"]?.clients).not.toEqual(fedhca2?.perSeed["1"]?.clients);
  expect(fedhca2?.trafficShare).toBeGreaterThan(0.9);
  expect(small?.trafficShare).toBeLessThan(0.28);
  expect(small?.summary).toMatch(/sent as int8 up, int8 down, every round$/);
  expect(fedhca2?.broadcastBytes).toBeLessThan(fedhca2?.downBytes ?? 0);
});

test("with an exchange in every second round nothing is sent in the first, and all train on from their own params", async () => {
  const direction = { codec: { codec: "f32" as const }, errorFeedback: false };
  const traffic = { upload: direction, download: { ...direction, reference: "auto" as const }, syncEveryRounds: 2 };
  const scenario = { ...tinyScenario(), traffic };
  const { result } = await compareTiny({ scenario, strategies: ["local", "fedavg"] });
  const [local, fedavg] = ["local", "fedavg"].map((name) => result.strategies[name]?.perSeed["1"]?.rounds ?? []);
  expect(fedavg?.[1]?.clients["line-a"]).toMatchObject({ upBytes: 0, downBytes: 0, updateNorm: null });
  expect(fedavg?.[1]?.clients["line-a"]?.metrics).toEqual(local?.[1]?.clients["line-a"]?.metrics);
  expect(fedavg?.[2]?.clients["line-a"]?.upBytes).toBeGreaterThan(0);
  // The update of two rounds of training is what local training moved in them.
  expect(fedavg?.[2]?.clients["line-a"]?.updateNorm).toEqual(local?.[2]?.clients["line-a"]?.updateNorm);
  expect(fedavg?.[2]?.clients["line-a"]?.metrics).not.toEqual(local?.[2]?.clients["line-a"]?.metrics);
});
