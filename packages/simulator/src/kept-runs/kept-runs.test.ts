import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseClientId } from "@kumiai/params";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ComparisonEvent } from "../events.js";
import { serializeResult, withoutTimes } from "../serialize.js";
import { compareTiny, tinyScenario } from "../testing/tiny.js";
import { type KeptRun, openKeptRuns, type RunIdentity, removePartialFiles } from "./kept-runs.js";

const IDENTITY: RunIdentity = {
  strategyName: "fedavg",
  seed: 1,
  scenario: "s",
  strategy: "o",
  encoder: null,
  data: "d",
  program: "p",
  runtime: "r",
  measured: "none",
};
const A = parseClientId("line-a");
const KEPT: KeptRun = {
  run: {
    strategy: "fedavg",
    seed: 1,
    constants: new Map([[A, { edge: Number.NaN }]]),
    outcome: { metrics: new Map([[A, { edge: 0.1 + 0.2 }]]), rounds: [], seconds: 1 },
  },
  pictures: null,
};

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-kept-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("a folder of kept runs", () => {
  const notices: string[] = [];
  const open = (force = false) => {
    notices.length = 0;
    return openKeptRuns(dir, { force, onNotice: (message) => notices.push(message) });
  };

  test("gives a run back as it was; by force it gives none", async () => {
    await open().keep(IDENTITY, KEPT);
    expect(await open().find(IDENTITY)).toEqual(KEPT);
    expect(notices).toEqual([]);
    expect(await open(true).find(IDENTITY)).toBeNull();
  });

  test.each([
    ["scenario", "x", "scenario settings"],
    ["strategy", "x", "options of the strategy"],
    ["encoder", "x", "first params of the encoder"],
    ["data", "x", "data"],
    ["program", "x", "program code"],
    ["runtime", "x", "versions of Node or ONNX Runtime"],
  ] as const)("a run of another %s is not used, and that is said", async (part, value, label) => {
    await open().keep(IDENTITY, KEPT);
    const kept = open();
    expect(await kept.find({ ...IDENTITY, [part]: value })).toBeNull();
    expect(notices).toEqual([expect.stringContaining(`is not used: it was made with other ${label}`)]);
    await kept.keep({ ...IDENTITY, [part]: value }, KEPT);
    expect(await kept.find(IDENTITY)).toEqual(KEPT);
  });

  test("another seed or a strategy whose name begins alike is no match and no news", async () => {
    await open().keep(IDENTITY, KEPT);
    const kept = open();
    expect(await kept.find({ ...IDENTITY, seed: 11 })).toBeNull();
    expect(await kept.find({ ...IDENTITY, strategyName: "fedavg.1" })).toBeNull();
    expect(notices).toEqual([]);
  });

  test.each([
    ["cut short", (text: string) => text.slice(0, 200), "cannot be read"],
    ["changed in one digit", (text: string) => text.replace("0.30000000000000004", "0.4"), "changed"],
    ["of another format", (text: string) => text.replace('"fileVersion":1', '"fileVersion":9'), "version 9"],
    [
      "renamed from another run",
      (text: string) => text.replace('"seed":1,"scenario"', '"seed":2,"scenario"'),
      "another",
    ],
  ])("a file that is %s is not used, and that is said", async (_, spoil, problem) => {
    await open().keep(IDENTITY, KEPT);
    const path = join(dir, (await readdir(dir))[0] ?? "");
    const [good] = [await readFile(path, "utf8")];
    expect(spoil(good)).not.toBe(good);
    await writeFile(path, spoil(good));
    expect(await open().find(IDENTITY)).toBeNull();
    expect(notices).toEqual([expect.stringContaining(problem)]);
  });

  test("what a killed writer left goes away, runs stay", async () => {
    await open().keep(IDENTITY, KEPT);
    const names = await readdir(dir);
    await writeFile(join(dir, `.${names[0]}.partial-0`), "x");
    await removePartialFiles(dir);
    expect(await readdir(dir)).toEqual(names);
    await removePartialFiles(join(dir, "absent"));
  });
});

describe("a comparison with kept runs", () => {
  async function compare(options: Parameters<typeof compareTiny>[0] = {}) {
    const events: ComparisonEvent[] = [];
    const notices: string[] = [];
    const onNotice = (message: string) => notices.push(message);
    const outcome = await compareTiny({
      keptRuns: openKeptRuns(dir, { onNotice }),
      onEvent: (event) => events.push(event),
      ...options,
    });
    const told = (type: "runKept" | "runFinished") =>
      events.flatMap((event) => (event.type === type ? [`${event.strategy} ${event.seed}`] : []));
    return { ...outcome, events, notices, text: withoutTimes(serializeResult(outcome.result)), told };
  }
  const strategies = ["local", "fedhca2"];

  test("computes only what is new: a strategy, a seed, other options; nothing where nothing is", async () => {
    await compare({ strategies: ["local"] });
    const scenario = { ...tinyScenario(), description: "new" };
    const more = await compare({ scenario, strategies, seeds: [1, 2] });
    expect(more.told("runKept")).toEqual(["local 1"]);
    expect(more.told("runFinished").sort()).toEqual(["fedhca2 1", "fedhca2 2", "local 2"]);
    const last = more.events.at(-1)?.progress;
    expect(last?.finishedSteps).toBe(last?.totalSteps);

    const again = await compare({ scenario, strategies, seeds: [1, 2] });
    expect(again.told("runFinished")).toEqual([]);
    expect(again.text).toBe(more.text);
    expect(again.pictures).toEqual(more.pictures);
    expect(again.events.at(-1)?.progress).toEqual({ finishedSteps: 0, totalSteps: 0, finishedRuns: 4, totalRuns: 4 });

    const changed = { ...scenario, strategies: { fedhca2: { kind: "fedhca2", options: { attention: "cosine" } } } };
    const other = await compare({ scenario: changed, strategies });
    expect(other.told("runKept")).toEqual(["local 1"]);
    expect(other.notices).toEqual([expect.stringContaining("other options of the strategy")]);
  });

  test("gives what a comparison that keeps nothing gives", async () => {
    const clients = "clients:\n  - { id: only, domain: digits, tasks: [depth], trainCount: 4 }\n";
    const scenario = tinyScenario({ clients });
    await compare({ scenario, strategies: ["local"] });
    const kept = await compare({ scenario, strategies: ["local"] });
    const plain = await compareTiny({ scenario, strategies: ["local"] });
    expect(kept.told("runKept")).toEqual(["local 1"]);
    expect(kept.text).toBe(withoutTimes(serializeResult(plain.result)));
    expect(kept.pictures).toEqual(plain.pictures);
  });
});
