import { expect, test } from "vitest";

import { createStrategy } from "../registry.js";
import type { ClientSpec } from "../strategy.js";
import { encoderOf, maxDifference, paramsFor, specOf, updatesOf } from "../testing/federation.js";
import { attendAll } from "../testing/vectors.js";

/** Without Ũ a client's encoder step is that of its group; how far is it from the client's own? */
function stepsFromOwn(clients: readonly ClientSpec[]): readonly number[] {
  const strategy = createStrategy("fedhca2", { encoderAlpha: 0 });
  const updates = updatesOf(clients, 5);
  const output = strategy.aggregate(strategy.init(clients), { round: 1, clients, updates });
  return clients.map((client, i) =>
    maxDifference(
      encoderOf(client, paramsFor(output, client)),
      encoderOf(client, updates[i]?.local ?? new Float32Array()),
    ),
  );
}

test("clients of one domain and one task set share their step wherever they stand, in whatever order their tasks are", () => {
  const steps = stepsFromOwn([
    specOf({ id: "a", tasks: ["edge", "depth"] }),
    specOf({ id: "b", tasks: ["semseg"] }),
    specOf({ id: "c", tasks: ["depth", "edge"] }),
  ]);
  expect(steps[0]).toBeGreaterThan(0.1);
  expect(steps[1]).toBeLessThan(1e-6);
  expect(steps[2]).toBeGreaterThan(0.1);
});

test("another domain, one task less or another task is another group, to 1e-6", () => {
  const steps = stepsFromOwn([
    specOf({ id: "a", domain: "garments", tasks: ["edge", "depth"] }),
    specOf({ id: "b", domain: "digits", tasks: ["edge", "depth"] }),
    specOf({ id: "c", domain: "garments", tasks: ["edge"] }),
    specOf({ id: "d", domain: "garments", tasks: ["depth"] }),
  ]);
  for (const step of steps) expect(step).toBeLessThan(1e-6);
});

test("switching learning off in the middle of a run keeps the hyper-weights where they are", () => {
  const clients = [specOf({ id: "a" }), specOf({ id: "b" })];
  const learning = createStrategy("fedhca2");
  let state = learning.init(clients);
  let learned: unknown;
  for (const round of [1, 2]) {
    const output = learning.aggregate(state, { round, clients, updates: updatesOf(clients, round) });
    state = output.state;
    learned = output.diagnostics.hyperWeights;
  }
  const fixed = createStrategy("fedhca2", { learnHyperWeights: false });
  const output = fixed.aggregate(state, { round: 3, clients, updates: updatesOf(clients, 3) });
  expect(output.diagnostics.hyperWeights).toEqual(learned);
  expect(learned).not.toMatchObject({ encoderAlpha: { a: 0.1 } });
});

test("a client whose decoder changed its size during the run is LAYOUT_MISMATCH, when everybody's did", () => {
  const clients = [specOf({ id: "a" }), specOf({ id: "b" })];
  const smaller = clients.map((client) => ({
    ...client,
    layout: { ...client.layout, slots: client.layout.slots.filter(({ key }) => key !== "out.weight") },
  }));
  const strategy = createStrategy("fedhca2");
  const updates = updatesOf(clients, 1);
  const { state } = strategy.aggregate(strategy.init(clients), { round: 1, clients, updates });
  expect(() => strategy.aggregate(state, { round: 2, clients: smaller, updates })).toThrow(
    expect.objectContaining({ code: "LAYOUT_MISMATCH", details: { client: "a", expected: 9, received: 6 } }),
  );
});

test("cosine attention by hand: at temperature 1/2, orthogonal updates attend with softmax(2, 0), to 1e-6", () => {
  const deltas = [Float32Array.of(3, 0), Float32Array.of(0, 5)];
  const [first] = attendAll(deltas, [2], { attention: "cosine", temperature: 0.5 });
  const share = Math.exp(2) / (Math.exp(2) + 1);
  expect(first?.[0]).toBeCloseTo(3 * share, 6);
  expect(first?.[1]).toBeCloseTo(5 * (1 - share), 6);
});
