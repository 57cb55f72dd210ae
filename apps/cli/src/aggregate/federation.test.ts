import { describe, expect, test } from "vitest";
import { loadFederation, parseFederation } from "./federation.js";

const GOOD = `
strategy:
  name: fedhca2
  conflictRadius: 0.4
  hyperOptimizer: { learningRate: 0.01, momentum: 0.9, weightDecay: 0.0001 }
clients:
  - { id: press-shop, dataset: pascal, tasks: [semseg] }
  - { id: paint-line, dataset: nyud, tasks: [semseg, depth], sampleCount: 795 }
`;

test("reads strategy, clients and roles; a sample count is 1 where there is none", () => {
  const { strategy, strategyName, strategyOptions, clients, roles } = parseFederation(GOOD, "f.yaml");
  expect([strategy.name, strategyName]).toEqual(["fedhca2", "fedhca2"]);
  expect(strategyOptions).toEqual({
    conflictRadius: 0.4,
    hyperOptimizer: { learningRate: 0.01, momentum: 0.9, weightDecay: 0.0001 },
  });
  expect(clients).toEqual([
    { id: "press-shop", dataset: "pascal", tasks: ["semseg"], sampleCount: 1 },
    { id: "paint-line", dataset: "nyud", tasks: ["semseg", "depth"], sampleCount: 795 },
  ]);
  expect(roles).toMatchObject({ encoder: ["backbone.*", "encoder.*"], stem: ["stem.*"] });
});

test("roles that are given replace their defaults, the others stay", () => {
  const { roles } = parseFederation(`${GOOD}roles: { encoder: ["model.*"], buffer: [] }\n`, "f.yaml");
  expect(roles).toMatchObject({ encoder: ["model.*"], buffer: [], decoder: ["decoders.<task>.*"] });
  expect(roles.stem, "the default of the stem yields to an encoder's own patterns").toEqual([]);
});

describe("complaints name file, line, path, what was expected, what came and what to do", () => {
  test.each([
    [
      "an unknown key",
      GOOD.replace("clients:", "client:"),
      "INVALID_CONFIG",
      /f\.yaml:6:1: client: .*did you mean "clients"/,
    ],
    [
      "an unknown key of a client",
      GOOD.replace("dataset: nyud", "dataSet: nyud"),
      "INVALID_CONFIG",
      /f\.yaml:8:23: .*did you mean "dataset"/,
    ],
    [
      "an unknown strategy",
      GOOD.replace("fedhca2", "fedhca"),
      "UNKNOWN_STRATEGY",
      /f\.yaml:3:9: .*did you mean "fedhca2"/,
    ],
    [
      "an unknown option",
      GOOD.replace("conflictRadius", "conflictRadus"),
      "INVALID_CONFIG",
      /f\.yaml:4:3: .*conflictRadus.*did you mean "conflictRadius"/,
    ],
    [
      "an unknown option within one",
      GOOD.replace("momentum", "momentun"),
      "INVALID_CONFIG",
      /f\.yaml:5:41: .*did you mean "momentum"/,
    ],
    [
      "an option out of its limits",
      GOOD.replace("0.4", "-1"),
      "INVALID_CONFIG",
      /f\.yaml:4:3: .*expected a number, 0 or more, received -1/,
    ],
    [
      "a strategy that only a comparison can run",
      GOOD.replace("name: fedhca2", "name: pooled").replace(/ {2}(conf|hyper).*\n/g, ""),
      "INVALID_CONFIG",
      /strategy\.name: .*received "pooled"/,
    ],
    [
      "an id twice",
      GOOD.replace("paint-line", "press-shop"),
      "INVALID_CONFIG",
      /f\.yaml:8:11: clients\[1\]\.id: .*clients\[0\]/,
    ],
    [
      "ids that some file systems do not tell apart",
      GOOD.replace("paint-line", "Press-Shop"),
      "INVALID_CONFIG",
      /clients\[1\]\.id/,
    ],
    ["an id that is no file name", GOOD.replace("paint-line", "../x"), "INVALID_ID", /f\.yaml:8:11: client id/],
    [
      "a task twice",
      GOOD.replace("[semseg, depth]", "[depth, depth]"),
      "INVALID_CONFIG",
      /clients\[1\]\.tasks\[1\]: expected each task once/,
    ],
    [
      "no tasks",
      GOOD.replace("[semseg]", "[]"),
      "INVALID_CONFIG",
      /clients\[0\]\.tasks: expected a list of at least 1/,
    ],
    [
      "no clients",
      GOOD.replace(/clients:[\s\S]*/, "clients: []\n"),
      "INVALID_CONFIG",
      /clients: expected a list of at least 1/,
    ],
    ["a sample count of 0", GOOD.replace("795", "0"), "INVALID_CONFIG", /clients\[1\]\.sampleCount/],
    [
      "a decoder's pattern without the task",
      `${GOOD}roles: { decoder: ["dec.*"] }\n`,
      "INVALID_CONFIG",
      /f\.yaml:9:20: roles\.decoder\[0\]: expected a pattern with <task> once/,
    ],
    [
      "an encoder's pattern with a task",
      `${GOOD}roles: { encoder: ["<task>.*"] }\n`,
      "INVALID_CONFIG",
      /roles\.encoder\[0\]: expected a pattern without <task>/,
    ],
    ["an empty file", "", "INVALID_CONFIG", /expected a map with "strategy" and "clients".*examples\/aggregate/],
  ])("%s", (_, text, code, message) => {
    expect(() => parseFederation(text, "f.yaml")).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test("a file that is not there, and a folder", async () => {
    await expect(loadFederation("no/such.yaml")).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(loadFederation(".")).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });
});
