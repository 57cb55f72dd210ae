/** `npm test [-- vitest arguments]`: installs and builds what is missing, then runs the tests. */
import { ensure, StepFailed, script } from "./lib/ensure.mjs";
import { conclude, runTests } from "./lib/tests.mjs";

await script(async (args) => {
  try {
    await ensure();
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    console.error(error.message);
    return conclude(error.exitCode, { passed: 0, failed: 0 });
  }
  return runTests(args);
});
