import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createTempFolder, type TempFolder } from "../testing/temp-folder.js";
import { commitStaged, recoverStaged, type StagedCommit, type StagedFolder, stageFolder } from "./replace-folder.js";

const ALIVE = new Set([1]);
const SELF = { pid: 1, isAlive: (pid: number) => ALIVE.has(pid) };

/** What a killed process is to those that come after it: nothing runs any more, not even its clean-up. */
class Killed extends Error {}

/** Runs `work` until it is about to take step `at` (from 0); returns whether it got that far. */
async function killedAt(at: number, work: (watch: (step: string) => void) => Promise<unknown>): Promise<boolean> {
  let step = 0;
  try {
    await work(() => {
      if (step++ === at) throw new Killed();
    });
    return false;
  } catch (error) {
    if (error instanceof Error && (error instanceof Killed || error.cause instanceof Killed)) return true;
    throw error;
  }
}

async function stepsOf(work: (watch: (step: string) => void) => Promise<unknown>): Promise<readonly string[]> {
  const steps: string[] = [];
  await work((step) => steps.push(step));
  return steps;
}

const OLD = { "a.bin": "old a", "b.bin": "old b", "notes.txt": "mine" };
const NEW = { "a.bin": "new a", "b.bin": "new b" };
type Files = Readonly<Record<string, string>>;

async function contentOf(folder: string): Promise<Files | undefined> {
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return undefined;
  return Object.fromEntries(
    await Promise.all(names.sort().map(async (name) => [name, await readFile(join(folder, name), "utf8")])),
  );
}

interface Scene {
  readonly folder: TempFolder;
  readonly staged: StagedFolder;
  readonly journal: string;
  readonly commit: StagedCommit;
}

/** An `out` with `old` in it (undefined: no such folder), the new files staged, and a state whose next version waits. */
async function prepare(folder: TempFolder, old: Files | undefined): Promise<Scene> {
  const out = folder.path("out");
  if (old !== undefined) {
    await mkdir(out);
    for (const [name, text] of Object.entries(old)) await writeFile(join(out, name), text);
  }
  const staged = await stageFolder(out, SELF);
  for (const [name, text] of Object.entries(NEW)) await writeFile(join(staged.path, name), text);
  for (const [name, text] of [
    ["state.json", "old state"],
    ["vectors.1", "old vectors"],
    [".next.json", "new state"],
    [".next.vectors", "new vectors"],
  ] as const) {
    await writeFile(folder.path(name), text);
  }
  const commit = {
    folder: { staged: staged.path, target: out },
    moves: [
      { from: folder.path(".next.vectors"), to: folder.path("vectors.2") },
      { from: folder.path(".next.json"), to: folder.path("state.json") },
    ],
    remove: [folder.path("vectors.1")],
    note: { round: 2 },
  };
  return { folder, staged, journal: folder.path(".commit"), commit };
}

const CASES: readonly (readonly [string, Files | undefined])[] = [
  ["in place of a folder with files", OLD],
  ["in place of an empty folder", {}],
  ["where there is no folder", undefined],
];

