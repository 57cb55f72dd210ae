import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { KumiaiError } from "@kumiai/params";
import { describe, expect, test } from "vitest";
import { loadSweep, parseSweep } from "./load-sweep.js";

const BASE = {
  file: "/plants/base.yaml",
  text: `name: base
training: { rounds: 5, warmupRounds: 1 }
model: { encoder: { init: start.safetensors } }
clients:
  - { id: line-a, domain: garments, tasks: [edge], trainCount: 12 }
  - { id: line-b, domain: digits, tasks: [depth], trainCount: 10 }
`,
};

function sweepWith(rest: string, axis = "{ label: scenes, scale: log, path: 'clients[*].trainCount' }") {
  return parseSweep(
    `name: few
base: base.yaml
axis: ${axis}
strategies: [local, fedavg]
${rest}`,
    "few.yaml",
    BASE,
  );
}

function complaint(rest: string, axis?: string): string {
  try {
    sweepWith(rest, axis);
  } catch (error) {
    if (error instanceof KumiaiError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "none";
}

describe("parseSweep", () => {
  test("sets the axis' path and a degree's own values, each in a scenario of its own", () => {
    const sweep = sweepWith(`degrees:
  - { at: 1 }
  - { at: 10, label: ten, set: { training.rounds: 7, "clients[line-b].trainCount": 3 } }`);
    const [one, ten] = sweep.degrees;
    expect(one?.scenario.clients.map(({ trainCount }) => trainCount)).toEqual([1, 1]);
    expect(ten?.scenario.clients.map(({ trainCount }) => trainCount)).toEqual([10, 3]);
    expect([one?.scenario.training.rounds, ten?.scenario.training.rounds]).toEqual([5, 7]);
    expect([one?.label, ten?.label, ten?.folder, ten?.scenario.name]).toEqual(["1", "ten", "at-10", "few-10"]);
    expect(one?.scenario.model.encoder.initFile).toBe("/plants/start.safetensors");
  });

  test("replaces all clients, and then sets values of theirs", () => {
    const sweep = sweepWith(
      `degrees:
  - { at: as it is }
  - at: one site
    clients: [{ id: only, domain: digits, tasks: [edge], trainCount: 4 }]
    set: { "clients[only].trainCount": 5 }`,
      "{ label: sites }",
    );
    expect(sweep.degrees[0]?.scenario.clients).toHaveLength(2);
    expect(sweep.degrees[1]?.scenario.clients).toMatchObject([{ id: "only", trainCount: 5 }]);
    expect(sweep.degrees[1]?.folder).toBe("at-one-site");
  });

  test.each([
    [
      "degrees: [{ at: 1 }, { at: 2, set: { training.rouns: 3 } }]",
      'few.yaml:5:54: training.rouns: expected a known key, received "rouns"; did you mean "rounds"?',
    ],
    [
      "degrees:\n  - { at: 1 }\n  - { at: 2, set: { training.rounds: many } }",
      'few.yaml:7:38: training.rounds: expected a number, received "many"',
    ],
    [
      "degrees:\n  - { at: 1 }\n  - { at: 2, clients: [{ id: a, domain: digits, tasks: [edg] }] }",
      "few.yaml:7:57: clients[0].tasks[0]: expected one of",
    ],
    [
      "degrees: [{ at: 1 }, { at: 2, set: { trainin.rounds: 3 } }]",
      'few.yaml:5:54: trainin: expected a known key, received "trainin"; did you mean "training"?',
    ],
    ["degrees: [{ at: 1 }, { at: 0.5 }]", "few.yaml:5:28: degrees[1].at: expected more than 1"],
    ["degrees: [{ at: 0 }, { at: 1 }]", "few.yaml:5:17: degrees[0].at: expected a number above 0 (axis.scale is log)"],
    ["degrees: [{ at: 1 }, { at: two }]", "few.yaml:5:28: degrees[1].at: expected a number above 0"],
    ["degrees: [{ at: 1.5 }, { at: 2 }]", "few.yaml:5:17: clients[0].trainCount: expected a whole number"],
    ["degrees: [{ at: 1 }]", "few.yaml:5:10: degrees: expected a list of at least 2"],
    [
      'degrees: [{ at: 1 }, { at: 2, set: { "clients[line-c].trainCount": 3 } }]',
      "few.yaml:5:68: degrees[1].set.clients[line-c].trainCount: expected *, a number below 2 or an id of clients",
    ],
    ["degrees: [{ at: 1 }, { at: 2 }]\nseeds: [1, 2, 1]", "few.yaml:6:15: seeds[2]: expected each once, received 1"],
  ])("says where %s is wrong", (rest, expected) => {
    expect(complaint(rest)).toContain(expected);
  });

  test("refuses a path that the base cannot follow, degrees of one name, and strategies without local", () => {
    const degrees = "degrees: [{ at: 1 }, { at: 2 }]";
    expect(complaint(degrees, "{ label: x, path: 'name[*]' }")).toContain(
      "few.yaml:3:25: axis.path: expected a list at name",
    );
    expect(complaint("degrees: [{ at: a b }, { at: a-b }]", "{ label: x }")).toContain(
      "degrees[1].at: expected one that differs",
    );
    const text = `name: x\nbase: base.yaml\naxis: { label: x }\nstrategies: [fedavg, fedprox]\n${degrees}`;
    expect(() => parseSweep(text, "x.yaml", BASE)).toThrow(/x.yaml:4:13: strategies: expected "local" among them/);
    const slip = text.replace("x }", "x, path: 'clients[*].trainCount' }").replace("fedavg, fedprox", "local, fedagv");
    expect(() => parseSweep(slip, "x.yaml", BASE)).toThrow(/x.yaml:4:21: strategies\[1\]: .*did you mean "fedavg"/);
  });

  test("refuses degrees that are the same scenario, or would share a folder", () => {
    expect(complaint("degrees: [{ at: 1 }, { at: 2 }]", "{ label: x, scale: linear }")).toContain(
      "few.yaml:5:22: degrees[1]: expected a scenario that differs from that of degree 1",
    );
    expect(complaint("degrees: [{ at: A b }, { at: a/b }]", "{ label: x }")).toContain("in letters or digits");
    const { degrees } = sweepWith(
      "degrees: [{ at: -1, set: { training.rounds: 2 } }, { at: 1 }]",
      "{ label: x, scale: linear }",
    );
    expect(degrees.map(({ folder }) => folder)).toEqual(["at-minus-1", "at-1"]);
  });

  test("blames the base for what is wrong in the base", () => {
    const base = { ...BASE, text: BASE.text.replace("edge", "egde") };
    const text =
      "name: x\nbase: base.yaml\naxis: { label: x }\nstrategies: [local, fedavg]\ndegrees: [{ at: 1 }, { at: 2 }]";
    expect(() => parseSweep(text, "x.yaml", base)).toThrow(/^\/plants\/base.yaml:5:45: clients\[0\].tasks\[0\]/);
  });
});

const EXAMPLES = fileURLToPath(new URL("../../../../examples/sweeps/", import.meta.url));
test.each(readdirSync(EXAMPLES))("the example %s is a sweep whose degrees differ", async (file) => {
  const { degrees } = await loadSweep(`${EXAMPLES}${file}`);
  const meanings = degrees.map(({ scenario: { name: _name, ...meaning } }) => JSON.stringify(meaning));
  expect(new Set(meanings).size).toBe(degrees.length);
});
