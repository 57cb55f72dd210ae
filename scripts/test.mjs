/** `npm test [-- vitest arguments]`: installs and builds what is missing, then runs the tests. */
import { ensure, script } from "./lib/ensure.mjs";
import { runTests } from "./lib/tests.mjs";

await script(async (args) => {
  await ensure();
  return runTests(args);
});
