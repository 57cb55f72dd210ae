import { expect, test } from "vitest";
import { createStrategy } from "../registry.js";
import type { RoundTraffic } from "../strategy.js";
import { specOf, type TestClient, updatesOf } from "../testing/federation.js";

/** Each client has 8 numbers in its encoder and 9 in each decoder. */
function broadcastOf(
  strategy: string,
  clients: readonly TestClient[],
  options: unknown = {},
): RoundTraffic["broadcast"] {
  const specs = clients.map(specOf);
  const { init, aggregate } = createStrategy(strategy, options as Record<string, unknown>);
  return aggregate(init(specs), { round: 1, clients: specs, updates: updatesOf(specs, 1) }).traffic.broadcast;
}

const threeAlone = [
  { id: "a", tasks: ["edge"] },
  { id: "b", tasks: ["parts"] },
  { id: "c", tasks: ["edge", "depth"] },
];

test("the one encoder of fedavg goes out once for all", () => {
  expect(broadcastOf("fedavg", threeAlone)).toEqual({ encoder: 8, decoders: 0 });
});

test("of averaged decoders one a task goes out, and none where a task has one owner: it has the mean already", () => {
  expect(broadcastOf("fedavg-all", threeAlone)).toEqual({ encoder: 8, decoders: 9 });
});

test("of fedhca2 the common direction goes out once, and what each decoder takes in to its owner", () => {
  expect(broadcastOf("fedhca2", threeAlone)).toEqual({ encoder: 8, decoders: 4 * 9 });
});

test("clients of one group need the group's mean beside the direction", () => {
  const clients = [...threeAlone, { id: "d", tasks: ["edge"] }, { id: "e", tasks: ["edge"] }];
  expect(broadcastOf("fedhca2", clients)).toEqual({ encoder: 2 * 8, decoders: 6 * 9 });
  // Two clients, one group: two vectors either way.
  expect(broadcastOf("fedhca2", [{ id: "a" }, { id: "b" }]).encoder).toBe(2 * 8);
});

test("what a site can make alone is not sent", () => {
  expect(broadcastOf("local", threeAlone)).toEqual({ encoder: 0, decoders: 0 });
  expect(broadcastOf("self-extrapolation", threeAlone)).toEqual({ encoder: 0, decoders: 0 });
});
