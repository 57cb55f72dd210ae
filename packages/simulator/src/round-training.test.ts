import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Assignment, createStrategy, PLAIN_ASSIGNMENT } from "@kumiai/algorithms";
import { type ClientId, createRng, type ParamRoleKind, type ParamVector, slotsOfRole, slotView } from "@kumiai/params";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseScenario } from "./config/parse.js";
import type { Scenario } from "./config/scenario.js";
import { type LocalTrainer, siteTrainer } from "./round-training.js";
import { openTinySeed, type TinySeed, tinyScenario } from "./testing/tiny.js";

const CLIENT = "line-b" as ClientId;

let tiny: TinySeed;
beforeAll(async () => {
  tiny = await openTinySeed();
});
afterAll(() => tiny[Symbol.asyncDispose]());

function trainerOf(scenario: Scenario = tiny.scenario): LocalTrainer {
  const { context, pool } = tiny;
  return siteTrainer({ scenario, context, pool, what: "test", signal: undefined, rng: createRng(context.seed) });
}

/** One round of one client. */
async function trainRound(trainer: LocalTrainer, round: number, start: ParamVector, assignment: Assignment) {
  const params = new Map([[CLIENT, start]]);
  const trained = await trainer.train({
    round,
    params,
    received: params,
    assignmentOf: () => assignment,
    onTrained: () => undefined,
  });
  return trained.get(CLIENT)?.update.local ?? new Float32Array(0);
}

/** The first round of one client from its first params. */
function trainOnce(assignment: Assignment): Promise<ParamVector> {
  return trainRound(trainerOf(), 1, clientOfTiny().initialParams, assignment);
}

function clientOfTiny() {
  const client = tiny.context.clients.get(CLIENT);
  if (client === undefined) throw new Error("the tiny scenario has lost a client");
  return client;
}

function groupOf(params: ParamVector, kind: ParamRoleKind): readonly Float32Array[] {
  return slotsOfRole(clientOfTiny().spec.layout, kind).map((slot) => slotView(params, slot));
}

test("fedrep: the encoder stays in the first phase, decoders and heads stay in the second, to the bit", async () => {
  const fedrep = createStrategy("fedrep").assignment(null, clientOfTiny().spec);
  const [first, second] = fedrep.phases ?? [];
  if (first === undefined || second === undefined) throw new Error("fedrep has two phases");
  const stop = { ...second, frozen: [...second.frozen, "encoder"] } as const;
  const start = clientOfTiny().initialParams;
  const half = await trainOnce({ ...fedrep, phases: [first, stop] });
  const whole = await trainOnce(fedrep);
  expect(groupOf(half, "encoder")).toEqual(groupOf(start, "encoder"));
  expect(groupOf(whole, "encoder")).not.toEqual(groupOf(start, "encoder"));
  for (const kind of ["decoder", "head"] as const) {
    expect(groupOf(half, kind)).not.toEqual(groupOf(start, kind));
    expect(groupOf(whole, kind)).toEqual(groupOf(half, kind));
  }
});

test("one phase of all steps is plain training, to the bit", async () => {
  const plain = await trainOnce(PLAIN_ASSIGNMENT);
  expect(await trainOnce({ ...PLAIN_ASSIGNMENT, phases: [{ stepShare: 1, frozen: [] }] })).toEqual(plain);
});

test("ditto: the copy goes on from round to round whatever is received, and is trained as alone where λ is 0, to the bit", async () => {
  const start = clientOfTiny().initialParams;
  const received = start.map((value) => value / 2);
  const [alone, ditto, plain] = [trainerOf(), trainerOf(), trainerOf()];
  const first = await trainRound(alone, 1, start, PLAIN_ASSIGNMENT);
  const second = await trainRound(alone, 2, first, PLAIN_ASSIGNMENT);
  const assignment = { ...PLAIN_ASSIGNMENT, personal: { proximalWeight: 0 } };
  await trainRound(ditto, 1, start, assignment);
  expect(ditto.personal.get(CLIENT)).toEqual(first);
  const sent = await trainRound(ditto, 2, received, assignment);
  expect(ditto.personal.get(CLIENT)).toEqual(second);
  await trainRound(plain, 1, start, PLAIN_ASSIGNMENT);
  expect(sent).toEqual(await trainRound(plain, 2, received, PLAIN_ASSIGNMENT));
});

test("ditto: after a round of SGD with λ = 1/η a copy is three times nearer to what was received than without λ", async () => {
  const { training, ...rest } = tinyScenario();
  const learningRate = 0.05;
  const optimizer = { name: "sgd", learningRate, weightDecay: 0, momentum: 0 } as const;
  const scenario = { ...rest, training: { ...training, optimizer, clipNorm: null, localEpochs: 4 } };
  const start = clientOfTiny().initialParams;
  const distance = async (proximalWeight: number): Promise<number> => {
    const trainer = trainerOf(scenario);
    await trainRound(trainer, 1, start, { ...PLAIN_ASSIGNMENT, personal: { proximalWeight } });
    return distanceOf(start, trainer.personal.get(CLIENT) ?? start);
  };
  const [free, near] = [await distance(0), await distance(1 / learningRate)];
  expect(near).toBeGreaterThan(0);
  expect(near).toBeLessThan(free / 3);
});

/** Over encoder and decoders. */
function distanceOf(a: ParamVector, b: ParamVector): number {
  let sum = 0;
  for (const { role, offset, size } of clientOfTiny().spec.layout.slots) {
    if (role.kind !== "encoder" && role.kind !== "decoder") continue;
    for (let i = offset; i < offset + size; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  }
  return Math.sqrt(sum);
}

test("a site weighs by the windows that have a label, not by those that teach nothing", async () => {
  const dir = await mkdtemp(join(tmpdir(), "kumiai-labels-"));
  const rows = Array.from({ length: 160 }, (_, t) => `${t % 7},${t % 8 === 0 ? t : ""},${t % 8 === 4 ? t : ""},${t}`);
  await writeFile(join(dir, "a.csv"), `x,one,two,all\n${rows.join("\n")}\n`);
  const targets = "one: { kind: number }, two: { kind: number }, all: { kind: number }";
  const scenario = parseScenario(
    `name: sparse
data: { kind: csv, file: a.csv, targets: { ${targets} }, window: { length: 1, stride: 1 }, split: { blockLength: 8 } }
model: { stem: { width: 4 }, encoder: { channels: [4], kernel: 3 }, decoder: { width: 4 } }
training: { rounds: 1, localEpochs: 1, warmupRounds: 0 }
clients:
  - { id: sparse, tasks: [one, two] }
  - { id: dense, tasks: [one, all] }
`,
    join(dir, "own.yaml"),
  );
  await using seed = await openTinySeed(scenario);
  const { context, pool } = seed;
  const trainer = siteTrainer({ scenario, context, pool, what: "test", signal: undefined, rng: createRng(1) });
  const params = new Map([...context.clients].map(([id, { initialParams }]) => [id, initialParams]));
  const round = { round: 1, params, received: params, onTrained: () => undefined };
  const trained = await trainer.train({ ...round, assignmentOf: () => PLAIN_ASSIGNMENT });
  const counts = [...trained.values()].map(({ update }) => update.sampleCount);
  const windows = context.clients.get("dense" as ClientId)?.trainCount ?? 0;
  expect(counts).toEqual([windows / 4, windows]);
  await rm(dir, { recursive: true });
});
