import { describe, expect, test } from "vitest";
import { describeOptions } from "./options.js";
import { createStrategy, STRATEGIES } from "./registry.js";
import { PLAIN_ASSIGNMENT } from "./strategy.js";
import { specOf } from "./testing/federation.js";

const ANYBODY = specOf({ id: "a", domain: "garments", tasks: ["semseg", "edge"] });

test("knows the strategies of the field by the names that the field uses, in kebab case", () => {
  const names = Object.keys(STRATEGIES);
  const field = [
    "local",
    "fedavg",
    "fedprox",
    "fedper",
    "fedrep",
    "ditto",
    "fedamp",
    "mat-fl",
    "fedmtl",
    "pcgrad",
    "cagrad",
    "fedhca2",
  ];
  expect(names).toEqual(expect.arrayContaining(field));
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
});

test.each(Object.entries(STRATEGIES))(
  "%s: its defaults are valid options and its name is its own",
  (name, definition) => {
    expect(createStrategy(name, definition.defaults).name).toBe(name);
    expect(definition.summary.length).toBeGreaterThan(10);
    expect(definition.source.length).toBeGreaterThan(5);
  },
);

test("only pooled trains on everybody's data", () => {
  const pooled = Object.keys(STRATEGIES).filter((name) => createStrategy(name).training === "pooled");
  expect(pooled).toEqual(["pooled"]);
});

test("refuses an unknown strategy, lists the known ones and suggests the nearest", () => {
  expect(() => createStrategy("FedHCA")).toThrow(
    expect.objectContaining({
      code: "UNKNOWN_STRATEGY",
      message: expect.stringMatching(
        /one of local, .*fedavg, .*fedhca2, .*; received "FedHCA"; did you mean "fedhca2"\?$/,
      ),
    }),
  );
  expect(() => createStrategy("toString")).toThrow(expect.objectContaining({ code: "UNKNOWN_STRATEGY" }));
});

describe("options", () => {
  test.each([
    [
      "fedhca2",
      { hyperOptimizer: { learningRate: -0.01 } },
      "fedhca2.hyperOptimizer.learningRate: expected a number, 0 or more, received -0.01",
    ],
    [
      "fedhca2",
      { hyperOptimizer: { momentum: 1 } },
      "fedhca2.hyperOptimizer.momentum: expected a number, 0 or more and less than 1, received 1",
    ],
    ["fedhca2", { hyperOptimizer: 3 }, "fedhca2.hyperOptimizer: expected options by name, received 3"],
    ["fedhca2", { conflictRadius: Number.NaN }, "fedhca2.conflictRadius: expected a number, 0 or more, received NaN"],
    [
      "fedhca2",
      { encoderAlpha: 1.1 },
      "fedhca2.encoderAlpha: expected a number, 0 or more and 1 or less, received 1.1",
    ],
    [
      "fedhca2",
      { decoderBeta: "0.1" },
      'fedhca2.decoderBeta: expected a number, 0 or more and 1 or less, received "0.1"',
    ],
    ["fedhca2", { attention: "mean" }, 'fedhca2.attention: expected one of "dot", "cosine", received "mean"'],
    ["fedhca2", { temperature: 0 }, "fedhca2.temperature: expected a number, more than 0, received 0"],
    ["fedhca2", { encoderPart: "yes" }, 'fedhca2.encoderPart: expected true or false, received "yes"'],
    ["fedhca2", { constructor: 1 }, "fedhca2.constructor: expected one of the options conflictRadius, "],
    ["fedavg", { share: null }, 'fedavg.share: expected one of "encoder", "all", received null'],
    ["fedavg", { shared: "all" }, "fedavg.shared: expected one of the options share, decoders"],
    ["fedavg-all", { share: "encoder" }, "fedavg-all.share: expected one of the options decoders"],
    ["fedprox", { proximalWeight: -1 }, "fedprox.proximalWeight: expected a number, 0 or more, received -1"],
    ["fedrep", { decoderShare: 1 }, "fedrep.decoderShare: expected a number, more than 0 and less than 1, received 1"],
    ["self-extrapolation", { alpha: -1 }, "self-extrapolation.alpha: expected a number, 0 or more, received -1"],
    ["local", { alpha: 1 }, 'local.alpha: expected one of the options surgery, received "alpha"'],
    ["local", { surgery: true }, 'local.surgery: expected one of "none", "pcgrad", "cagrad", received true'],
    ["fedrep", { decoderShare: 1 }, "fedrep.decoderShare: expected a number, more than 0 and less than 1, received 1"],
    ["ditto", { proximalWeight: "1" }, 'ditto.proximalWeight: expected a number, 0 or more, received "1"'],
    ["pcgrad", { share: "all" }, 'pcgrad.share: expected one of "encoder", "none", received "all"'],
    ["cagrad", { conflictRadius: -1 }, "cagrad.conflictRadius: expected a number, 0 or more, received -1"],
    ["cagrad", { surgery: "pcgrad" }, "cagrad.surgery: expected one of the options conflictRadius, share"],
    ["pooled", [], "pooled: expected options by name, received []"],
  ])("%s refuses %o", (name, options, message) => {
    expect(() => createStrategy(name, options)).toThrow(
      expect.objectContaining({
        code: "INVALID_CONFIG",
        message: expect.stringContaining(`strategy option ${message}`),
      }),
    );
  });

  test("a nested option keeps the defaults of its neighbors", () => {
    expect(() => createStrategy("fedhca2", { hyperOptimizer: { learningRate: 1 } })).not.toThrow();
    expect(STRATEGIES.fedhca2?.defaults).toMatchObject({
      conflictRadius: 0.4,
      encoderAlpha: 0.1,
      decoderBeta: 0.1,
      attention: "dot",
      learnHyperWeights: true,
      projectHyperWeights: false,
      hyperOptimizer: { learningRate: 0.01, momentum: 0.9, weightDecay: 1e-4 },
    });
  });
});

test("every strategy but those that are surgery takes the option, and asks clients for what it did without", () => {
  for (const [name, { options }] of Object.entries(STRATEGIES)) {
    const isSurgery = name === "pcgrad" || name === "cagrad";
    expect("surgery" in options).toBe(!isSurgery);
    if (isSurgery) continue;
    const assignmentWith = (given: object) => {
      const strategy = createStrategy(name, given);
      return strategy.assignment(strategy.init([ANYBODY]), ANYBODY);
    };
    expect(assignmentWith({ surgery: "none" })).toEqual(assignmentWith({}));
    const surgery = { kind: "cagrad", conflictRadius: 0.4 };
    expect(assignmentWith({ surgery: "cagrad" })).toEqual({ ...assignmentWith({}), surgery });
  }
});

test("pcgrad and cagrad share the encoder as fedavg, or nothing", () => {
  for (const name of ["pcgrad", "cagrad"]) {
    const surgery = name === "pcgrad" ? { kind: name } : { kind: name, conflictRadius: 0.4 };
    for (const share of ["encoder", "none"]) {
      expect(createStrategy(name, { share }).assignment(null, ANYBODY)).toEqual({ ...PLAIN_ASSIGNMENT, surgery });
    }
  }
});

test("options are told by their path, and a later layer overrides an earlier one option by option", () => {
  expect(describeOptions({ a: 1, deep: { b: 2, c: "x" } }, { deep: { b: 3 } })).toBe("a 1, deep.b 3, deep.c x");
  expect(describeOptions({})).toBe("");
});
