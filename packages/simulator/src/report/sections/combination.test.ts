import { expect, test } from "vitest";
import type { ComparisonResult, RoundRecord, StrategyResult } from "../../result.js";
import { syntheticResult } from "../testing/synthetic-result.js";
import { makeView } from "../view.js";
import { combinationSection } from "./combination.js";

/** The records of `name` with what `more` makes of each round from 1 on. */
function withRecords(result: ComparisonResult, name: string, more: (round: number) => Partial<RoundRecord>) {
  const strategy = result.strategies[name] as StrategyResult;
  const perSeed = Object.fromEntries(
    Object.entries(strategy.perSeed).map(([seed, one]) => [
      seed,
      {
        ...one,
        rounds: one.rounds.map((record) => (record.round === 0 ? record : { ...record, ...more(record.round) })),
      },
    ]),
  );
  return { ...result, strategies: { ...result.strategies, [name]: { ...strategy, perSeed } } };
}

const sectionOf = (result: ComparisonResult) => combinationSection(makeView({ result, pictures: [] }))?.text ?? null;
const plain = syntheticResult({ seeds: [1, 2], gains: { local: 0, fedavg: 1, fedamp: 2, krum: 3 } });

test("there is no such chapter where no strategy says how it combined", () => {
  expect(sectionOf(plain)).toBeNull();
});

test("mixtures are means over the rounds in which both were present, with who received in the rows", () => {
  const text = sectionOf(
    withRecords(plain, "fedamp", (round) => ({
      encoderMixing:
        round % 2 === 1
          ? {
              clients: ["plant-a", "plant-b"],
              values: [
                [0.5, 0.5],
                [0, 1],
              ],
            }
          : { clients: ["plant-a"], values: [[1]] },
    })),
  );
  const cells = [...(text ?? "").matchAll(/<tr><th scope="row">\d (plant-[ab])<\/th>(.*?)<\/tr>/g)].map(
    ([, id, row = ""]) => [id, ...[...row.matchAll(/<td[^>]*>([^<]*)</g)].slice(0, 2).map(([, value]) => value)],
  );
  // 13 odd rounds of 25 with 0.5, 12 even ones with 1.
  expect(cells).toEqual([
    ["plant-a", "0.74", "0.50"],
    ["plant-b", "0.00", "1.00"],
  ]);
});

test("robust rules tell the sites of their groups, how many may send anything, and whom krum took how often", () => {
  const text = sectionOf(
    withRecords(plain, "krum", (round) => ({
      robustness: [
        {
          rule: "krum",
          clients: ["plant-a", "plant-b", "plant-c"].slice(0, round === 1 ? 2 : 3) as never,
          tolerated: round === 1 ? 0 : 1,
          selected: [round <= 5 ? "plant-a" : "plant-c"] as never,
        },
      ],
    })),
  );
  expect(text).toContain(
    '<td class="text">krum</td><td>2 to 3</td><td>0 to 1</td><td class="text">plant-a 20\u00a0%, plant-c 80\u00a0%</td>',
  );
});
