/** `kumiai sweep`: one comparison for each degree of something, and the plot of the gain over the degrees. */
import { join } from "node:path";
import { Command, Option } from "commander";
import { parseNames, parseSeeds } from "../parse.js";
import type { CommandContext } from "../program.js";
import type { SweepOptions } from "../sweep.js";
import { sweepTable } from "../tables.js";
import { addSharedOptions } from "./shared.js";

const WRITTEN = "sweep.json, sweep.html and a folder for each degree (default: runs/NAME, the sweep's name)";

export function sweepCommand({ io, finish }: CommandContext): Command {
  const command = new Command("sweep")
    .summary("a comparison for each degree of heterogeneity, and a plot")
    .description(
      "Reads a sweep (YAML): a scenario, what of it changes from degree to degree, strategies and seeds. Compares the strategies at each " +
        "degree as `kumiai compare` does, in a folder of its own in DIR, and writes the plot of Δ% over the degrees. The same call again goes " +
        "on where it ended. See docs/ref-sweep.md.",
    )
    .argument("<FILE>", "sweep (YAML)")
    .addOption(
      new Option(
        "-s, --strategies <NAMES>",
        "names, separated by commas, `local` among them (default: the file's)",
      ).argParser(parseNames),
    )
    .addOption(new Option("--seeds <LIST>", "like 1,2 or 1-5 (default: the file's)").argParser(parseSeeds))
    .option("--force", "train again what an earlier call has finished");
  return addSharedOptions(command, WRITTEN).action(async (file: string, options: Omit<SweepOptions, "file">) => {
    // Loaded only now, so that `--help` answers at once.
    const { runSweep } = await import("../sweep.js");
    const { result, dir, exitCode } = await runSweep({ ...options, file }, io);
    finish(exitCode);
    if (dir === null) {
      io.err("nothing was written: no run had finished\n");
      return;
    }
    const { colors } = io;
    io.out(`\n${sweepTable(result, colors)}\n`);
    io.out(`\nresult  ${join(dir, "sweep.json")}\nplot    ${colors.bold(join(dir, "sweep.html"))}\n`);
    if (!result.complete) io.out(`${colors.yellow("incomplete")}: not all degrees had finished\n`);
  });
}
