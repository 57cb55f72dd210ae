/** `kumiai strategies`: what can be compared. */
import { STRATEGIES } from "@kumiai/algorithms";
import { Command } from "commander";
import type { Io } from "../io.js";
import type { CommandContext } from "../program.js";

export function strategiesCommand({ io }: CommandContext): Command {
  return new Command("strategies")
    .summary("what can be compared")
    .description("Lists the strategies with one line on each.")
    .option("--json", "as JSON, for programs")
    .action((options: { readonly json?: boolean }) => {
      const listed = Object.entries(STRATEGIES).map(([name, { summary }]) => ({ name, summary }));
      if (options.json) io.out(`${JSON.stringify(listed, null, 2)}\n`);
      else printList(listed, io);
    });
}

function printList(listed: readonly { readonly name: string; readonly summary: string }[], io: Io): void {
  const width = Math.max(...listed.map(({ name }) => name.length));
  for (const { name, summary } of listed) io.out(`${io.colors.cyan(name.padEnd(width))}  ${summary}\n`);
  io.out(`\n${io.colors.dim("Variants with other options get a name in a scenario's `strategies` section.")}\n`);
}
