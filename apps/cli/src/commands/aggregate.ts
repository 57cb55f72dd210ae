/** `kumiai aggregate`: one round on files, for people with a training loop of their own. */
import { availableParallelism } from "node:os";
import { Command, Option } from "commander";
import type { Io } from "../io.js";
import { parseCount, parsePath } from "../parse.js";
import { processIdentity } from "../process-identity.js";
import type { CommandContext } from "../program.js";

interface AggregateFlags {
  readonly base: string;
  readonly local: string;
  readonly out: string;
  readonly state: string;
  readonly threads: number;
  readonly json?: boolean;
}

/** More threads than this wait for memory. */
const MAX_DEFAULT_THREADS = 8;

export function aggregateCommand({ io }: CommandContext): Command {
  const folder = (flags: string, what: string) => new Option(flags, what).argParser(parsePath).makeOptionMandatory();
  const threads = Math.min(availableParallelism(), MAX_DEFAULT_THREADS);
  return new Command("aggregate")
    .summary("one round on safetensors files that you trained elsewhere")
    .description(
      "Reads what every client started from and what it came back with, aggregates, and writes what each starts the next round " +
        "from. FEDERATION.yaml names the strategy and the clients; each folder holds one CLIENT.safetensors a client. A " +
        "client without a file in --local is absent this round.",
    )
    .argument("<FEDERATION.yaml>", "strategy, clients, and which tensors are what")
    .addOption(folder("--base <DIR>", "params that the clients started the round from"))
    .addOption(folder("--local <DIR>", "the same after local training"))
    .addOption(folder("-o, --out <DIR>", "where the next params go; may be --base"))
    .addOption(folder("--state <FILE>", "JSON file that carries the strategy's memory; made in the first round"))
    .addOption(
      new Option("--threads <N>", "threads that compute")
        .argParser(parseCount)
        .default(threads, `${threads}, one a core`),
    )
    .option("--json", "what was measured and decided, as JSON")
    .action((federation: string, flags: AggregateFlags) => aggregate(federation, flags, io));
}

async function aggregate(federation: string, { json, threads, ...paths }: AggregateFlags, io: Io): Promise<void> {
  const [{ aggregateRound }, { printReport }] = await Promise.all([
    import("../aggregate/aggregate-round.js"),
    import("../aggregate/report.js"),
  ]);
  const report = await aggregateRound(
    { federation, ...paths, threadCount: threads },
    {
      now: io.now,
      notice: (message) => io.err(`${message}\n`),
      self: processIdentity(),
    },
  );
  if (json) io.out(`${JSON.stringify(report, null, 1)}\n`);
  else printReport(report, io);
}
