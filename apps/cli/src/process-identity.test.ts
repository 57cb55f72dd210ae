import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { isAlive, processIdentity } from "./process-identity.js";

test("we are alive, and so is whoever is on another machine, where nobody can look", () => {
  const { pid, mark } = processIdentity();
  expect(isAlive(pid, mark)).toBe(true);
  expect(isAlive(pid)).toBe(true);
  expect(isAlive(1)).toBe(true);
  expect(isAlive(999_999_999, "another-host boot 12")).toBe(true);
});

test("a process that has ended is not alive", async () => {
  const child = spawn(process.execPath, ["-e", ""]);
  const pid = child.pid ?? 0;
  await new Promise((resolve) => child.on("exit", resolve));
  expect(isAlive(pid)).toBe(false);
});

test.skipIf(process.platform !== "linux")("an id that is another process's now is not that of the one before", () => {
  const { pid, mark = "" } = processIdentity();
  expect(mark).toMatch(/^\S+ [\da-f-]+ \d+$/);
  expect(isAlive(pid, mark.replace(/\d+$/, "1"))).toBe(false);
});
