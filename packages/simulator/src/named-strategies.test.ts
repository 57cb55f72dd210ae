import { expect, test } from "vitest";
import { parseScenario } from "./config/parse.js";
import { resolveStrategies } from "./named-strategies.js";

const scenario = parseScenario(
  `name: x
strategies:
  constructor: { kind: fedhca2, hyperOptimizer: { learningRate: 0.02 } }
clients:
  - { id: a, domain: garments, tasks: [edge] }
`,
  "x.yaml",
);

test("a summary names every option in force, nested ones by their path", () => {
  const [variant] = resolveStrategies(scenario, ["constructor"]);
  expect(variant?.config.kind).toBe("fedhca2");
  expect(variant?.summary).toMatch(/hyperOptimizer\.learningRate 0\.02, hyperOptimizer\.momentum [\d.]+/);
  expect(variant?.summary).not.toMatch(/[{}"]|\[object/);
});

test.each(["toString", "__proto__", "hasOwnProperty"])("%s, which every object inherits, is unknown", (name) => {
  expect(() => resolveStrategies(scenario, [name])).toThrow(
    expect.objectContaining({ code: "UNKNOWN_STRATEGY", message: expect.stringContaining(`received "${name}"; name`) }),
  );
});

test("an unknown name gets the nearest of the scenario's names and the registry's", () => {
  expect(() => resolveStrategies(scenario, ["construktor"])).toThrow(/did you mean "constructor"\?$/);
  expect(() => resolveStrategies(scenario, ["fedhca"])).toThrow(/did you mean "fedhca2"\?$/);
});
