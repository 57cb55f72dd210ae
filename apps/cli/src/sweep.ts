/** A sweep: the comparison of `compare` once for each degree, each in a folder of its own, and the plot over all of them. */
import { join } from "node:path";
import { KumiaiError, lockProcess, writeFileAtomic } from "@kumiai/params";
import {
  BASELINE_STRATEGY,
  type ComparisonResult,
  checkData,
  findSameDegrees,
  loadSweep,
  renderSweepCsv,
  renderSweepMarkdown,
  renderSweepPage,
  renderSweepSvg,
  resolveStrategies,
  type SweepResult,
  serializeSweep,
  summarizeSweep,
} from "@kumiai/simulator";
import { adjusted, commandLine, experimentOn, type SharedOptions } from "./experiment.js";
import { prepareOutputDir } from "./files.js";
import { cacheDir, dataDir } from "./folders.js";
import type { Io } from "./io.js";
import { processIdentity } from "./process-identity.js";

export interface SweepOptions extends SharedOptions {
  /** Path of the sweep. */
  readonly file: string;
  /** Absent: those of the file. */
  readonly strategies?: readonly string[];
  readonly seeds?: readonly number[];
  readonly force?: boolean;
}

export interface SweepOutcome {
  readonly result: SweepResult;
  /** Absolute path; null when no run of any degree finished, then there are no files of the sweep. */
  readonly dir: string | null;
  readonly exitCode: number;
}

/**
 * Runs the degrees one after the other, and writes `sweep.json` and what shows it after each. Runs that an earlier call has finished are
 * taken over. Ctrl-C or a failure ends it with what is done. Throws for what is wrong before the first run, and WRITE_FAILED.
 */
export async function runSweep(options: SweepOptions, io: Io): Promise<SweepOutcome> {
  const sweep = await loadSweep(options.file);
  const names = { strategies: options.strategies ?? sweep.strategies, seeds: options.seeds ?? sweep.seeds };
  if (!names.strategies.includes(BASELINE_STRATEGY)) {
    const found = names.strategies.join(",");
    throw new KumiaiError(
      "INVALID_CONFIG",
      `--strategies: expected "${BASELINE_STRATEGY}" among them, which gains are relative to; received ${found}; add it`,
    );
  }
  const degrees = sweep.degrees.map((degree) => ({ ...degree, scenario: adjusted(degree.scenario, options) }));
  const same = findSameDegrees(degrees);
  if (same !== undefined) {
    const [first, second] = [degrees[same.first]?.label, degrees[same.second]?.label];
    throw new KumiaiError(
      "INVALID_CONFIG",
      `--rounds: expected degrees that still differ, received ${options.rounds}, with which ${first} and ${second} are the same; leave it out`,
    );
  }
  for (const { scenario } of degrees) resolveStrategies(scenario, names.strategies);
  // The last degree's data are not found wanting after hours of the others.
  const folders = { cacheDir: cacheDir(options.cache, io), dataDir: dataDir(options.data, io) };
  for (const { scenario } of degrees) await checkData(scenario, names.seeds, folders);
  const dir = await prepareOutputDir(options.out ?? join("runs", sweep.name));
  await using _lock = await lockProcess(join(dir, ".sweep.lock"), processIdentity());
  const training = { ...options, ...names, keep: { force: options.force === true } };
  const command = commandLine("sweep", options.file, training, dir);
  const results: ComparisonResult[] = [];
  for (const [index, { label, folder, scenario }] of degrees.entries()) {
    io.err(`degree ${index + 1} of ${degrees.length}: ${sweep.axis.label} ${label}\n`);
    const done = await experimentOn(scenario, { ...training, out: join(dir, folder), command }, io);
    if (done.written !== null) {
      results.push(done.result);
      await writeSweep(dir, summarizeSweep(sweep, names, results), command);
    }
    if (done.exitCode !== 0) return { ...outcomeOf(dir, results.length), exitCode: done.exitCode };
  }
  return { ...outcomeOf(dir, results.length), exitCode: 0 };

  function outcomeOf(folder: string, count: number): Omit<SweepOutcome, "exitCode"> {
    return { result: summarizeSweep(sweep, names, results), dir: count === 0 ? null : folder };
  }
}

async function writeSweep(dir: string, sweep: SweepResult, command: string): Promise<void> {
  const files = {
    "sweep.json": serializeSweep(sweep),
    "sweep.html": renderSweepPage({ sweep, command }),
    "sweep.svg": renderSweepSvg(sweep),
    "sweep.md": renderSweepMarkdown(sweep),
    "sweep.csv": renderSweepCsv(sweep),
  };
  for (const [name, text] of Object.entries(files)) await writeFileAtomic(join(dir, name), text);
}
