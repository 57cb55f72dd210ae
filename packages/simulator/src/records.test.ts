import { parseClientId } from "@kumiai/params";
import { describe, expect, test } from "vitest";
import { fromTagged, toTagged } from "./kept-runs/tagged-json.js";
import { type RoundFacts, roundRecord } from "./records.js";
import type { RoundRecord } from "./result.js";
import { compareTiny, tinyScenario } from "./testing/tiny.js";

const A = parseClientId("line-a");
const B = parseClientId("line-b");

const FACTS: RoundFacts = {
  round: 1,
  roster: [A, B],
  trainings: new Map(),
  exchanged: null,
  metrics: null,
  seconds: 1,
};

/** A round whose strategy reported `more`. */
function recordOf(more: object): RoundRecord {
  const diagnostics = { updateNorms: {}, encoderCosines: { clients: [], values: [] }, ...more } as never;
  return roundRecord({ ...FACTS, exchanged: { diagnostics, bytes: new Map(), broadcastBytes: 0 } });
}

test("a mixture is told row by row: who got how much of whom", () => {
  const encoderMixing = { clients: [A, B], values: Float64Array.of(0.75, 0.25, 0, 1) };
  const record = recordOf({ encoderMixing });
  expect(record.encoderMixing).toEqual({
    clients: ["line-a", "line-b"],
    values: [
      [0.75, 0.25],
      [0, 1],
    ],
  });
  expect(fromTagged(JSON.parse(JSON.stringify(toTagged(record))))).toEqual(record);
});

test("a strategy that reports neither has neither key, and so has a round without an exchange", () => {
  for (const record of [recordOf({}), recordOf({ robustness: [] }), roundRecord(FACTS)]) {
    expect(record).not.toHaveProperty("encoderMixing");
    expect(record).not.toHaveProperty("robustness");
  }
});

describe("a comparison", () => {
  test("carries how encoders were mixed and what robust rules tolerated and chose", async () => {
    const clients = ["a", "b", "c"].map((id) => `  - { id: ${id}, domain: digits, tasks: [depth], trainCount: 4 }`);
    const scenario = tinyScenario({ clients: `clients:\n${clients.join("\n")}\n` });
    const { result } = await compareTiny({ scenario, strategies: ["fedamp", "krum", "fedavg"] });
    const roundsOf = (name: string) => (result.strategies[name]?.perSeed["1"]?.rounds ?? []).slice(1);
    for (const { encoderMixing } of roundsOf("fedamp")) {
      expect(encoderMixing?.clients).toEqual(["a", "b", "c"]);
      for (const row of encoderMixing?.values ?? []) expect(row.reduce((sum, value) => sum + value)).toBeCloseTo(1, 9);
    }
    for (const { robustness } of roundsOf("krum")) {
      expect(robustness).toEqual([
        {
          rule: "krum",
          clients: ["a", "b", "c"],
          tolerated: expect.any(Number),
          selected: [expect.stringMatching(/^[abc]$/)],
        },
      ]);
    }
    for (const record of roundsOf("fedavg")) expect(Object.keys(record)).not.toContain("robustness");
    expect([roundsOf("fedamp").length, roundsOf("krum").length, roundsOf("fedavg").length]).toEqual([2, 2, 2]);
  });
});
