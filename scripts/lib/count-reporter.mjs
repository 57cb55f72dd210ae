/** A vitest reporter that writes { passed, failed, skipped } as JSON to the file named in KUMIAI_TEST_COUNTS. */
import { writeFileSync } from "node:fs";

export class CountReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      let failedTests = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") counts.passed++;
        else if (state === "failed") failedTests++;
        else counts.skipped++;
      }
      // A file that cannot be loaded, or whose hooks fail, has no failed test to show for it.
      counts.failed += failedTests > 0 ? failedTests : module.ok() ? 0 : 1;
    }
    if (unhandledErrors.length > 0 && counts.failed === 0) counts.failed = unhandledErrors.length;
    const file = process.env.KUMIAI_TEST_COUNTS;
    if (file) writeFileSync(file, JSON.stringify(counts));
  }
}

// biome-ignore lint/style/noDefaultExport: vitest loads a reporter by its default export.
export default CountReporter;
