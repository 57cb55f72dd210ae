/** `kumiai run`: one strategy, one seed. */
import { Command, Option } from "commander";
import type { SharedOptions } from "../experiment.js";
import { parseSeed } from "../parse.js";
import type { CommandContext } from "../program.js";
import { taskTable } from "../tables.js";
import { addSharedOptions, printOutcome } from "./shared.js";

interface RunOptions extends SharedOptions {
  readonly strategy: string;
  readonly seed: number;
}

export function runCommand({ io, finish }: CommandContext): Command {
  const command = new Command("run")
    .summary("one strategy, one seed")
    .description("Trains the sites of a scenario under one strategy. Shows each task beside a constant prediction.")
    .argument("<FILE>", "scenario (YAML)")
    .option("-s, --strategy <NAME>", "see `kumiai strategies`", "fedhca2")
    .addOption(new Option("--seed <N>", "decides everything random").argParser(parseSeed).default(1, "1"));
  return addSharedOptions(command).action(async (file: string, options: RunOptions) => {
    const { strategy, seed } = options;
    const { experiment } = await import("../experiment.js");
    const done = await experiment({ ...options, file, strategies: [strategy], seeds: [seed] }, io);
    const { leftOutLines } = await import("../left-out.js");
    printOutcome(done, [taskTable(done.result, strategy, seed, io.colors), leftOutLines(done.result, io.colors)], io);
    finish(done.exitCode);
  });
}
