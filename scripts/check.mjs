/** `npm run check`: format and lint, types, layer table, tests. Runs all of them, then says which failed. */
import { join } from "node:path";
import { ensureBuilt, ensureInstalled, ensureNode, StepFailed, script } from "./lib/ensure.mjs";
import { layerViolations } from "./lib/layers.mjs";
import { runNode } from "./lib/run.mjs";
import { complain, root, say, since } from "./lib/say.mjs";
import { runTests } from "./lib/tests.mjs";

async function formatAndLint() {
  const status = await runNode(join(root, "node_modules", "@biomejs", "biome", "bin", "biome"), [
    "check",
    "--error-on-warnings",
    ".",
  ]);
  return status === 0;
}

async function types() {
  try {
    await ensureBuilt();
    return (await runNode(join(root, "node_modules", "typescript", "bin", "tsc"), ["-p", "tests"])) === 0;
  } catch (error) {
    if (error instanceof StepFailed) return false;
    throw error;
  }
}

function layers() {
  const violations = layerViolations(root);
  for (const violation of violations) complain(violation);
  return violations.length === 0;
}

await script(async (args) => {
  ensureNode();
  await ensureInstalled();
  const steps = { "format and lint": formatAndLint, types, "layer table": layers };
  const failed = [];
  for (const [name, step] of Object.entries(steps)) {
    const start = performance.now();
    const good = await step();
    say(`check: ${name}: ${good ? "ok" : "FAILED"} (${since(start)})`);
    if (!good) failed.push(name);
  }
  const status = await runTests(args);
  if (status !== 0) failed.push("tests");
  if (failed.length > 0) complain(`check: failed: ${failed.join(", ")}`);
  return failed.length > 0 ? 1 : 0;
});
