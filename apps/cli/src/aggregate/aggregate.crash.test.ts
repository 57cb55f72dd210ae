/** Rounds that were killed, or called for twice: one round stays one round, and outputs and state belong together. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockProcess, stageFolder } from "@kumiai/params";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { processIdentity } from "../process-identity.js";
import { type FixtureFolders, readFixtureFolders } from "../testing/fixture-folders.js";
import { aggregateRound } from "./aggregate-round.js";
import type { RoundReport } from "./report.js";

let dir = "";
let fixture: FixtureFolders;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-crash-"));
  fixture = await readFixtureFolders("paper_5st_1mt");
  await prepare(dir);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const at = (...parts: readonly string[]): string => join(dir, ...parts);

/** The model and the local files of round 1 in `folder`. */
async function prepare(folder: string): Promise<void> {
  await writeFile(join(folder, "federation.yaml"), fixture.yaml);
  await fixture.write(join(folder, "model"), 0, "base");
  await fixture.write(join(folder, "local"), 0, "local");
  await writeFile(join(folder, "model", "notes.txt"), "mine");
}

interface Aggregated {
  readonly report: RoundReport;
  readonly notices: readonly string[];
}

/** In place: the new params take the place of the base. */
async function aggregate(watch = (_step: string): void => undefined, local = "local"): Promise<Aggregated> {
  const notices: string[] = [];
  const report = await aggregateRound(
    {
      federation: at("federation.yaml"),
      base: at("model"),
      local: at(local),
      out: at("model"),
      state: at("state.json"),
      threadCount: 1,
    },
    { now: () => 0, notice: (message) => notices.push(message), self: processIdentity(), watch },
  );
  return { report, notices };
}

async function contentOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder)).sort();
  const entries = await Promise.all(
    names.map(async (name) => [name, (await readFile(join(folder, name))).toString("base64")] as const),
  );
  return Object.fromEntries(entries);
}

/** State without what depends on the moment: the files' inodes and times. */
async function memoryOf(): Promise<unknown> {
  const { last: _, ...memory } = JSON.parse(await readFile(at("state.json"), "utf8"));
  return memory;
}

class Killed extends Error {}

test("killed before any step of the commit: the same call again ends with the same params, state and report, in round 1", async () => {
  const before = await contentOf(at("model"));
  const steps: string[] = [];
  const { report: expected } = await aggregate((step) => void steps.push(step));
  const after = await contentOf(at("model"));
  const memory = await memoryOf();
  expect(after["notes.txt"]).toBe(before["notes.txt"]);
  expect(after["client-0.safetensors"]).not.toBe(before["client-0.safetensors"]);
  expect(steps.length).toBeGreaterThanOrEqual(10);
  let finished = 0;
  for (const stop of steps) {
    await rm(dir, { recursive: true });
    await mkdir(dir);
    await prepare(dir);
    const killed = aggregate((step) => {
      if (step === stop) throw new Killed();
    });
    await expect(killed).rejects.toMatchObject({ cause: expect.any(Killed) });
    const { report, notices } = await aggregate();
    if (notices.length > 0) {
      finished++;
      expect(notices).toEqual([expect.stringContaining("interrupted"), expect.stringContaining("nothing was done")]);
    }
    expect(report).toEqual(expected);
    expect(await contentOf(at("model")), stop).toEqual(after);
    expect(await memoryOf()).toEqual(memory);
    expect((await readdir(dir)).sort()).toEqual(
      ["federation.yaml", "local", "model", "state.json", "state.round-1.safetensors"].sort(),
    );
  }
  expect(finished).toBe(steps.length - steps.indexOf("journal") - 1);
});

test("a killed round is finished before the next one, whatever that is", async () => {
  await expect(
    aggregate((step) => {
      if (step === "put the new folder in place") throw new Killed();
    }),
  ).rejects.toMatchObject({ cause: expect.any(Killed) });
  expect(await readdir(dir)).not.toContain("model");
  await fixture.write(at("local-1"), 1, "local");
  const { report, notices } = await aggregate(undefined, "local-1");
  expect(notices).toEqual([expect.stringContaining("interrupted")]);
  expect(report.round).toBe(2);
});

describe("the same call twice", () => {
  test("is one round: the second says so, changes nothing and gives the first one's report", async () => {
    const { report } = await aggregate();
    const [model, state] = [await contentOf(at("model")), await readFile(at("state.json"), "utf8")];
    const again = await aggregate();
    expect(again.report).toEqual(report);
    expect(again.notices).toEqual([expect.stringContaining("round 1 is complete")]);
    expect(await contentOf(at("model"))).toEqual(model);
    expect(await readFile(at("state.json"), "utf8")).toBe(state);
  });

  test("with new files is the next round; a file that stayed is pointed out", async () => {
    await aggregate();
    const others = fixture.clientIds.filter((id) => id !== "client-3");
    await fixture.write(at("local"), 1, "local", others);
    const { report, notices } = await aggregate();
    expect(report.round).toBe(2);
    expect(report.present).toContain("client-3");
    expect(notices).toEqual([expect.stringMatching(/client-3\.safetensors: the very file that went into round 1/)]);
  });

  test("is refused where the first one's outputs are gone", async () => {
    await aggregate();
    await cp(at("model"), at("kept"), { recursive: true });
    await rm(at("model", "client-2.safetensors"));
    await expect(aggregate()).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringMatching(/client-2\.safetensors: expected the output of round 1/),
    });
  });

  test("at once is refused: one state, one round at a time", async () => {
    const self = processIdentity();
    await using _lock = await lockProcess(at(".state.json.lock"), self);
    await expect(aggregate()).rejects.toMatchObject({
      code: "FILE_LOCKED",
      message: expect.stringContaining(String(self.pid)),
    });
    expect((await readdir(dir)).sort()).toEqual([".state.json.lock", "federation.yaml", "local", "model"]);
  });
});

test("what a process left that was killed while it computed is removed, and its lock holds nobody up", async () => {
  const dead = { pid: 999_999_999, isAlive: () => false };
  const staged = await stageFolder(at("model"), dead);
  await writeFile(join(staged.path, "client-0.safetensors"), "half a file");
  await writeFile(at(".state.json.next.safetensors"), "half a file");
  await lockProcess(at(".state.json.lock"), dead);
  const { report, notices } = await aggregate();
  expect([report.round, notices]).toEqual([1, []]);
  expect((await readdir(dir)).sort()).toEqual(
    ["federation.yaml", "local", "model", "state.json", "state.round-1.safetensors"].sort(),
  );
});

test("a local file that changes during the round is refused, and nothing has changed", async () => {
  const before = await contentOf(at("model"));
  let calls = 0;
  const paths = { base: at("model"), local: at("local"), out: at("model"), state: at("state.json") };
  const round = aggregateRound(
    { federation: at("federation.yaml"), ...paths, threadCount: 1 },
    {
      // The engine asks for the time when it begins to read and after.
      now: () => {
        if (calls++ === 1) void writeFile(at("local", "client-1.safetensors"), "more");
        return 0;
      },
      notice: () => undefined,
      self: processIdentity(),
    },
  );
  await expect(round).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  expect(await contentOf(at("model"))).toEqual(before);
  expect((await readdir(dir)).sort()).toEqual(["federation.yaml", "local", "model"]);
});
