import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Real data beside the checkout, for the tests that want them (they are skipped elsewhere); KUMIAI_DATA names another folder. */
const dataFolder = process.env.KUMIAI_DATA ?? fileURLToPath(new URL("../shared/data", import.meta.url));

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.ts", "tests/**/*.test.ts", "docs/*.test.ts"],
    testTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    ...(existsSync(dataFolder) && { env: { KUMIAI_DATA: dataFolder } }),
  },
});