describe.each(CASES)("a commit %s", (_, old) => {
  const expected = { ...(old === undefined || !("notes.txt" in old) ? {} : { "notes.txt": "mine" }), ...NEW };

  async function expectNew({ folder }: Scene): Promise<void> {
    expect(await contentOf(folder.path("out"))).toEqual(expected);
    expect(await readFile(folder.path("state.json"), "utf8")).toBe("new state");
    expect((await folder.list()).toSorted()).toEqual(["out", "state.json", "vectors.2"]);
    expect(await readFile(folder.path("vectors.2"), "utf8")).toBe("new vectors");
  }

  test("leaves the new files, the others that were there, the state, and nothing else", async () => {
    await using folder = await createTempFolder();
    const scene = await prepare(folder, old);
    await commitStaged(scene.journal, scene.commit);
    await scene.staged[Symbol.asyncDispose]();
    await expectNew(scene);
    expect(await recoverStaged(scene.journal)).toBeUndefined();
    await expectNew(scene);
  });

  test("killed before any step: old or new, never a mix, and the same as if nothing had happened once it is recovered", async () => {
    const count = await (async () => {
      await using folder = await createTempFolder();
      const { journal, commit } = await prepare(folder, old);
      return (await stepsOf((watch) => commitStaged(journal, commit, watch))).length;
    })();
    expect(count).toBeGreaterThanOrEqual(8);
    const outcomes: string[] = [];
    for (let at = 0; at < count; at++) {
      await using folder = await createTempFolder();
      const scene = await prepare(folder, old);
      expect(await killedAt(at, (watch) => commitStaged(scene.journal, scene.commit, watch))).toBe(true);

      const seen = await contentOf(folder.path("out"));
      const state = await readFile(folder.path("state.json"), "utf8");
      expect([old, undefined, expected]).toContainEqual(seen);
      if (state === "new state") expect(seen).toEqual(expected);

      const recovered = await recoverStaged(scene.journal);
      if (recovered === undefined) {
        expect(await contentOf(folder.path("out"))).toEqual(old);
        expect(state).toBe("old state");
        expect(await readFile(folder.path("vectors.1"), "utf8")).toBe("old vectors");
      } else {
        expect(recovered.note).toEqual({ round: 2 });
        await expectNew(scene);
      }
      outcomes.push(recovered === undefined ? "old" : "new");
    }
    expect(new Set(outcomes)).toEqual(new Set(["old", "new"]));
    expect(outcomes).toEqual(outcomes.toSorted().reverse());
  });

  test("killed, and killed again before any step of the recovery: the next recovery ends it", async () => {
    const { all, first } = await (async () => {
      await using folder = await createTempFolder();
      const { journal, commit } = await prepare(folder, old);
      const steps = await stepsOf((watch) => commitStaged(journal, commit, watch));
      return { all: steps.length, first: steps.indexOf("journal") + 1 };
    })();
    for (let at = first; at < all; at++) {
      for (let again = 0; again < all - first; again++) {
        await using folder = await createTempFolder();
        const scene = await prepare(folder, old);
        await killedAt(at, (watch) => commitStaged(scene.journal, scene.commit, watch));
        const killed = await killedAt(again, (watch) => recoverStaged(scene.journal, watch));
        const recovered = await recoverStaged(scene.journal);
        expect(recovered === undefined).toBe(!killed);
        await expectNew(scene);
      }
    }
  });
});

test("a path that leads through links replaces the folder, and the link stays", async () => {
  await using folder = await createTempFolder();
  await mkdir(folder.path("disk"));
  await symlink(folder.path("disk"), folder.path("out"));
  await writeFile(folder.path("disk/a.bin"), "old a");
  const staged = await stageFolder(folder.path("out"), SELF);
  await writeFile(join(staged.path, "a.bin"), "new a");
  const commit = { folder: { staged: staged.path, target: folder.path("out") }, moves: [], remove: [], note: null };
  await commitStaged(folder.path(".commit"), commit);
  expect(await contentOf(folder.path("disk"))).toEqual({ "a.bin": "new a" });
  expect(await contentOf(folder.path("out"))).toEqual({ "a.bin": "new a" });
  expect((await folder.list()).toSorted()).toEqual(["disk", "out"]);
});

test("a file that comes into the folder during the commit stays, and so does one that is changed there", async () => {
  await using folder = await createTempFolder();
  const { journal, commit } = await prepare(folder, OLD);
  await commitStaged(journal, commit, (step) => {
    if (step !== "put the old folder aside") return;
    // As an editor does: a new file under the old name.
    void writeFile(folder.path("out/late.txt"), "late");
  });
  expect(await contentOf(folder.path("out"))).toEqual({ ...OLD, ...NEW, "late.txt": "late" });
});

