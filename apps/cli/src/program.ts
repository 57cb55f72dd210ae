/** The command line: its commands, their help, and what becomes of errors. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { aggregateCommand } from "./commands/aggregate.js";
import { compareCommand } from "./commands/compare.js";
import { initCommand } from "./commands/init.js";
import { pretrainCommand } from "./commands/pretrain.js";
import { reportCommand } from "./commands/report.js";
import { runCommand } from "./commands/run.js";
import { strategiesCommand } from "./commands/strategies.js";
import { sweepCommand } from "./commands/sweep.js";
import { reportError, usageError } from "./errors.js";
import type { Io } from "./io.js";

/** What every command is given: the surroundings, and where to leave the exit code. */
export interface CommandContext {
  readonly io: Io;
  finish(exitCode: number): void;
}

/** Runs one command line (without `node` and the script) and resolves to the exit code. Never throws. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let exitCode = 0;
  const context: CommandContext = {
    io,
    finish: (code) => {
      exitCode = code;
    },
  };
  const program = createProgram(context);
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, io);
    const command = program.commands.find((one) => one.name() === args[0]);
    const help = ["kumiai", ...(command === undefined ? [] : [command.name()]), "--help"].join(" ");
    return error.exitCode === 0 ? 0 : reportError(usageError(error, help), io);
  }
}

function createProgram(context: CommandContext): Command {
  const { io } = context;
  const { colors } = io;
  const program = new Command("kumiai")
    .description("Sites with different data and different tasks learn together; each keeps a model of its own.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help; `kumiai COMMAND --help` tells more")
    .helpCommand(false)
    .usage("COMMAND [options]")
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      getOutHelpWidth: () => Math.min(100, io.columns()),
      getErrHelpWidth: () => Math.min(100, io.columns()),
      outputError: () => {}, // `runCli` reports it, with a code.
    })
    .configureHelp({
      styleTitle: (title) => colors.bold(title === "Usage:" ? title : title.replace(/:$/, "")),
      styleCommandText: (text) => colors.cyan(text),
      styleOptionText: (text) => colors.cyan(text),
      subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map((a) => a.name())].join(" "),
      subcommandDescription: (command) => command.summary() || command.description(),
    });
  const add = (command: Command, group: string) => {
    program.addCommand(command.copyInheritedSettings(program).helpGroup(group));
  };
  add(compareCommand(context), "Learn");
  add(runCommand(context), "Learn");
  add(sweepCommand(context), "Learn");
  add(aggregateCommand(context), "Learn");
  add(reportCommand(context), "Look");
  add(strategiesCommand(context), "Look");
  add(initCommand(context), "Prepare");
  add(pretrainCommand(context), "Prepare");
  program.addHelpText("after", () => closingHelp(io));
  return program;
}

function closingHelp({ colors }: Io): string {
  const command = (text: string) => `  ${colors.dim("$")} ${colors.cyan(text)}`;
  return `
${colors.bold("Examples")}
${command("kumiai compare examples/scenes/overlap.yaml --strategies local,fedavg,fedhca2 --seeds 1,2 --out runs/overlap")}
  Six sites alone, averaged, and with FedHCA²; writes runs/overlap/report.html and result.json.

${command("kumiai sweep examples/sweeps/label-scarcity.yaml --out runs/label-scarcity")}
  The same comparison at 1, 10 and 100 labeled scenes a site, and a plot of the gain over them.

${command("kumiai run my-sites.yaml --out runs/mine")}
  One strategy, one seed: the first thing to try with a file of your own.

${command("kumiai init presses.csv && kumiai run presses.yaml --strategy local")}
  A first scenario from a CSV of your own machines, with the reason beside every guess.

${command("kumiai aggregate FEDERATION.yaml --base params --local local --out params --state state.json")}
  One round on safetensors files that sites trained with a program of their own.

${colors.bold("Good to know")}
  Ctrl-C ends after the steps under way and keeps the finished runs; a second one ends at once.
  Results go to stdout, progress and errors to stderr. NO_COLOR=1 switches colors off.
  Exit codes: 0 done, 2 wrong usage or file content, 3 files, 4 params, 5 data, 6 training, 7 workers,
  70 a bug, 130 interrupted. Each error code has a page in docs/errors.
`;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "0";
}
