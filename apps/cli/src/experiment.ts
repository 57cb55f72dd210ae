/** What `run`, `compare` and `sweep` share: scenario in, training with progress, result.json and report.html out. */
import { availableParallelism, cpus, platform } from "node:os";
import { join, relative, resolve } from "node:path";
import { KumiaiError, lockProcess, writeFileAtomic } from "@kumiai/params";
import {
  type ComparisonOutcome,
  type ComparisonResult,
  compareStrategies,
  loadScenario,
  openKeptRuns,
  removePartialFiles,
  renderCsv,
  renderLatex,
  renderMarkdown,
  renderReport,
  resolveStrategies,
  type Scenario,
  serializeResult,
} from "@kumiai/simulator";
import { reportError } from "./errors.js";
import { prepareOutputDir } from "./files.js";
import { cacheDir, dataDir } from "./folders.js";
import { interruptible } from "./interrupt.js";
import type { Io } from "./io.js";
import { processIdentity } from "./process-identity.js";
import { progressDisplay } from "./progress/display.js";

/** As commander hands them over: an option that was not given is absent. */
export interface SharedOptions {
  readonly out?: string;
  readonly threads?: number;
  readonly rounds?: number;
  readonly cache?: string;
  readonly data?: string;
  /** Measure privacy even if the scenario does not ask for it. */
  readonly privacy?: boolean;
}

/** What is trained, besides the scenario. */
export interface TrainingOptions extends Omit<SharedOptions, "out"> {
  readonly strategies: readonly string[];
  readonly seeds: readonly number[];
  /** Whether finished runs are kept in the folder and found again; absent: neither. */
  readonly keep?: { readonly force: boolean };
}

export interface ExperimentOptions extends TrainingOptions {
  /** Path of the scenario. */
  readonly file: string;
  readonly out?: string;
}

export interface Experiment {
  readonly result: ComparisonResult;
  /** Absolute paths; null when no run finished, then nothing was written. */
  readonly written: { readonly resultPath: string; readonly reportPath: string } | null;
  readonly exitCode: number;
}

/** Trains the scenario of a file. Throws for what is wrong before the first run, and WRITE_FAILED. */
export async function experiment(options: ExperimentOptions, io: Io): Promise<Experiment> {
  const scenario = adjusted(await loadScenario(options.file), options);
  const out = options.out ?? join("runs", scenario.name);
  return await experimentOn(
    scenario,
    { ...options, out, command: commandLine("compare", options.file, options, out) },
    io,
  );
}

/**
 * Trains, shows progress, writes `result.json` after every finished run and `report.html` at the end. The first Ctrl-C
 * ends it early with what is done. Throws for what is wrong before the first run, and WRITE_FAILED.
 */
export async function experimentOn(
  scenario: Scenario,
  options: TrainingOptions & { readonly out: string; readonly command: string },
  io: Io,
): Promise<Experiment> {
  resolveStrategies(scenario, options.strategies); // A misspelled name leaves no empty folder behind.
  const dir = await prepareOutputDir(options.out);
  // Two comparisons in one folder would write the same files.
  await using _lock = await lockProcess(join(dir, ".compare.lock"), processIdentity());
  const resultPath = join(dir, "result.json");
  const reportPath = join(dir, "report.html");
  const outcome = await train(options, { scenario, dir, resultPath }, io);
  const { ending } = outcome;
  if (ending.kind === "failed" && isWriteFailure(ending.error)) throw ending.error; // Trying again would only say it twice.
  const exitCode = exitCodeOf(outcome, io);
  if (!hasRuns(outcome.result)) return { result: outcome.result, written: null, exitCode };
  await writeFileAtomic(resultPath, serializeResult(outcome.result));
  const { result, pictures } = outcome;
  const report = renderReport({ result, pictures, command: options.command, environment: environment() });
  await writeFileAtomic(reportPath, report);
  const tables = { "results.md": renderMarkdown, "results.csv": renderCsv, "results.tex": renderLatex };
  for (const [name, render] of Object.entries(tables)) await writeFileAtomic(join(dir, name), render(result));
  return { result: outcome.result, written: { resultPath, reportPath }, exitCode };
}

