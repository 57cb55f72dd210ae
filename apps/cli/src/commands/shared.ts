/** Options that `run` and `compare` share, and how both end. */
import { type Command, Option } from "commander";
import type { Experiment } from "../experiment.js";
import type { Io } from "../io.js";
import { parseCount, parsePath } from "../parse.js";

/** `written`: what goes into the folder, and whose name it has by default. */
export function addSharedOptions(
  command: Command,
  written = "result.json and report.html (default: runs/NAME, the scenario's name)",
): Command {
  return command
    .addOption(new Option("-o, --out <DIR>", `folder for ${written}`).argParser(parsePath))
    .addOption(new Option("--threads <N>", "worker threads (default: one a core)").argParser(parseCount))
    .addOption(new Option("--rounds <N>", "train N rounds, whatever the file says").argParser(parseCount))
    .option("--privacy", "attack what sites share after each run; see `privacy` in docs/ref-scenario.md")
    .addOption(
      new Option("--cache <DIR>", "folder for prepared images (default: ~/.cache/kumiai)").argParser(parsePath),
    )
    .addOption(
      new Option(
        "--data <DIR>",
        "folder with the folders of public data sets, hydraulic/ and cmapss/ (default: $KUMIAI_DATA, else data)",
      ).argParser(parsePath),
    );
}

/** Says where the results are. `tables` come before. */
export function printOutcome({ written, result }: Experiment, tables: readonly string[], io: Io): void {
  if (written === null) {
    io.err("nothing was written: no run had finished\n");
    return;
  }
  const { colors } = io;
  for (const table of tables.filter((text) => text !== "")) io.out(`\n${table}\n`);
  io.out(`\nresult  ${written.resultPath}\nreport  ${colors.bold(written.reportPath)}\n`);
  if (!result.complete) io.out(`${colors.yellow("incomplete")}: not all runs had finished\n`);
}
