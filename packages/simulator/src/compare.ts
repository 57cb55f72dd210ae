/**
 * Several strategies over several seeds on one scenario: paired, concurrent, repeatable.
 *
 * Up to `threadCount` runs go on at once over one shared pool, so that a run that waits for its slowest site does not
 * leave cores idle. Runs are independent and their jobs pure, so neither their order nor their number changes a byte of
 * the result. A cancelled or failed comparison still returns every finished run.
 */
import type { ParamsFile } from "@kumiai/params";
import { assembleResult, type FinishedRun } from "./assemble.js";
import { checkSeeds, type PlannedRun, planRuns, stepsOfRun } from "./comparison-plan.js";
import type { Scenario } from "./config/scenario.js";
import { checkExamples, type DataSource, openData } from "./data/source.js";
import type { ComparisonEvent, Progress, RunEvent } from "./events.js";
import { initialParamsOf, loadInitialEncoder } from "./initial-params.js";
import { identifyRuns } from "./kept-runs/identify-runs.js";
import type { KeptRuns, RunIdentity } from "./kept-runs/kept-runs.js";
import { type NamedStrategy, resolveStrategies } from "./named-strategies.js";
import { openPictureBook, type PictureBook } from "./pictures.js";
import { createWorkerPool, type WorkerPool } from "./pool/pool.js";
import { measurePrivacy, type UpdateWatch, watchUpdates } from "./privacy.js";
import type { ComparisonResult, PictureSet } from "./result.js";
import { type RunOutcome, runStrategy } from "./run.js";
import { prepareSeed, type SeedContext } from "./seed-context.js";

export interface CompareOptions {
  readonly scenario: Scenario;
  /** Names from the scenario's `strategies` section or kinds of the registry. */
  readonly strategies: readonly string[];
  readonly seeds: readonly number[];
  /** Worker threads. */
  readonly threadCount: number;
  /** Folder for the compact copy of the source images. */
  readonly cacheDir: string;
  /** Folder with the public data sets, for scenarios that do not say where theirs are. */
  readonly dataDir: string;
  /** Milliseconds from any fixed moment, e.g. `() => performance.now()`. */
  readonly clock: () => number;
  readonly onEvent?: (event: ComparisonEvent) => void;
  /** Called after each finished run, and once for those kept from before, with everything finished so far, so that it can be written to disk. */
  readonly onRunFinished?: (partial: ComparisonResult) => void | Promise<void>;
  /** Where finished runs are kept and those of an earlier comparison are found; absent: nowhere. */
  readonly keptRuns?: KeptRuns;
  /** Told in one sentence what takes time before the first run, e.g. reading a data package. */
  readonly onNotice?: (message: string) => void;
  /** Aborting ends the comparison cleanly: jobs under way finish, the rest is dropped. */
  readonly signal?: AbortSignal;
}

export interface ComparisonOutcome {
  /** All finished runs; `result.complete` tells whether that is all of them. */
  readonly result: ComparisonResult;
  /** Test scenes of the first seed with the predictions of every strategy that finished it. */
  readonly pictures: readonly PictureSet[];
  readonly ending:
    | { readonly kind: "complete" }
    | { readonly kind: "cancelled" }
    | { readonly kind: "failed"; readonly error: unknown };
}

/** The strategy that gains are relative to, when it is among those run. */
export const BASELINE_STRATEGY = "local";

/**
 * Throws before any work for bad input: UNKNOWN_STRATEGY, INVALID_CONFIG, FILE_NOT_FOUND, DATA_PACKAGE_MISSING, ….
 * What goes wrong in a run (TRAINING_DIVERGED, WORKER_FAILED) ends the comparison as `ending.kind === "failed"`.
 */
export async function compareStrategies(options: CompareOptions): Promise<ComparisonOutcome> {
  const strategies = resolveStrategies(options.scenario, options.strategies);
  const seeds = checkSeeds(options.seeds);
  const encoder = await loadInitialEncoder(options.scenario);
  const data = await openData(options.scenario, options);
  checkExamples(data, options.scenario, seeds);
  const [first] = options.scenario.clients;
  if (encoder !== null && first !== undefined) initialParamsOf(data, 0, encoder)(first); // Does it fit?
  await using pool = createWorkerPool(options);
  const identify = options.keptRuns === undefined ? null : await identifyRuns(options.scenario, data, encoder);
  const comparison = new Comparison({ ...options, seeds }, { strategies, pool, data, encoder, identify });
  return await comparison.play();
}

