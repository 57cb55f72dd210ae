import type { RoundDiagnostics, TrafficRule } from "@kumiai/algorithms";
import { type ParamVector, slotsOfRole } from "@kumiai/params";
import type { SessionOptions } from "@kumiai/training";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Scenario } from "./config/scenario.js";
import { openData } from "./data/source.js";
import { createWorkerPool, type WorkerPool } from "./pool/pool.js";
import { measurePrivacy, watchUpdates } from "./privacy.js";
import type { ClientPrivacy } from "./result.js";
import { type ClientContext, prepareSeed, type SeedContext } from "./seed-context.js";
import { serializeResult, withoutTimes } from "./serialize.js";
import { compareTiny, TEST_CACHE_DIR, tinyScenario } from "./testing/tiny.js";

const SGD: SessionOptions["optimizer"] = { kind: "sgd" };
const TRAIN_COUNT = 16;
const TEST_COUNT = 24;
const what = "test";

const tiny = tinyScenario({
  clients: `clients: [{ id: site, domain: garments, tasks: [semseg], trainCount: ${TRAIN_COUNT} }]\n`,
});
const scenario: Scenario = {
  ...tiny,
  // Otherwise the loss of a batch is no mean over examples.
  training: { ...tiny.training, backgroundLossWeight: 1 },
  evaluation: { ...tiny.evaluation, testCount: TEST_COUNT },
};

let pool: WorkerPool;
let context: SeedContext;
let site: ClientContext;

beforeAll(async () => {
  pool = createWorkerPool({ threadCount: 1, clock: () => performance.now() });
  const data = await openData(scenario, { cacheDir: TEST_CACHE_DIR, dataDir: "data" });
  context = await prepareSeed({ scenario, seed: 1, pool, data, encoder: null });
  for (const client of context.clients.values()) site = client;
});
afterAll(() => pool[Symbol.asyncDispose]());

/** Steps, each on all of `rows`. */
async function train(rows: readonly number[], stepCount: number, optimizer = SGD, learningRate = 0.02) {
  const session = { batchSize: rows.length, optimizer };
  const order = Int32Array.from({ length: stepCount * rows.length }, (_, i) => rows[i % rows.length] as number);
  const plan = { order, learningRates: new Float64Array(stepCount).fill(learningRate) };
  const { model, trainKey: examples, initialParams: params } = site;
  const phases = [{ stepCount, frozen: [], optimizer: null }];
  const { result } = await pool.run(
    {
      kind: "train",
      model,
      session,
      examples,
      params,
      phases,
      plan,
      proximalWeight: 0,
      anchor: params,
      surgery: undefined,
    },
    { what },
  );
  return { params: result.params, loss: result.taskLosses[site.spec.tasks[0] as keyof typeof result.taskLosses] };
}

async function probe(rows: readonly number[], after: ParamVector | null) {
  const { model, trainKey: examples, initialParams: params, spec } = site;
  const slots = [...slotsOfRole(spec.layout, "encoder"), ...slotsOfRole(spec.layout, "decoder")];
  const alignWith = after && { update: after.map((value, i) => value - (params[i] as number)), ranges: slots };
  return (await pool.run({ kind: "probe", model, examples, rows, params, alignWith }, { what })).result;
}

async function attack(after: ParamVector, shared: TrafficRule, examples = 64): Promise<ClientPrivacy | undefined> {
  const { seen, see } = watchUpdates();
  const client = site.spec.id;
  const update = { client, base: site.initialParams, local: after, sampleCount: TRAIN_COUNT };
  see(1, [update], { shared } as RoundDiagnostics);
  const measured = await measurePrivacy({ context, pool, params: new Map([[client, after]]), seen, examples, what });
  return measured[client];
}

describe("probing single examples", () => {
  test("an SGD step on one example points along that example's own gradient step (cosine 1 within 1e-4), less along others'", async () => {
    const { alignments } = await probe([3, 4, 5], (await train([3], 1)).params);
    expect(alignments?.[0]).toBeGreaterThan(1 - 1e-4);
    for (const other of alignments?.slice(1) ?? []) expect(other).toBeLessThan(0.99);
  });

  test("losses average to the loss of their batch within 1e-5, and do not depend on what was probed before", async () => {
    const { losses, alignments } = await probe([0, 1, 2, 3], null);
    expect(alignments).toBeNull();
    const batch = await train([0, 1, 2, 3], 1);
    expect(Math.abs(losses.reduce((sum, loss) => sum + loss, 0) / 4 - (batch.loss ?? 0))).toBeLessThan(1e-5);
    expect((await probe([2], null)).losses[0]).toBe(losses[2]);
  });
});

describe("attacks on a site that trained long on few examples", () => {
  test("tell nearly all of its members by the model's loss, none before training; the update is attacked with the same candidates", async () => {
    const { params } = await train(site.labeledRows.train, 140, { kind: "adamw" }, 0.015);
    const privacy = await attack(params, { encoder: true, decoders: true });
    expect(privacy?.model?.advantagePercent).toBeGreaterThan(60);
    expect(privacy?.model?.interval95[0]).toBeGreaterThan(30);
    expect(privacy?.untrained?.interval95[0]).toBeLessThanOrEqual(0);
    const counts = { memberCount: TRAIN_COUNT, nonMemberCount: TEST_COUNT };
    expect(privacy?.firstUpdate).toMatchObject({ round: 1, lossDrop: counts, updateAlignment: counts });
    expect(privacy?.lastUpdate).toEqual(privacy?.firstUpdate);
  });

  test("see only the groups that were sent: other encoders with the same decoders leak otherwise, nothing sent is null", async () => {
    const { params } = await train(site.labeledRows.train, 10);
    const encoder = await attack(params, { encoder: true, decoders: false });
    const both = await attack(params, { encoder: true, decoders: true });
    expect(encoder?.firstUpdate?.lossDrop).not.toEqual(both?.firstUpdate?.lossDrop);
    expect(encoder?.model).toEqual(both?.model);
    const nothing = await attack(params, { encoder: false, decoders: false });
    expect(nothing).toMatchObject({ firstUpdate: null, lastUpdate: null, model: both?.model });
  });

  test("say nothing (null) with fewer than eight candidates a side", async () => {
    const privacy = await attack(site.initialParams, { encoder: true, decoders: true }, 7);
    expect(privacy).toEqual({
      firstUpdate: { round: 1, lossDrop: null, updateAlignment: null },
      lastUpdate: { round: 1, lossDrop: null, updateAlignment: null },
      model: null,
      untrained: null,
    });
  });
});

test("measuring changes no other byte of the result, nor do more workers; the last update is of the last round", async () => {
  const strategies = ["fedavg"];
  const plain = await compareTiny({ strategies });
  const attacked = await compareTiny({
    strategies,
    scenario: { ...tinyScenario(), privacy: { examples: 64 } },
    threadCount: 2,
  });
  const restOf = ({ result }: typeof plain) =>
    JSON.parse(withoutTimes(serializeResult(result)), (key, value: unknown) => (key === "privacy" ? undefined : value));
  expect(serializeResult(plain.result)).not.toContain("privacy");
  expect(restOf(attacked)).toEqual(restOf(plain));
  const privacy = attacked.result.strategies.fedavg?.perSeed["1"]?.privacy ?? {};
  expect(Object.keys(privacy)).toEqual(["line-a", "line-b"]);
  for (const client of Object.values(privacy)) {
    expect(client).toMatchObject({ firstUpdate: { round: 1 }, lastUpdate: { round: 2 } });
  }
});
