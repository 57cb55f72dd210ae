/** `kumiai strategies`: what can be compared. `--json` is documented in docs/ref-strategies.md. */
import { describeLimits, type OptionAbout, STRATEGIES, type StrategyDefinition } from "@kumiai/algorithms";
import { unreachable } from "@kumiai/params";
import { Command } from "commander";
import type { Io } from "../io.js";
import type { CommandContext } from "../program.js";

type Listed = Pick<StrategyDefinition, "name" | "summary" | "source" | "options" | "defaults">;

export function strategiesCommand({ io }: CommandContext): Command {
  return new Command("strategies")
    .summary("what can be compared, and with which options")
    .description("Lists the strategies with a line and the paper of each, and their options with default and limits.")
    .option("--json", "as JSON, for programs")
    .action((options: { readonly json?: boolean }) => {
      const listed = Object.values(STRATEGIES).map(
        ({ name, summary, source, options, defaults }): Listed => ({ name, summary, source, options, defaults }),
      );
      if (options.json) io.out(`${JSON.stringify(listed, null, 2)}\n`);
      else io.out(asText(listed, io));
    });
}

function asText(listed: readonly Listed[], { colors }: Io): string {
  const width = Math.max(...listed.map(({ name }) => name.length));
  const indent = " ".repeat(width + 2);
  const entries = listed.map(({ name, summary, source, options }) => {
    const { surgery: _ofEvery, ...own } = options;
    const lines = linesOf(own, "");
    const longest = Math.max(0, ...lines.map(({ setting }) => setting.length));
    return [
      `${colors.cyan(name.padEnd(width))}  ${summary}`,
      `${indent}${colors.dim(source)}`,
      ...lines.map(({ setting, limits }) => `${indent}  ${setting.padEnd(longest)}  ${colors.dim(limits)}`),
    ].join("\n");
  });
  const hint = [
    "Options stand with their defaults. To change some, give the variant a name in the scenario file and ask for it by that name:",
    "  strategies:",
    "    fedhca2-wide: { kind: fedhca2, conflictRadius: 0.8 }",
    "All but pcgrad and cagrad also take the option surgery (none | pcgrad | cagrad), for sites of several tasks.",
  ];
  return `${entries.join("\n\n")}\n\n${colors.dim(hint.join("\n"))}\n`;
}

/** `name default`, and what it may be; nested options by their path. */
interface OptionLine {
  readonly setting: string;
  readonly limits: string;
}

function linesOf(options: Listed["options"], prefix: string): readonly OptionLine[] {
  return Object.entries(options).flatMap(([name, about]): readonly OptionLine[] => {
    if (about.type === "options") return linesOf(about.options, `${prefix}${name}.`);
    const what = [limitsOf(about), ...(about.help === undefined ? [] : [about.help])];
    return [{ setting: `${prefix}${name} ${about.default}`, limits: what.join("; ") }];
  });
}

function limitsOf(about: Exclude<OptionAbout, { readonly type: "options" }>): string {
  switch (about.type) {
    case "number":
      return describeLimits(about);
    case "whole-number":
      return describeLimits(about).replace("number", "whole number");
    case "choice":
      return about.choices.join(" | ");
    case "boolean":
      return "true | false";
    default:
      return unreachable(about);
  }
}
