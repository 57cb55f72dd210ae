import { expect, test } from "vitest";
import { createStrategy } from "../registry.js";
import { specOf, updatesOf } from "../testing/federation.js";

test("fedper gives the bits of fedavg with its default, share: encoder, over rounds with an absence", () => {
  const clients = ["a", "b", "c"].map((id) => specOf({ id, tasks: ["semseg", "edge"] }));
  const [fedPer, fedAvg] = [createStrategy("fedper"), createStrategy("fedavg", { share: "encoder" })];
  for (let round = 1; round <= 3; round++) {
    const present = round === 2 ? clients.slice(1) : clients;
    const input = { round, clients, updates: updatesOf(present, `per/${round}`) };
    const [ours, theirs] = [fedPer.aggregate(null, input), fedAvg.aggregate(null, input)];
    expect(ours.params).toEqual(theirs.params);
    expect(ours.diagnostics).toEqual(theirs.diagnostics);
  }
  expect(fedPer.assignment(null, clients[0] as (typeof clients)[0])).toEqual(
    fedAvg.assignment(null, clients[0] as (typeof clients)[0]),
  );
});
