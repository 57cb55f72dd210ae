import { readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { createTempFolder } from "../testing/temp-folder.js";
import { lockProcess, type ProcessIdentity } from "./lock-process.js";

/** Processes of a machine, as id → mark. */
function machine(running: ReadonlyMap<number, string>): (pid: number) => ProcessIdentity {
  const isAlive = (pid: number, mark?: string): boolean =>
    running.has(pid) && (mark === undefined || running.get(pid) === mark);
  return (pid) => {
    const mark = running.get(pid);
    return { pid, ...(mark === undefined ? {} : { mark }), isAlive };
  };
}

test("one at a time; the next gets it once it is free", async () => {
  await using folder = await createTempFolder();
  const processes = machine(
    new Map([
      [10, "a"],
      [11, "b"],
    ]),
  );
  const first = await lockProcess(folder.path("lock"), processes(10));
  await expect(lockProcess(folder.path("lock"), processes(11))).rejects.toMatchObject({
    code: "FILE_LOCKED",
    message: expect.stringContaining("process 10"),
  });
  await first[Symbol.asyncDispose]();
  expect(await folder.list()).toEqual([]);
  await using _second = await lockProcess(folder.path("lock"), processes(11));
  expect(await folder.list()).toEqual(["lock"]);
});

test("the same process does not get it twice", async () => {
  await using folder = await createTempFolder();
  const self = machine(new Map([[10, "a"]]))(10);
  await using _lock = await lockProcess(folder.path("lock"), self);
  await expect(lockProcess(folder.path("lock"), self)).rejects.toMatchObject({ code: "FILE_LOCKED" });
  const both = await Promise.allSettled([lockProcess(folder.path("b"), self), lockProcess(folder.path("b"), self)]);
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});

test("a dead process blocks nobody, neither where its id is now another's nor where it was killed while it asked", async () => {
  for (const running of [
    new Map([[11, "b"]]),
    new Map([
      [10, "later"],
      [11, "b"],
    ]),
  ]) {
    await using folder = await createTempFolder();
    const before = machine(new Map([[10, "a"]]));
    await lockProcess(folder.path("lock"), before(10));
    await writeFile(folder.path("lock.9-claim"), "{}");
    const second = await lockProcess(folder.path("lock"), machine(running)(11));
    expect(JSON.parse(await readFile(folder.path("lock"), "utf8"))).toEqual({ pid: 11, mark: "b" });
    await second[Symbol.asyncDispose]();
    expect(await folder.list()).toEqual([]);
  }
});

test("of many that find a dead one's lock at once, exactly one gets it", async () => {
  for (let attempt = 0; attempt < 20; attempt++) {
    await using folder = await createTempFolder();
    await writeFile(folder.path("lock"), '{"pid":1}\n');
    const processes = machine(new Map(Array.from({ length: 8 }, (_, i) => [10 + i, `mark ${i}`])));
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => lockProcess(folder.path("lock"), processes(10 + i))),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  }
});

test("a lock that is not ours any more is not let go", async () => {
  await using folder = await createTempFolder();
  const lock = await lockProcess(folder.path("lock"), machine(new Map([[10, "a"]]))(10));
  await writeFile(folder.path("lock"), '{"pid":11}\n');
  await lock[Symbol.asyncDispose]();
  expect(await readFile(folder.path("lock"), "utf8")).toBe('{"pid":11}\n');
});

test("a folder that cannot be written to is WRITE_FAILED", async () => {
  await using folder = await createTempFolder();
  await expect(lockProcess(folder.path("none/lock"), machine(new Map())(10))).rejects.toMatchObject({
    code: "WRITE_FAILED",
  });
});
