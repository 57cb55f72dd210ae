/** `kumiai strategies`: what can be compared. */
import { describeOptions, STRATEGIES } from "@kumiai/algorithms";
import { Command } from "commander";
import type { Io } from "../io.js";
import type { CommandContext } from "../program.js";

interface Listed {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly defaults: Readonly<Record<string, unknown>>;
}

export function strategiesCommand({ io }: CommandContext): Command {
  return new Command("strategies")
    .summary("what can be compared, and with which options")
    .description("Lists the strategies with a line on each, and their options with the values in force by default.")
    .option("--json", "as JSON, for programs")
    .action((options: { readonly json?: boolean }) => {
      const listed = Object.entries(STRATEGIES).map(
        ([name, { summary, source, defaults }]): Listed => ({ name, summary, source, defaults }),
      );
      if (options.json) io.out(`${JSON.stringify(listed, null, 2)}\n`);
      else io.out(asText(listed, io));
    });
}

function asText(listed: readonly Listed[], { colors }: Io): string {
  const width = Math.max(...listed.map(({ name }) => name.length));
  const indent = " ".repeat(width + 2);
  const entries = listed.map(({ name, summary, source, defaults }) => {
    const options = describeOptions(defaults);
    return [
      `${colors.cyan(name.padEnd(width))}  ${summary}`,
      ...(options === "" ? [] : [`${indent}${options}`]),
      `${indent}${colors.dim(source)}`,
    ].join("\n");
  });
  const hint = [
    "To change options, give the variant a name in the scenario file and ask for it by that name:",
    "  strategies:",
    "    fedhca2-cosine: { kind: fedhca2, attention: cosine }",
  ];
  return `${entries.join("\n\n")}\n\n${colors.dim(hint.join("\n"))}\n`;
}
