/** `kumiai compare`: several strategies, several seeds, one scenario. */
import { Command, Option } from "commander";
import type { SharedOptions } from "../experiment.js";
import { parseNames, parseSeeds } from "../parse.js";
import type { CommandContext } from "../program.js";
import { siteTable, strategyTable, weakTaskLines } from "../tables.js";
import { addSharedOptions, printOutcome } from "./shared.js";

interface CompareOptions extends SharedOptions {
  readonly strategies: readonly string[];
  readonly seeds: readonly number[];
  readonly force?: boolean;
}

export function compareCommand({ io, finish }: CommandContext): Command {
  const command = new Command("compare")
    .summary("strategies side by side, over several seeds")
    .description(
      "Trains the sites of a scenario under several strategies and seeds, and compares each with `local`, where every " +
        "site learns alone. Δ% is the mean over sites of the mean over their tasks of the relative change. Finished runs " +
        "are kept in DIR/runs: the same call again, or one with more strategies or seeds, trains only what is missing.",
    )
    .argument("<FILE>", "scenario (YAML)")
    .addOption(
      new Option("-s, --strategies <NAMES>", "names, separated by commas; see `kumiai strategies`")
        .argParser(parseNames)
        .default(["local", "fedavg", "fedhca2"], "local,fedavg,fedhca2"),
    )
    .addOption(
      new Option("--seeds <LIST>", "like 1,2 or 1-5; strategies are paired by seed")
        .argParser(parseSeeds)
        .default([1], "1"),
    )
    .option("--force", "train again what an earlier call has finished");
  return addSharedOptions(command).action(async (file: string, options: CompareOptions) => {
    // Loaded only now, so that `--help` answers at once.
    const { experiment } = await import("../experiment.js");
    const keep = { force: options.force === true };
    const done = await experiment({ file, ...options, keep }, io);
    const { result } = done;
    const { leftOutLines } = await import("../left-out.js");
    const tables = [strategyTable, weakTaskLines, leftOutLines, siteTable].map((table) => table(result, io.colors));
    printOutcome(done, tables, io);
    finish(done.exitCode);
  });
}
