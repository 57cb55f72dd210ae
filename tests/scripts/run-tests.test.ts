import { expect, test } from "vitest";
import { ensureNode, nodeIsRecent } from "../../scripts/lib/ensure.mjs";
import { conclude } from "../../scripts/lib/tests.mjs";

function concluded(status: number, counts?: { passed: number; failed: number }) {
  const lines: string[] = [];
  const warnings: string[] = [];
  const exitCode = conclude(
    status,
    counts,
    (line: string) => lines.push(line),
    (line: string) => warnings.push(line),
  );
  return { exitCode, lines, warnings };
}

test("the last line counts and the exit code is 0 when all passed", () => {
  expect(concluded(0, { passed: 12, failed: 0 })).toEqual({
    exitCode: 0,
    lines: ["12 passed, 0 failed"],
    warnings: [],
  });
});

test("a failed test gives an exit code other than 0, whatever vitest said", () => {
  expect(concluded(0, { passed: 12, failed: 1 })).toMatchObject({
    exitCode: 1,
    lines: ["12 passed, 1 failed"],
  });
  expect(concluded(1, { passed: 12, failed: 1 }).exitCode).toBe(1);
});

test("nothing run is a failure", () => {
  expect(concluded(0, { passed: 0, failed: 0 }).exitCode).toBe(1);
  expect(concluded(134)).toMatchObject({ exitCode: 134, lines: ["0 passed, 0 failed"] });
  expect(concluded(134).warnings).toEqual(["tests: vitest ended with exit code 134 before it could count"]);
});

test.each([
  ["20.19.0", true],
  ["20.18.9", false],
  ["18.20.0", false],
  ["22.0.0", true],
])("Node %s is recent enough: %s", (version, recent) => {
  expect(nodeIsRecent(version)).toBe(recent);
});

test("an old Node is refused with what to do", () => {
  expect(() => ensureNode("18.19.1")).toThrow(/needs Node 20\.19 or newer; this is Node 18\.19\.1\. Install/);
});
