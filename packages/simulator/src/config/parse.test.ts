import { KumiaiError } from "@kumiai/params";
import { expect, test } from "vitest";
import { loadScenario, parseScenario } from "./parse.js";
import { hasJoined, isPresent } from "./scenario.js";

const SMALLEST = `name: two-sites
clients:
  - { id: line-a, domain: garments, tasks: [edge, semseg] }
  - { id: line-b, domain: digits, tasks: [depth, semseg], joinsAtRound: 3, absentRounds: [5, 6] }
`;

function refusalOf(text: string): { readonly code: string; readonly message: string } {
  try {
    parseScenario(text, "s.yaml");
  } catch (error) {
    if (error instanceof KumiaiError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("the scenario was accepted");
}

test("the smallest scenario gets every default", () => {
  const scenario = parseScenario(SMALLEST, "/somewhere/s.yaml");
  expect(scenario.model).toEqual({
    stem: { width: 16 },
    encoder: { channels: [16, 24, 32, 48], kernel: 5, norms: "shared", initFile: null },
    decoder: { width: 24 },
  });
  expect(scenario.training).toEqual({
    rounds: 25,
    localEpochs: 2,
    batchSize: 8,
    optimizer: { name: "adamw", learningRate: 0.003, weightDecay: 0.0001 },
    warmupRounds: 3,
    schedule: "cosine",
    clipNorm: 1,
    optimizerState: "keep",
    backgroundLossWeight: 0.2,
    lossWeights: { normals: 10 },
  });
  expect(scenario.evaluation).toEqual({ everyRounds: 5, testCount: 100 });
  expect(scenario.clients[0]).toEqual({
    id: "line-a",
    domain: "garments",
    tasks: ["edge", "semseg"],
    trainCount: 40,
    series: null,
    joinsAtRound: 1,
    absentRounds: [],
  });
});

test("joining and absent rounds say who is present", () => {
  const client = parseScenario(SMALLEST, "s.yaml").clients[1];
  if (client === undefined) throw new Error("two clients");
  expect([2, 3, 5, 7].map((round) => hasJoined(client, round))).toEqual([false, true, true, true]);
  expect([2, 3, 5, 7].map((round) => isPresent(client, round))).toEqual([false, true, false, true]);
});

test("the encoder's file is taken relative to the scenario's folder", () => {
  const text = `${SMALLEST}model: { encoder: { init: ../pretrained/encoder.safetensors } }\n`;
  expect(parseScenario(text, "/a/b/s.yaml").model.encoder.initFile).toBe("/a/pretrained/encoder.safetensors");
});

test.each([
  [
    "an unknown key, with the nearest one",
    `${SMALLEST}training: { round: 4 }\n`,
    "INVALID_CONFIG",
    's.yaml:5:13: training.round: expected a known key, received "round"; did you mean "rounds"?',
  ],
  [
    "a negative learning rate",
    `${SMALLEST}training:\n  optimizer:\n    name: adamw\n    learningRate: -0.1\n`,
    "INVALID_CONFIG",
    "s.yaml:8:19: training.optimizer.learningRate: expected a number of more than 0, received -0.1; change it",
  ],
  [
    "a missing key",
    "name: x\n",
    "INVALID_CONFIG",
    's.yaml:1:1: clients: expected a list, received nothing; add "clients"',
  ],
  [
    "text where a number belongs",
    `${SMALLEST}training: { rounds: many }\n`,
    "INVALID_CONFIG",
    's.yaml:5:21: training.rounds: expected a number, received "many"; change it',
  ],
  [
    "a fraction where a whole number belongs",
    `${SMALLEST}training: { rounds: 2.5 }\n`,
    "INVALID_CONFIG",
    "s.yaml:5:21: training.rounds: expected a whole number, received 2.5; change it",
  ],
  [
    "a learning rate below 0 of an optimizer without a name",
    `${SMALLEST}training: { optimizer: { learningRate: -1 } }\n`,
    "INVALID_CONFIG",
    "s.yaml:5:40: training.optimizer.learningRate: expected a number of more than 0, received -1; change it",
  ],
  [
    "a list where the optimizer's keys belong",
    `${SMALLEST}training: { optimizer: [adamw] }\n`,
    "INVALID_CONFIG",
    "s.yaml:5:24: training.optimizer: expected a map",
  ],
  [
    "an unknown optimizer",
    `${SMALLEST}training: { optimizer: { name: adam } }\n`,
    "INVALID_CONFIG",
    's.yaml:5:32: training.optimizer.name: expected "adamw" or "sgd", received "adam"; did you mean "adamw"?',
  ],
  [
    "an unknown task",
    SMALLEST.replace("[edge, semseg]", "[edge, semsge]"),
    "UNKNOWN_TASK",
    's.yaml:3:51: clients[0].tasks[1]: expected one of semseg, parts, edge, saliency, depth, normals, received "semsge"; did you mean "semseg"?',
  ],
  [
    "a task twice",
    SMALLEST.replace("[edge, semseg]", "[edge, edge]"),
    "INVALID_CONFIG",
    's.yaml:3:51: clients[0].tasks[1]: expected each task once, received "edge"; remove the repetition',
  ],
  [
    "a client twice",
    SMALLEST.replace("line-b", "line-a"),
    "INVALID_CONFIG",
    's.yaml:4:11: clients[1].id: expected an id of its own, received "line-a"; clients[0] has the same id; rename one',
  ],
  [
    "an id with a space",
    SMALLEST.replace("line-a", "'line a'"),
    "INVALID_ID",
    's.yaml:3:11: clients[0].id: client id: expected 1 to 63 letters, digits, ".", "_" or "-", starting with a letter or digit; received "line a"; change it',
  ],
  [
    "a round after the last",
    `${SMALLEST}training: { rounds: 4, warmupRounds: 1 }\n`,
    "INVALID_CONFIG",
    "s.yaml:4:91: clients[1].absentRounds[0]: expected a round from 1 to 4 (training.rounds), received 5; lower it or raise training.rounds",
  ],
  [
    "an unknown strategy",
    `${SMALLEST}strategies:\n  fedhca3: {}\n`,
    "UNKNOWN_STRATEGY",
    'received "fedhca3"; did you mean "fedhca2"?',
  ],
  [
    "a strategy's option with a slip",
    `${SMALLEST}strategies:\n  near: { kind: fedavg, shar: encoder }\n`,
    "INVALID_CONFIG",
    "s.yaml:6:31: strategies.near: strategy option fedavg.shar: expected one of the options",
  ],
  [
    "a decision about a strategy that nobody knows",
    `${SMALLEST}thresholds: { strategy: fedavgg }\n`,
    "UNKNOWN_STRATEGY",
    'received "fedavgg"; did you mean "fedavg"?',
  ],
  [
    "a key of another choice",
    `${SMALLEST}training: { optimizer: { momentum: 0.5 } }\n`,
    "INVALID_CONFIG",
    'received "momentum"; it goes with another choice in this section',
  ],
  [
    "a strategy under another one's name",
    `${SMALLEST}strategies:\n  local: { kind: fedavg }\n`,
    "INVALID_CONFIG",
    's.yaml:6:18: strategies.local.kind: expected "local", because the name means that strategy everywhere, received "fedavg"',
  ],
  [
    "a strategy's wrong option",
    `${SMALLEST}strategies:\n  fedhca2: { conflictRadius: -1 }\n`,
    "INVALID_CONFIG",
    "s.yaml:6:30: strategies.fedhca2: strategy option fedhca2.conflictRadius: expected",
  ],
  ["text that is not YAML", "name: [x\nclients: 3\n", "INVALID_CONFIG", "s.yaml:2:1: expected well-formed YAML"],
  ["a repeated key", `${SMALLEST}name: again\n`, "INVALID_CONFIG", "s.yaml:5:1: expected well-formed YAML"],
  [
    "an empty file",
    "",
    "INVALID_CONFIG",
    `s.yaml:1:1: (the whole file): expected a map with "name" and "clients", received nothing; see examples/scenes`,
  ],
  [
    "two documents",
    "name: a\n---\nname: b\n",
    "INVALID_CONFIG",
    "s.yaml:2:1: expected one YAML document, received a second one; keep one scenario a file",
  ],
  ["an unknown tag", "name: !mine x\n", "INVALID_CONFIG", "s.yaml:1:7: expected well-formed YAML"],
  ["an alias without anchor", "name: *a\n", "INVALID_CONFIG", "Unresolved alias"],
  ["an alias inside its own anchor", "name: x\nclients: &a [*a]\n", "INVALID_CONFIG", "circular structure"],
])("%s is refused with the line", (_, text, code, message) => {
  const refusal = refusalOf(text);
  expect(refusal.message).toContain(message);
  expect(refusal.code).toBe(code);
});

test("a round without anybody is refused", () => {
  const text = SMALLEST.replace("[edge, semseg] }", "[edge, semseg], absentRounds: [2] }");
  expect(refusalOf(text).message).toContain("clients: expected at least one client present in round 2");
});

test("several findings are listed in the order of the file", () => {
  const { message } = refusalOf("name: x\ntraining: { rounds: 0, batchSize: 0 }\nclients: []\n");
  expect(message.split("\n").map((line) => line.split(": ")[1])).toEqual([
    "training.rounds",
    "training.batchSize",
    "clients",
  ]);
});

test("a folder instead of a file is said to be one", async () => {
  await expect(loadScenario(".")).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    message: ".: expected a scenario file, received a folder; name the file inside it",
  });
});

