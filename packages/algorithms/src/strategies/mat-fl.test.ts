import { expect, test } from "vitest";
import { createStrategy } from "../registry.js";
import type { ClientSpec } from "../strategy.js";
import { encoderOf, maxDifference, paramsFor, specOf, updateOf, updatesOf } from "../testing/federation.js";
import { mixingOf, roundOfLevels } from "../testing/levels.js";

const spec = (id: string): ClientSpec => specOf({ id });
/** The encoder has two tensors in one layer: 6 numbers from 0 on, 2 from 8 on. */
function update(client: ClientSpec, direction: (i: number) => number) {
  const base = new Float32Array(client.layout.size);
  return updateOf(
    client,
    base,
    base.map((_, i) => direction(i)),
  );
}

test("by hand: updates up, up, down and down make two groups, whatever their lengths; each gets the group's plain mean", () => {
  const { encoders, output } = roundOfLevels("mat-fl", {}, [1, -4, 3, -2]);
  expect(encoders).toEqual([2, -3, 2, -3]);
  expect(mixingOf(output, "c")).toEqual([0.5, 0, 0.5, 0]);
});

test("one group is the plain mean, as many as clients leave everybody alone", () => {
  expect(roundOfLevels("mat-fl", { clusterCount: 1 }, [1, -4, 3, -2]).encoders).toEqual([-0.5, -0.5, -0.5, -0.5]);
  expect(roundOfLevels("mat-fl", { clusterCount: 4 }, [1, -4, 3, -2]).encoders).toEqual([1, -4, 3, -2]);
});

test("similarity params: who stands near counts, not who moved alike, as in the authors' program", () => {
  // All move up; around their mean 4, three are below and one far above.
  expect(roundOfLevels("mat-fl", { similarity: "params" }, [1, 2, 3, 10]).encoders).toEqual([2, 2, 2, 10]);
});

test("by hand, soft: cosines 1, 0 and −1 give own, a half and nothing; the threshold lets neighbors in", () => {
  const clients = ["a", "b", "c"].map(spec);
  const [a, b, c] = clients as [ClientSpec, ClientSpec, ClientSpec];
  const axis = (which: number, sign: number) => (i: number) => (i % 2 === which ? sign : 0);
  const updates = [update(a, axis(0, 1)), update(b, axis(1, 1)), update(c, axis(0, -1))];
  const weightsOf = (threshold: number, id: string): readonly number[] => {
    const strategy = createStrategy("mat-fl", { grouping: "soft", threshold });
    return mixingOf(strategy.aggregate(null, { round: 1, clients, updates }), id);
  };
  expect(weightsOf(0, "a")).toEqual([1, 0, 0]);
  expect(weightsOf(1, "a")).toEqual([2 / 3, 1 / 3, 0]);
  expect(weightsOf(1, "b")).toEqual([1 / 4, 1 / 2, 1 / 4]);
  expect(weightsOf(-1, "b")).toEqual([0, 1, 0]);
});

test("layers count alike, however long their updates are: a cosine of −1 in the larger layer outweighs none in the smaller", () => {
  const clients = ["a", "b", "c"].map(spec);
  const updates = updatesOf(clients, 3);
  const output = createStrategy("mat-fl").aggregate(null, { round: 1, clients, updates });
  const encoders = clients.map((client) => encoderOf(client, paramsFor(output, client)));
  // Two of the three are together, to the bit, and the third kept its own.
  const own = clients.map((client, i) => encoderOf(client, updates[i]?.local ?? new Float32Array()));
  const alone = encoders.findIndex((encoder, i) => maxDifference(encoder, own[i] ?? []) === 0);
  const [first, second] = encoders.filter((_, i) => i !== alone);
  expect(alone).toBeGreaterThanOrEqual(0);
  expect(first).toEqual(second);
});