interface Plan {
  readonly scenario: Scenario;
  readonly dir: string;
  readonly resultPath: string;
}

async function train(
  options: TrainingOptions,
  { scenario, dir, resultPath }: Plan,
  io: Io,
): Promise<ComparisonOutcome> {
  using display = progressDisplay(io);
  using interrupt = interruptible(io, () => display.stopping());
  const { keep } = options;
  const onNotice = (message: string) => display.note(message);
  if (keep !== undefined) await removePartialFiles(join(dir, "runs"));
  return await compareStrategies({
    ...(keep === undefined ? {} : { keptRuns: openKeptRuns(join(dir, "runs"), { ...keep, onNotice }) }),
    scenario,
    strategies: options.strategies,
    seeds: options.seeds,
    threadCount: options.threads ?? availableParallelism(),
    cacheDir: cacheDir(options.cache, io),
    dataDir: dataDir(options.data, io),
    clock: () => io.now(),
    onEvent: (event) => display.show(event),
    onNotice,
    onRunFinished: async (partial) => {
      display.results(partial);
      await writeFileAtomic(resultPath, serializeResult(partial));
    },
    signal: interrupt.signal,
  });
}

/** The exit code of how the training ended; a failure is printed. */
function exitCodeOf({ ending }: ComparisonOutcome, io: Io): number {
  switch (ending.kind) {
    case "complete":
      return 0;
    case "cancelled":
      io.err("interrupted: keeping the runs that had finished\n");
      return 130;
    case "failed":
      return reportError(ending.error, io);
  }
}

/** The command line that computes the same numbers again. */
export function commandLine(command: "compare" | "sweep", file: string, options: TrainingOptions, out: string): string {
  const { strategies, seeds, rounds, privacy } = options;
  const parts = [`npx kumiai ${command}`, file, "--strategies", strategies.join(","), "--seeds", seeds.join(",")];
  if (rounds !== undefined) parts.push("--rounds", String(rounds));
  if (privacy === true) parts.push("--privacy");
  return [...parts, "--out", relative(process.cwd(), resolve(out)) || "."].join(" ");
}

/** What the times in a report depend on. */
function environment(): Readonly<Record<string, string>> {
  const cores = cpus();
  return {
    Node: process.versions.node,
    System: `${platform()} ${process.arch}`,
    Processor: `${cores.length} × ${cores[0]?.model.trim() ?? "unknown"}`,
  };
}

function isWriteFailure(error: unknown): boolean {
  return error instanceof KumiaiError && error.code === "WRITE_FAILED";
}

function hasRuns({ strategies }: ComparisonResult): boolean {
  return Object.values(strategies).some(({ perSeed }) => Object.keys(perSeed).length > 0);
}

/** `scenario` with what the command line changes in it. Throws INVALID_CONFIG if a client would never join. */
export function adjusted(scenario: Scenario, { rounds, privacy }: Pick<SharedOptions, "rounds" | "privacy">): Scenario {
  return withPrivacy(shortened(scenario, rounds), privacy);
}

/** Candidates a side where `--privacy` is given and the scenario says nothing. */
const PRIVACY_EXAMPLES = 64;

function withPrivacy(scenario: Scenario, asked: boolean | undefined): Scenario {
  return asked === true ? { ...scenario, privacy: scenario.privacy ?? { examples: PRIVACY_EXAMPLES } } : scenario;
}

/** `scenario` with another number of rounds. Throws INVALID_CONFIG if a client would never join. */
function shortened(scenario: Scenario, rounds: number | undefined): Scenario {
  if (rounds === undefined) return scenario;
  const late = scenario.clients.find((client) => client.joinsAtRound > rounds);
  if (late !== undefined) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `--rounds: expected at least ${late.joinsAtRound}, the round in which ${late.id} joins; received ${rounds}; raise it`,
    );
  }
  const warmupRounds = Math.min(scenario.training.warmupRounds, rounds - 1);
  return { ...scenario, training: { ...scenario.training, rounds, warmupRounds } };
}