test("a staged folder that is not committed goes with everything in it", async () => {
  await using folder = await createTempFolder();
  {
    await using staged = await stageFolder(folder.path("deep/er/out"), SELF);
    await writeFile(join(staged.path, "a.bin"), "new a");
  }
  expect(await readdir(folder.path("deep/er"))).toEqual([]);
});

describe("what dead processes left", () => {
  const dead = { pid: 7, isAlive: () => true };

  test("is removed by the next one, while that of living ones stays", async () => {
    await using folder = await createTempFolder();
    await stageFolder(folder.path("out"), dead);
    await using living = await stageFolder(folder.path("out"), { ...SELF, pid: 1 });
    expect(await folder.list()).toHaveLength(1);
    await using _other = await stageFolder(folder.path("out"), SELF);
    expect(await readdir(living.path)).toEqual([]);
    expect(await folder.list()).toHaveLength(2);
  });

  test("is refused, not removed, where a commit was interrupted", async () => {
    await using folder = await createTempFolder();
    const scene = await prepare(folder, OLD);
    await killedAt(6, (watch) => commitStaged(scene.journal, scene.commit, watch));
    await expect(stageFolder(folder.path("out"), SELF)).rejects.toMatchObject({
      code: "WRITE_FAILED",
      message: expect.stringMatching(/interrupted.*\.commit/),
    });
    expect(await recoverStaged(scene.journal)).toEqual({ note: { round: 2 } });
    await using _again = await stageFolder(folder.path("out"), SELF);
  });

  test("a commit whose new folder somebody has removed is named, and changes nothing", async () => {
    await using folder = await createTempFolder();
    const scene = await prepare(folder, OLD);
    await killedAt(4, (watch) => commitStaged(scene.journal, scene.commit, watch));
    await rm(join(scene.staged.path, ".."), { recursive: true });
    await expect(recoverStaged(scene.journal)).rejects.toMatchObject({ code: "STATE_MALFORMED" });
    expect(await contentOf(folder.path("out"))).toEqual(OLD);
    expect(await readFile(folder.path("state.json"), "utf8")).toBe("old state");
  });

  test("the folder that holds all of it may move in between", async () => {
    await using folder = await createTempFolder();
    await mkdir(folder.path("here"));
    const inner: TempFolder = { ...folder, path: (name) => folder.path(join("here", name)) };
    const scene = await prepare(inner, OLD);
    await killedAt(6, (watch) => commitStaged(scene.journal, scene.commit, watch));
    await rename(folder.path("here"), folder.path("there"));
    expect(await recoverStaged(folder.path("there/.commit"))).toEqual({ note: { round: 2 } });
    expect(await contentOf(folder.path("there/out"))).toEqual({ ...OLD, ...NEW });
    expect(await readFile(folder.path("there/state.json"), "utf8")).toBe("new state");
  });
});

describe("a folder that cannot be replaced as a whole is refused, with what stands in the way", () => {
  test.each([
    ["a folder in it", async (out: string) => void (await mkdir(join(out, "inner"), { recursive: true })), /inner/],
    [
      "a link in it",
      async (out: string) => {
        await mkdir(out);
        await symlink("elsewhere", join(out, "link"));
      },
      /link/,
    ],
    ["a file of that name", (out: string) => writeFile(out, "text"), /expected a folder, found a file/],
  ])("%s", async (_, spoil, message) => {
    await using folder = await createTempFolder();
    await spoil(folder.path("out"));
    await expect(stageFolder(folder.path("out"), SELF)).rejects.toMatchObject({
      code: "WRITE_FAILED",
      message: expect.stringMatching(message),
    });
    expect(await folder.list()).toEqual(["out"]);
  });
});

test("a journal that is none is refused and stays", async () => {
  await using folder = await createTempFolder();
  for (const text of ["", "{}", '{"format":"kumiai-commit","version":2}']) {
    await writeFile(folder.path(".commit"), text);
    await expect(recoverStaged(folder.path(".commit"))).rejects.toMatchObject({ code: "STATE_MALFORMED" });
    expect(await readFile(folder.path(".commit"), "utf8")).toBe(text);
  }
});