test("an optimizer without a name is AdamW", () => {
  const { training } = parseScenario(`${SMALLEST}training: { optimizer: { learningRate: 0.002 } }\n`, "s.yaml");
  expect(training.optimizer).toEqual({ name: "adamw", learningRate: 0.002, weightDecay: 0.0001 });
});

test("traffic: what is not said has its default; without the section there is none", () => {
  expect(parseScenario(SMALLEST, "s.yaml").traffic).toBeUndefined();
  const { traffic } = parseScenario(`${SMALLEST}traffic: { upload: { codec: topk, values: int8 } }\n`, "s.yaml");
  const values = { codec: "int8", blockSize: 256, rounding: "nearest" };
  expect(traffic).toEqual({
    upload: { codec: { codec: "topk", share: 0.1, values }, errorFeedback: true },
    download: { codec: { codec: "f32" }, errorFeedback: false, reference: "auto" },
    syncEveryRounds: 1,
  });
});

test.each([
  ["traffic: { upload: { codec: int9 } }", 'traffic.upload.codec: expected "f32" or "f16" or "int8" or "topk"'],
  ["traffic: { upload: { codec: topk, share: 0 } }", "traffic.upload.share: expected a number of more than 0"],
  ["traffic: { upload: { codec: f16, refrence: base } }", "traffic.upload.refrence: expected a known key"],
  ["traffic: { syncEveryRound: 2 }", 'did you mean "syncEveryRounds"?'],
  ["strategies: { fedavg: { traffic: { upload: { codec: int8, blocksize: 8 } } } }", 'did you mean "blockSize"?'],
])("%s is refused where it stands", (line, message) => {
  const refusal = refusalOf(`${SMALLEST}${line}\n`);
  expect(refusal.code).toBe("INVALID_CONFIG");
  expect(refusal.message).toContain(message);
});

