/** Runs the tests and ends with `N passed, N failed` alone on the last line. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runNode } from "./run.mjs";
import { complain, root } from "./say.mjs";

/**
 * `args` go to vitest (files, `-t name`, …). Resolves to the exit code: 0 only if something ran and nothing failed.
 */
export async function runTests(args) {
  const scratch = mkdtempSync(join(tmpdir(), "kumiai-tests-"));
  const countsFile = join(scratch, "counts.json");
  try {
    const status = await runNode(
      join(root, "node_modules", "vitest", "vitest.mjs"),
      ["run", "--reporter=default", `--reporter=${join(root, "scripts", "lib", "count-reporter.mjs")}`, ...args],
      { env: { KUMIAI_TEST_COUNTS: countsFile } },
    );
    return conclude(status, existsSync(countsFile) ? JSON.parse(readFileSync(countsFile, "utf8")) : undefined);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Prints the last line; the exit code is 0 only if vitest's is, something ran and nothing failed. */
export function conclude(status, counts, print = console.log, warn = complain) {
  if (counts === undefined) warn(`tests: vitest ended with exit code ${status} before it could count`);
  const { passed, failed } = counts ?? { passed: 0, failed: 0 };
  if (counts !== undefined && passed + failed === 0) warn("tests: nothing ran");
  print(`${passed} passed, ${failed} failed`);
  if (status !== 0) return status;
  return passed === 0 || failed > 0 ? 1 : 0;
}
