import { type Assignment, createStrategy, PLAIN_ASSIGNMENT } from "@kumiai/algorithms";
import { type ClientId, createRng, type ParamRoleKind, type ParamVector, slotsOfRole, slotView } from "@kumiai/params";
import { expect, test } from "vitest";
import { type LocalTrainer, siteTrainer } from "./round-training.js";
import { openTinySeed, type TinySeed } from "./testing/tiny.js";

const CLIENT = "line-b" as ClientId;

function trainerOf({ scenario, context, pool }: TinySeed): LocalTrainer {
  return siteTrainer({ scenario, context, pool, what: "test", signal: undefined, rng: createRng(context.seed) });
}

/** One round of one client from its first params. */
async function trainOnce(tiny: TinySeed, assignment: Assignment): Promise<ParamVector> {
  const params = new Map([[CLIENT, clientOfTiny(tiny).initialParams]]);
  const trained = await trainerOf(tiny).train({
    round: 1,
    params,
    assignmentOf: () => assignment,
    onTrained: () => undefined,
  });
  return trained.get(CLIENT)?.update.local ?? new Float32Array(0);
}

function clientOfTiny({ context }: TinySeed) {
  const client = context.clients.get(CLIENT);
  if (client === undefined) throw new Error("the tiny scenario has lost a client");
  return client;
}

function groupOf(tiny: TinySeed, params: ParamVector, kind: ParamRoleKind): readonly Float32Array[] {
  return slotsOfRole(clientOfTiny(tiny).spec.layout, kind).map((slot) => slotView(params, slot));
}

test("fedrep: the encoder stays in the first phase, decoders and heads stay in the second, to the bit", async () => {
  await using tiny = await openTinySeed();
  const fedrep = createStrategy("fedrep").assignment(null, clientOfTiny(tiny).spec);
  const [first, second] = fedrep.phases ?? [];
  if (first === undefined || second === undefined) throw new Error("fedrep has two phases");
  const stop = { ...second, frozen: ["encoder", "decoder", "head"] } as const;
  const start = clientOfTiny(tiny).initialParams;
  const half = await trainOnce(tiny, { ...fedrep, phases: [first, stop] });
  const whole = await trainOnce(tiny, fedrep);
  const group = (params: ParamVector, kind: ParamRoleKind) => groupOf(tiny, params, kind);
  expect(group(half, "encoder")).toEqual(group(start, "encoder"));
  expect(group(whole, "encoder")).not.toEqual(group(start, "encoder"));
  for (const kind of ["decoder", "head"] as const) {
    expect(group(half, kind)).not.toEqual(group(start, kind));
    expect(group(whole, kind)).toEqual(group(half, kind));
  }
});

test("one phase of all steps is plain training, to the bit", async () => {
  await using tiny = await openTinySeed();
  const plain = await trainOnce(tiny, PLAIN_ASSIGNMENT);
  expect(await trainOnce(tiny, { ...PLAIN_ASSIGNMENT, phases: [{ stepShare: 1, frozen: [] }] })).toEqual(plain);
});