test("a strategy may have traffic of its own, which is no option of it", () => {
  const { strategies } = parseScenario(
    `${SMALLEST}strategies: { small: { kind: fedavg, share: all, traffic: { upload: { codec: f16 } } } }\n`,
    "s.yaml",
  );
  expect(strategies.small).toMatchObject({ kind: "fedavg", options: { share: "all" } });
  expect(strategies.small?.traffic?.upload.codec).toEqual({ codec: "f16" });
});

test("privacy is measured only where it is asked for", () => {
  const privacyOf = (section: string) => parseScenario(SMALLEST + section, "f.yaml").privacy;
  expect(privacyOf("")).toBeUndefined();
  expect(privacyOf("privacy: { membership: false, examples: 9 }\n")).toBeUndefined();
  expect(privacyOf("privacy: { membership: true }\n")).toEqual({ examples: 64 });
  expect(refusalOf(`${SMALLEST}privacy: { membership: true, examples: 3 }\n`).message).toMatch(/privacy\.examples/);
  expect(refusalOf(`${SMALLEST}privacy: { membersip: yes }\n`).message).toMatch(
    /privacy\.membership: expected true or false, received nothing.*\n.*did you mean "membership"/,
  );
});

const WITH = (keys: string) =>
  `name: s\nclients:\n  - { id: a, domain: digits, tasks: [depth, semseg, edge], ${keys} }\n`;

test("what sets a site's scenes apart is kept where it is not neutral; flipped tasks stand in the order of tasks", () => {
  const scenesOf = (keys: string) => parseScenario(WITH(keys), "s.yaml").clients[0]?.scenes;
  expect(scenesOf("classSkew: 0.1, domainShift: 0.5, flipTasks: [edge, depth]")).toEqual({
    classSkew: 0.1,
    domainShift: 0.5,
    flipTasks: ["depth", "edge"],
  });
  expect(scenesOf("classSkew: null, domainShift: 0.25, flipTasks: []")).toEqual({ domainShift: 0.25 });
  expect(scenesOf("classSkew: null, domainShift: 0, flipTasks: []")).toBeUndefined();
});

test.each([
  ["classSkew: 0", "clients[0].classSkew: expected a number of more than 0, received 0"],
  ["classSkew: .inf", "clients[0].classSkew: expected a number"],
  ["domainShift: 1.5", "clients[0].domainShift: expected a number of at most 1, received 1.5"],
  ["domainShift: -0.5", "clients[0].domainShift: expected a number of at least 0, received -0.5"],
  ["flipTasks: [normals]", "clients[0].flipTasks[0]: expected one of the client's own tasks: depth, semseg, edge"],
  ["flipTasks: [edge, edge]", "clients[0].flipTasks[1]: expected each task once"],
  ["classSkews: 1", 'did you mean "classSkew"?'],
])("%s is refused with its place", (keys, message) => {
  const refusal = refusalOf(WITH(keys));
  expect(refusal.code).toBe("INVALID_CONFIG");
  expect(refusal.message).toContain(message);
  expect(refusal.message).toMatch(/^s\.yaml:3:/);
});