/** What a comparison works with. */
interface Means {
  readonly strategies: readonly NamedStrategy[];
  readonly pool: WorkerPool;
  readonly data: DataSource;
  readonly encoder: ParamsFile | null;
  /** Null: no run is kept. */
  readonly identify: ((run: PlannedRun) => RunIdentity) | null;
}

class Comparison {
  readonly #options: CompareOptions;
  readonly #means: Means;
  readonly #pictures: PictureBook;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #finished: FinishedRun[] = [];
  readonly #contexts = new Map<number, Promise<SeedContext>>();
  readonly #runsLeftOfSeed = new Map<number, number>();
  readonly #startedAt: number;
  #progress: Progress;
  #error: unknown = null;
  #reported: Promise<void> = Promise.resolve();

  constructor(options: CompareOptions, means: Means) {
    this.#options = options;
    this.#means = means;
    this.#pictures = openPictureBook(options.scenario, means.pool);
    this.#signal =
      options.signal === undefined ? this.#stop.signal : AbortSignal.any([options.signal, this.#stop.signal]);
    this.#startedAt = options.clock();
    const totalRuns = means.strategies.length * options.seeds.length;
    this.#progress = { finishedSteps: 0, totalSteps: 0, finishedRuns: 0, totalRuns };
  }

  async play(): Promise<ComparisonOutcome> {
    const { scenario, seeds, threadCount } = this.#options;
    const { strategies, data } = this.#means;
    const { kept, waiting } = await this.#takeKept(planRuns(strategies, seeds));
    for (const { seed } of waiting) this.#runsLeftOfSeed.set(seed, (this.#runsLeftOfSeed.get(seed) ?? 0) + 1);
    const totalSteps = sum(
      [...this.#runsLeftOfSeed].map(([seed, runCount]) => runCount * stepsOfRun(scenario, data, seed)),
    );
    this.#progress = { ...this.#progress, totalSteps, finishedRuns: kept.length };
    this.#tell({
      type: "comparisonStarted",
      strategies: strategies.map(({ name }) => name),
      seeds,
      clients: scenario.clients.map((client) => client.id),
      threadCount,
    });
    for (const { named, seed } of kept) this.#tell({ type: "runKept", strategy: named.name, seed });
    if (kept.length > 0) await this.#report();
    const lane = async (): Promise<void> => {
      for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) await this.#play(run);
    };
    await Promise.all(Array.from({ length: Math.max(1, threadCount) }, lane));
    await this.#forgetAll();
    this.#tell({ type: "comparisonFinished", seconds: this.#seconds() });
    return { result: this.#assemble(), pictures: this.#pictures.sets(), ending: this.#ending() };
  }

  /** Takes over what an earlier comparison has finished; `waiting` is left to do. */
  async #takeKept(planned: readonly PlannedRun[]) {
    const [kept, waiting]: [PlannedRun[], PlannedRun[]] = [[], []];
    for (const run of planned) {
      const found = await this.#findKept(run);
      (found === null ? waiting : kept).push(run);
      if (found === null) continue;
      this.#finished.push(found.run);
      if (run.seed === this.#options.seeds[0]) this.#pictures.restore(run.named.name, found.pictures ?? []);
    }
    return { kept, waiting };
  }

  #findKept(run: PlannedRun) {
    const { identify } = this.#means;
    return identify === null ? null : (this.#options.keptRuns?.find(identify(run)) ?? null);
  }

  async #play(run: PlannedRun): Promise<void> {
    if (this.#signal.aborted) return;
    const { named, seed } = run;
    const { scenario, clock } = this.#options;
    try {
      const context = await this.#contextOf(seed);
      const watch = scenario.privacy === undefined ? undefined : watchUpdates();
      const { params, ...outcome } = await runStrategy({
        scenario,
        name: named.name,
        strategy: named.strategy,
        traffic: named.config.traffic ?? scenario.traffic,
        context,
        pool: this.#means.pool,
        clock,
        signal: this.#signal,
        onEvent: (event) => this.#follow(event),
        ...(watch === undefined ? {} : { onUpdates: watch.see }),
      });
      const constants = new Map([...context.clients].map(([id, client]) => [id, client.constants]));
      const unscored = new Map([...context.clients].map(([id, client]) => [id, client.undefinedScores]));
      const privacy = await this.#privacyOf(run, context, params, watch);
      const finished: FinishedRun = {
        strategy: named.name,
        seed,
        constants,
        undefinedScores: unscored,
        outcome,
        ...privacy,
      };
      this.#finished.push(finished);
      const hasPictures = seed === this.#options.seeds[0];
      // Without the signal: a run that has finished keeps its pictures too.
      if (hasPictures) await this.#pictures.add(named.name, context, params, undefined);
      await this.#keep(run, finished, hasPictures ? this.#pictures.setsOf(named.name) : null);
      await this.#report();
    } catch (error) {
      // The first failure decides; what fails after it was cancelled because of it.
      if (!this.#signal.aborted) {
        this.#error = error;
        this.#stop.abort();
      }
    }
    await this.#leaveSeed(seed);
  }

  async #keep(planned: PlannedRun, run: FinishedRun, pictures: readonly PictureSet[] | null): Promise<void> {
    const { identify } = this.#means;
    if (identify !== null) await this.#options.keptRuns?.keep(identify(planned), { run, pictures });
  }

  async #privacyOf(
    { named, seed }: PlannedRun,
    context: SeedContext,
    params: RunOutcome["params"],
    watch: UpdateWatch | undefined,
  ): Promise<Pick<FinishedRun, "privacy">> {
    const { privacy } = this.#options.scenario;
    if (privacy === undefined || watch === undefined) return {};
    const what = `strategy ${named.name}, seed ${seed}, privacy`;
    const { seen } = watch;
    const options = {
      context,
      pool: this.#means.pool,
      params,
      seen,
      examples: privacy.examples,
      what,
      signal: this.#signal,
    };
    return { privacy: await measurePrivacy(options) };
  }

  /** One call of `onRunFinished` after the other, so that two never write the same file at once. */
  #report(): Promise<void> {
    const next = this.#reported.then(() => this.#options.onRunFinished?.(this.#assemble()));
    this.#reported = next.catch(() => undefined);
    return next;
  }

  #contextOf(seed: number): Promise<SeedContext> {
    let context = this.#contexts.get(seed);
    if (context === undefined) {
      context = this.#prepare(seed);
      this.#contexts.set(seed, context);
    }
    return context;
  }

  async #prepare(seed: number): Promise<SeedContext> {
    const { scenario, clock } = this.#options;
    this.#tell({ type: "seedPreparing", seed });
    const startedAt = clock();
    const context = await prepareSeed({
      scenario,
      seed,
      pool: this.#means.pool,
      data: this.#means.data,
      encoder: this.#means.encoder,
      signal: this.#signal,
    });
    this.#tell({ type: "seedPrepared", seed, seconds: (clock() - startedAt) / 1000 });
    return context;
  }

  async #leaveSeed(seed: number): Promise<void> {
    const left = (this.#runsLeftOfSeed.get(seed) ?? 1) - 1;
    this.#runsLeftOfSeed.set(seed, left);
    if (left === 0) await this.#forget(seed);
  }

  async #forget(seed: number): Promise<void> {
    const context = await this.#contexts.get(seed)?.catch(() => undefined);
    this.#contexts.delete(seed);
    context?.[Symbol.dispose]();
  }

  async #forgetAll(): Promise<void> {
    for (const seed of [...this.#contexts.keys()]) await this.#forget(seed);
  }

  #follow(event: RunEvent): void {
    const progress = this.#progress;
    if (event.type === "clientTrained") {
      this.#progress = { ...progress, finishedSteps: progress.finishedSteps + event.stepCount };
    } else if (event.type === "runFinished") {
      this.#progress = { ...progress, finishedRuns: progress.finishedRuns + 1 };
    }
    this.#tell(event);
  }

  #tell(event: WithoutProgress<ComparisonEvent>): void {
    this.#options.onEvent?.({ ...event, progress: this.#progress } as ComparisonEvent);
  }

  #seconds(): number {
    return (this.#options.clock() - this.#startedAt) / 1000;
  }

  #assemble(): ComparisonResult {
    return assembleResult({
      scenario: this.#options.scenario,
      data: this.#means.data,
      strategies: this.#means.strategies,
      seeds: this.#options.seeds,
      baseline: BASELINE_STRATEGY,
      finished: this.#finished,
      encoderHash: this.#means.encoder?.sha256 ?? null,
      seconds: this.#seconds(),
    });
  }

  #ending(): ComparisonOutcome["ending"] {
    if (this.#error !== null) return { kind: "failed", error: this.#error };
    return this.#signal.aborted ? { kind: "cancelled" } : { kind: "complete" };
  }
}

type WithoutProgress<E> = E extends unknown ? Omit<E, "progress"> : never;

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
