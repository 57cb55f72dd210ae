import { parseTaskId } from "@kumiai/params";
import { beforeAll, describe, expect, test } from "vitest";
import type { ClientConfig, Scenario } from "../config/scenario.js";
import { configHashOf } from "../config-hash.js";
import { contentHash } from "../content-hash.js";
import type { Examples } from "../examples.js";
import { TEST_CACHE_DIR, tinyScenario } from "../testing/tiny.js";
import { type DataSource, openData } from "./source.js";

/** Two sites; what is given is added to the first. */
function scenarioWith(keys: string): Scenario {
  return tinyScenario({
    clients: `clients:
  - { id: line-a, domain: garments, tasks: [edge, semseg], trainCount: 12${keys} }
  - { id: line-b, domain: garments, tasks: [edge, semseg], trainCount: 12${keys} }
`,
  });
}

function clientOf(keys: string, index = 0): ClientConfig {
  const client = scenarioWith(keys).clients[index];
  if (client === undefined) throw new Error("two clients");
  return client;
}

let data: DataSource;
beforeAll(async () => {
  data = await openData(scenarioWith(""), { cacheDir: TEST_CACHE_DIR, dataDir: "data" });
});

const hashOf = ({ inputs, labels }: Examples): string =>
  contentHash({ inputs, ...Object.fromEntries(labels) }).slice(0, 16);

function bytesOf(keys: string, seed = 1): { readonly train: string; readonly test: string } {
  const { train, test } = data.examplesOf(clientOf(keys), seed);
  return { train: hashOf(train), test: hashOf(test) };
}

test("the bytes of a site without differences are what they always were", () => {
  expect(bytesOf("")).toMatchInlineSnapshot(`
    {
      "test": "44f2aeddf24978c1",
      "train": "8d5ed61d1984a63c",
    }
  `);
});

describe("keys that change nothing", () => {
  const neutral = ", classSkew: null, domainShift: 0, flipTasks: []";

  test("give the same bytes", () => {
    expect(bytesOf(neutral)).toEqual(bytesOf(""));
  });

  test("give the same scenario, so kept runs are found again", () => {
    const meaningOf = ({ where: _, ...meaning }: Scenario) => meaning;
    expect(meaningOf(scenarioWith(neutral))).toEqual(meaningOf(scenarioWith("")));
    expect(configHashOf(scenarioWith(neutral), null)).toBe(configHashOf(scenarioWith(""), null));
  });
});

describe.each(["classSkew: 0.3", "domainShift: 0.5", "flipTasks: [semseg]"])("%s", (key) => {
  const keys = `, ${key}`;

  test("changes training and test examples, the same way each time", () => {
    const [plain, other] = [bytesOf(""), bytesOf(keys)];
    expect(other.train).not.toBe(plain.train);
    expect(other.test).not.toBe(plain.test);
    expect(bytesOf(keys)).toEqual(other);
  });

  test("changes the scenario's hash, by which kept runs are found", () => {
    expect(configHashOf(scenarioWith(keys), null)).not.toBe(configHashOf(scenarioWith(""), null));
  });
});

test("classSkew: a site is tested on the classes that it trains on; another site and another seed have others", () => {
  const seen = (seed: number, index: number) => {
    const { train, test } = data.examplesOf(clientOf(", classSkew: 0.02", index), seed);
    return [train, test].map(({ labels }) => [...new Set(labels.get(parseTaskId("semseg")))].sort((a, b) => a - b));
  };
  const [trained, tested] = seen(1, 0);
  expect(trained).toEqual(tested);
  const sites = [seen(1, 0), seen(1, 1), seen(2, 0)].map(([classes]) => String(classes));
  expect(new Set(sites).size).toBe(3);
});

test("flipTasks: labels of the other task and pictures stay", () => {
  const [plain, flipped] = [clientOf(""), clientOf(", flipTasks: [semseg]")].map((c) => data.examplesOf(c, 1).train);
  expect(flipped?.inputs).toEqual(plain?.inputs);
  expect(flipped?.labels.get(parseTaskId("edge"))).toEqual(plain?.labels.get(parseTaskId("edge")));
});