test.each(["classSkew: 1", "domainShift: 0.5", "flipTasks: [valve]"])("series refuse %s, with its place", (key) => {
  const text = `name: s\ndata: { kind: hydraulic }\nclients:\n  - { id: a, tasks: [valve], ${key} }\n`;
  const name = key.slice(0, key.indexOf(":"));
  const { code, message } = refusalOf(text);
  expect(code).toBe("INVALID_CONFIG");
  expect(message).toMatch(/^s\.yaml:4:/);
  expect(message).toContain(`clients[0].${name}: expected no ${name} with data of kind "hydraulic", received `);
  expect(message).toContain("remove it; only scenes can be made to differ by it");
});

test("metrics of a CSV's targets are called as everywhere else; another spelling is refused with the name that is meant", () => {
  const csv = (metric: string) =>
    `name: own\ndata: { kind: csv, file: a.csv, targets: { state: { kind: classes, metric: ${metric} } } }\nclients: [{ id: a, tasks: [state] }]\n`;
  const { data } = parseScenario(csv("macro-f1"), "s.yaml");
  expect(data.kind === "csv" ? data.targets.state?.metric : undefined).toBe("macro-f1");
  expect(refusalOf(csv("macroF1"))).toEqual({
    code: "INVALID_CONFIG",
    message:
      's.yaml:2:76: data.targets.state.metric: expected "macro-f1" or "auroc" or "mae" or "rmse" or "phm08", received "macroF1"; did you mean "macro-f1"?',
  });
});

test.each([
  [
    "metric: macro-f1",
    "kind: number",
    "targets.wear.metric: expected one of rmse, mae, phm08 for a target of kind number",
  ],
  [
    "positive: BAD",
    "kind: number",
    "targets.wear.positive: expected nothing, since only a target of kind binary has it",
  ],
  [
    "column: vib",
    "kind: number",
    'targets.wear: expected one role for a column, received "vib"; it stands in data.sensors[0] too',
  ],
])("what a CSV's target cannot be is said with its line, before the file is read: %s", (more, kind, expected) => {
  const text = `name: own\ndata:\n  kind: csv\n  sensors: [vib]\n  targets: { wear: { ${kind}, ${more} } }\nclients: [{ id: a, tasks: [wear] }]\n`;
  const { code, message } = refusalOf(text);
  expect(code).toBe("INVALID_CONFIG");
  expect(message).toMatch(/^s\.yaml:5:/);
  expect(message).toContain(`data.${expected}`);
});

test("an encoding and a sensor twice are refused with their line", () => {
  const csv = (key: string) =>
    `name: own\ndata: { kind: csv, ${key}, targets: { wear: { kind: number } } }\nclients: [{ id: a, tasks: [wear] }]\n`;
  expect(refusalOf(csv("encoding: sjiss")).message).toContain("s.yaml:2:30: data.encoding: expected a name such as");
  expect(refusalOf(csv("sensors: [vib, vib]")).message).toContain("data.sensors[1]: expected one role for a column");
});

const CSV = (keys: string) =>
  `name: own\nclients: [{ id: a, tasks: [wear], file: a.csv }]\ndata: { kind: csv, targets: { wear: { kind: number } }${keys}\n`;

test.each([
  [CSV(" }\nscenes: { size: 32 }"), '4:9: scenes: expected no scenes with data of kind "csv", received {"size":32}'],
  [
    CSV(" }\nevaluation: { testCount: 9 }"),
    '4:26: evaluation.testCount: expected no evaluation.testCount with data of kind "csv", received 9',
  ],
  [CSV(" }\ntraining: { backgroundLossWeight: 0.5 }"), "4:35: training.backgroundLossWeight: expected no"],
  [`${SMALLEST}model: { stem: { width: 8 } }\n`, '5:16: model.stem: expected no model.stem with data of kind "scenes"'],
  [`${SMALLEST}model: { encoder: { kernel: 5 } }\n`, "5:29: model.encoder.kernel: expected no model.encoder.kernel"],
  [
    CSV(', decimal: "," }'),
    '3:66: data.decimal: expected another mark than data.delimiter (default: ","), received ","',
  ],
  [CSV(', delimiter: ";;" }'), "3:68: data.delimiter: expected one character"],
  [CSV(", maxTimeStep: 5 }"), "3:70: data.maxTimeStep: expected a column of times to measure steps in, received 5"],
])("what these data would not read is refused with its line: %s", (text, expected) => {
  const { code, message } = refusalOf(text);
  expect(message).toContain(`s.yaml:${expected}`);
  expect(code).toBe("INVALID_CONFIG");
});
