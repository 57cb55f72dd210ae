import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StoredVector } from "@kumiai/algorithms";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RoundReport } from "./report.js";
import { formatState, readState } from "./state-file.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-state-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const strategy = { name: "fedhca2", options: { conflictRadius: 0.4 } };
const last = { call: "{}", locals: new Map([["a", "1 2 3"]]), report: { round: 3 } as RoundReport };

async function roundTrip(state: unknown, vectors: string | null = null) {
  const file = join(dir, "state.json");
  await writeFile(file, formatState({ round: 3, strategy, state, last }, vectors));
  return await readState(file);
}

test("what was written comes back", async () => {
  const state = { alpha: 0.1, direction: new StoredVector("direction/3", 27_500_000), attended: null };
  expect(await roundTrip(state, "state.round-3.safetensors")).toEqual({
    round: 3,
    strategy,
    state,
    vectors: join(dir, "state.round-3.safetensors"),
    last,
  });
});

test("there is no state before the first round", async () => {
  expect(await readState(join(dir, "state.json"))).toBeUndefined();
});

test("numbers come back bit for bit: −0, NaN, infinities and the smallest included", async () => {
  const special = [-0, 0, Number.NaN, Number.POSITIVE_INFINITY, -Infinity, Number.MIN_VALUE, 0.1 + 0.2];
  expect((await roundTrip(special))?.state).toStrictEqual(special);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.double()), async (numbers) => {
      expect((await roundTrip(numbers))?.state).toStrictEqual(numbers);
    }),
    { numRuns: 30 },
  );
});

test("keys that every object inherits, and keys that look like ours, are keys like others", async () => {
  const state = JSON.parse(
    '{"constructor":{"value":1},"toString":2,"__proto__":{"value":3},"$vector":{"value":4},"$number":5,"inner":{"$number":{}}}',
  );
  const saved = await roundTrip(state);
  expect(JSON.stringify(saved?.state)).toBe(JSON.stringify(state));
});

test("the vectors' file is looked for beside the state, wherever both were moved", async () => {
  expect((await roundTrip(null, "elsewhere/../x.safetensors"))?.vectors).toBe(join(dir, "x.safetensors"));
});

describe("STATE_MALFORMED with the file and what is wrong, for", () => {
  const good = JSON.parse(formatState({ round: 1, strategy, state: null, last }, null));
  test.each([
    ["text that is not JSON", "{", /expected JSON/],
    ["nothing", "", /expected JSON/],
    ["another document", "[]", /expected a state file of version 2/],
    ["another version", JSON.stringify({ ...good, version: 1 }), /version/],
    ["no round", JSON.stringify({ ...good, round: undefined }), /round/],
    ["a round that is none", JSON.stringify({ ...good, round: -1 }), /round/],
    ["no last call", JSON.stringify({ ...good, last: undefined }), /last/],
  ])("%s", async (_, text, message) => {
    const file = join(dir, "state.json");
    await writeFile(file, text);
    await expect(readState(file)).rejects.toMatchObject({
      code: "STATE_MALFORMED",
      message: expect.stringMatching(message),
    });
  });

  test("a folder is FILE_UNREADABLE", async () => {
    await expect(readState(dir)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });
});
