import { PLAIN_ASSIGNMENT } from "@kumiai/algorithms";
import { createRng } from "@kumiai/params";
import { expect, test } from "vitest";
import { planPhases, planSteps, planTurns, stepsPerRound } from "./plan.js";
import { tinyScenario } from "./testing/tiny.js";

const { training } = tinyScenario();
const input = { training: { ...training, localEpochs: 2 }, round: 1, exampleCount: 10, rng: createRng(1) };

test("every pass sees every example, and the last batch is filled up with the first ones of the pass", () => {
  const { order, learningRates } = planSteps(input);
  expect(stepsPerRound(input.training, 10)).toBe(6);
  expect(learningRates).toHaveLength(6);
  expect(order).toHaveLength(24);
  for (const pass of [order.slice(0, 12), order.slice(12)]) {
    expect([...pass.slice(0, 10)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(pass.slice(10)).toEqual(pass.slice(0, 2));
  }
  expect(order.slice(0, 12)).not.toEqual(order.slice(12));
});

test("fewer examples than a batch repeat until it is full", () => {
  const { order } = planSteps({ ...input, exampleCount: 3, training: { ...training, batchSize: 8 } });
  expect(order).toHaveLength(8);
  expect(new Set(order)).toEqual(new Set([0, 1, 2]));
});

test("the same stream gives the same plan", () => {
  expect(planSteps({ ...input, rng: createRng(1) })).toEqual(planSteps({ ...input, rng: createRng(1) }));
});

test("the learning rate rises over the warm-up rounds, then falls along half a cosine to 1e-12", () => {
  const schedule = { ...training, rounds: 4, warmupRounds: 1, localEpochs: 1, batchSize: 5 };
  const rates = [1, 2, 3, 4].flatMap((round) => [...planSteps({ ...input, training: schedule, round }).learningRates]);
  const peak = training.optimizer.learningRate;
  const cosine = [0, 1, 2, 3, 4, 5].map((step) => (peak / 2) * (1 + Math.cos((Math.PI * step) / 6)));
  [peak / 2, peak, ...cosine].forEach((rate, step) => {
    expect(Math.abs((rates[step] ?? 0) - rate)).toBeLessThan(1e-12);
  });
});

test("each member takes as many turns as it has steps, in a random order", () => {
  const turns = planTurns([3, 1, 5], createRng(2));
  expect([0, 1, 2].map((member) => turns.filter((turn) => turn === member).length)).toEqual([3, 1, 5]);
  expect([...turns]).not.toEqual([0, 0, 0, 1, 2, 2, 2, 2, 2]);
});

test("phases end at their shares in whole steps, have a step each and freeze what the assignment freezes too", () => {
  const phases = [
    { stepShare: 0.7, frozen: ["encoder"] },
    { stepShare: 0.3, frozen: ["decoder", "head"] },
  ] as const;
  const countsOf = (steps: number) => planPhases({ ...PLAIN_ASSIGNMENT, phases }, steps).map((one) => one.stepCount);
  expect([10, 5, 3, 2].map(countsOf)).toEqual([
    [7, 3],
    [4, 1],
    [2, 1],
    [1, 1],
  ]);
  expect(planPhases({ ...PLAIN_ASSIGNMENT, frozen: ["head"], phases }, 10).map(({ frozen }) => frozen)).toEqual([
    ["head", "encoder"],
    ["head", "decoder"],
  ]);
  expect(planPhases({ ...PLAIN_ASSIGNMENT, frozen: ["head"] }, 4)).toEqual([{ stepCount: 4, frozen: ["head"] }]);
});

test.each([
  [[0.5, 0.5], 1, "expected a local step or more for each of the 2 phases of a round, received 1"],
  [[0.5, 0.6], 10, "step shares above 0 that sum to 1, received 0.5, 0.6"],
  [[1, 0], 10, "step shares above 0 that sum to 1, received 1, 0"],
])("INVALID_CONFIG for shares %o over %i steps", (shares, steps, message) => {
  const phases = shares.map((stepShare) => ({ stepShare, frozen: [] }));
  expect(() => planPhases({ ...PLAIN_ASSIGNMENT, phases }, steps)).toThrow(
    expect.objectContaining({ code: "INVALID_CONFIG", message: expect.stringContaining(message) }),
  );
});
