/**
 * The numbers that a decision needs, from a result: accuracy, communication and cost, privacy risk. Every number that was not
 * measured is null; nothing is guessed. Means are over the seeds that finished.
 *
 * Notation: Δ%, relative gain over training alone; Δ_r, the same with the metrics after round r against alone's final ones.
 */
import { clientGainPercent, meanGainPercent, relativeGainPercent } from "@kumiai/algorithms";
import type { PricesConfig } from "../../config/decision-schema.js";
import { failedTasks, type LeftOutTask } from "../../left-out.js";
import type { RoundRecord, ScenarioClient, SeedResult } from "../../result.js";
import { recordOf } from "../series.js";
import { meanOf, type Spread, spreadOf } from "../statistics.js";
import { type FocusChoice, gainBySeed, leftOutOf, type ReportStrategy, type ReportView, seedResults } from "../view.js";
import { findNoGain, type NoGain, type RunFacts, runFacts } from "./missing.js";
import { type SitePrivacy, sitePrivacy } from "./privacy.js";

export interface TaskFacts {
  readonly id: string;
  readonly metric: string;
  readonly unit: string;
  readonly higherIsBetter: boolean;
  readonly alone: number | null;
  readonly together: number | null;
  readonly gain: Spread | null;
  /** Why it has no part in the gain, in some seed or in all; empty: it has. */
  readonly leftOut: readonly LeftOutTask[];
  /** Seeds in which it has no finite score although training alone has one. */
  readonly failedSeeds: readonly number[];
  /** False where training alone was no better than a constant prediction: then a change says nothing. */
  readonly learnedAlone: boolean;
}

export interface SiteFacts {
  readonly id: string;
  readonly tasks: readonly TaskFacts[];
  readonly gain: Spread | null;
  /** Mean over the rounds that the site took part in. */
  readonly upBytesPerRound: number;
  readonly downBytesPerRound: number;
  /** One way. */
  readonly fullModelBytes: number;
  /** Of local training, the whole run. */
  readonly computeSeconds: number;
  /** Null: not measured. */
  readonly privacy: SitePrivacy | null;
}

export interface CostFacts {
  readonly currency: string;
  readonly traffic: number;
  readonly compute: number;
  /** Null where labels have no price; the same alone and together. */
  readonly labels: number | null;
  /** Training labels of all sites and tasks, mean over seeds. */
  readonly labelCount: number;
  /** False in results of older versions: then every training example counts as labeled for every task. */
  readonly areLabelsCounted: boolean;
  readonly total: number;
  /** What training alone costs. */
  readonly alone: number | null;
}

/** Where prices and thresholds come from. */
export interface LimitsSource {
  /** The scenario file that was given for them; null: the scenario that was run. */
  readonly file: string | null;
  /** False: the scenario has none, and Kumiai's own hold. */
  readonly hasThresholds: boolean;
  /** False: the scenario has none, and nothing is said about money. */
  readonly hasPrices: boolean;
}

export interface DecisionFacts {
  readonly strategy: ReportStrategy;
  /** How it came to be the one; null: it was asked for by name. */
  readonly choice: FocusChoice | null;
  readonly runs: RunFacts;
  /** Why there is no Δ; null: there is. */
  readonly noGain: NoGain | null;
  readonly limits: LimitsSource;
  /** Seeds with a Δ. */
  readonly seedCount: number;
  /** Null exactly where `noGain` says why. */
  readonly gain: Spread | null;
  readonly sites: readonly SiteFacts[];
  /** The site with the lowest mean gain. */
  readonly worst: SiteFacts | null;
  readonly seeds: readonly number[];
  /** `site/task` that were no better than a constant prediction with the strategy. */
  readonly notLearned: readonly string[];
  readonly rounds: number;
  /** First round evaluated whose Δ_r is at least 95 % of the last; null where the last is not above 0. */
  readonly roundsTo95: number | null;
  /** Rounds after which was evaluated. */
  readonly evaluatedRounds: readonly number[];
  readonly upBytes: number;
  readonly downBytes: number;
  readonly broadcastBytes: number | null;
  readonly fullModelBytes: number;
  readonly computeSeconds: number;
  readonly aloneComputeSeconds: number | null;
  /** Sites side by side: in each round the slowest counts, with its transfers where the speed of lines is known. */
  readonly elapsedSeconds: number;
  readonly cost: CostFacts | null;
}

const BYTES_PER_GIGABYTE = 1e9;
const SECONDS_PER_HOUR = 3600;

export interface DecisionBasis {
  /** How the strategy came to be the one that is decided on; null: it was asked for by name. Default: the view's choice. */
  readonly choice?: FocusChoice | null;
  /** As in `LimitsSource`. */
  readonly limitsFile?: string | null;
}

/** `strategy`: the one that is decided on. */
export function decisionFacts(
  view: ReportView,
  strategy: ReportStrategy,
  { choice = view.choice, limitsFile = null }: DecisionBasis = {},
): DecisionFacts {
  const { scenario } = view.result;
  const { prices } = scenario;
  const seeds = seedResults(view, strategy);
  const sites = scenario.clients.map((client) => siteFacts(view, strategy, client));
  const rated = sites.filter(({ gain }) => gain !== null);
  const worst = rated.reduce<SiteFacts | null>((low, site) => (gainOf(site) < gainOf(low) ? site : low), null);
  const gains = [...gainBySeed(view, strategy).values()];
  const noGain = findNoGain(view, strategy, gains.length > 0);
  const computeSeconds = sites.reduce((sum, site) => sum + site.computeSeconds, 0);
  const aloneComputeSeconds = view.baseline === null ? null : computeOf(seedResults(view, view.baseline));
  const curve = gainOverRounds(view, strategy);
  const { upBytes, downBytes, broadcastBytes } = strategy.result;
  return {
    strategy,
    choice,
    runs: runFacts(view.result),
    noGain,
    limits: { file: limitsFile, hasThresholds: scenario.thresholds !== undefined, hasPrices: prices !== undefined },
    seedCount: gains.length,
    gain: noGain === null ? spreadOf(gains) : null,
    sites,
    worst,
    seeds: view.result.seeds,
    notLearned: strategy.result.notAboveConstant,
    rounds: scenario.rounds,
    roundsTo95: firstRoundNear(curve),
    evaluatedRounds: curve.map(([round]) => round),
    upBytes,
    downBytes,
    broadcastBytes: broadcastBytes ?? null,
    fullModelBytes: strategy.result.fullModelBytes ?? wholeModels(view),
    computeSeconds,
    aloneComputeSeconds,
    elapsedSeconds: meanOf(seeds.map((seed) => elapsedOf(seed, prices))) ?? 0,
    cost:
      prices === undefined ? null : costOf(view, prices, { upBytes, downBytes, computeSeconds, aloneComputeSeconds }),
  };
}

function gainOf(site: SiteFacts | null): number {
  return site?.gain?.mean ?? Number.POSITIVE_INFINITY;
}

function siteFacts(view: ReportView, strategy: ReportStrategy, client: ScenarioClient): SiteFacts {
  const seeds = seedResults(view, strategy);
  const records = seeds.flatMap(({ rounds }) =>
    rounds.flatMap((record) => {
      const own = record.round === 0 ? undefined : recordOf(record, client.id);
      return own === undefined || own.absent ? [] : [own];
    }),
  );
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const tasks = client.tasks.map((task) => taskFacts(view, strategy, client.id, task));
  const hasFailed = tasks.some(({ failedSeeds }) => failedSeeds.length > 0);
  return {
    id: client.id,
    tasks,
    gain: hasFailed ? null : spreadOf(seeds.map((seed) => seed.clients[client.id]?.relativeGainPercent)),
    upBytesPerRound: meanOf(records.map(({ upBytes }) => upBytes)) ?? 0,
    downBytesPerRound: meanOf(records.map(({ downBytes }) => downBytes)) ?? 0,
    fullModelBytes: 4 * client.paramCount,
    computeSeconds: seeds.length === 0 ? 0 : sum(records.map(({ seconds }) => seconds)) / seeds.length,
    privacy: sitePrivacy(view, strategy, client.id),
  };
}

function taskFacts(
  view: ReportView,
  strategy: ReportStrategy,
  client: string,
  task: ScenarioClient["tasks"][number],
): TaskFacts {
  const { baseline } = view;
  const resultsOf = (one: ReportStrategy) =>
    seedResults(view, one).flatMap((seed) => seed.clients[client]?.tasks[task.id] ?? []);
  const together = resultsOf(strategy);
  const failedSeeds = failedTasks(view.result)
    .filter((one) => one.strategy === strategy.name && one.client === client && one.task === task.id)
    .flatMap(({ seeds }) => seeds);
  return {
    ...task,
    alone: baseline === null ? null : meanOf(resultsOf(baseline).map(({ value }) => value)),
    together: meanOf(together.map(({ value }) => value)),
    gain: failedSeeds.length > 0 ? null : spreadOf(together.map(({ relativeGainPercent }) => relativeGainPercent)),
    leftOut: leftOutOf(view, client, task.id),
    failedSeeds,
    learnedAlone: !(baseline?.result.notAboveConstant.includes(`${client}/${task.id}`) ?? false),
  };
}

function computeOf(seeds: readonly SeedResult[]): number {
  const totals = seeds.map(({ rounds }) =>
    rounds.reduce((sum, { clients }) => sum + Object.values(clients).reduce((all, { seconds }) => all + seconds, 0), 0),
  );
  return meanOf(totals) ?? 0;
}

function elapsedOf({ rounds }: SeedResult, prices: PricesConfig | undefined): number {
  const bitPerSecond =
    prices?.megabitPerSecond === undefined ? Number.POSITIVE_INFINITY : 1e6 * prices.megabitPerSecond;
  return rounds.reduce((sum, { clients }) => {
    const times = Object.values(clients).map(
      ({ seconds, upBytes, downBytes }) => seconds + (8 * (upBytes + downBytes)) / bitPerSecond,
    );
    return sum + Math.max(0, ...times);
  }, 0);
}

function wholeModels({ result }: ReportView): number {
  return result.scenario.clients.reduce((sum, { paramCount }) => sum + 8 * paramCount, 0) * result.scenario.rounds;
}

type Totals = Pick<DecisionFacts, "upBytes" | "downBytes" | "computeSeconds" | "aloneComputeSeconds">;

function costOf(view: ReportView, prices: PricesConfig, totals: Totals): CostFacts {
  const compute = (seconds: number): number => (seconds / SECONDS_PER_HOUR) * prices.perCoreHour;
  const traffic = ((totals.upBytes + totals.downBytes) / BYTES_PER_GIGABYTE) * prices.perGigabyte;
  const { clients } = view.result.scenario;
  const labelCount = clients.reduce(
    (sum, { trainLabelCount, trainCount, tasks }) => sum + (trainLabelCount ?? trainCount * tasks.length),
    0,
  );
  const labels = prices.perLabel === undefined ? null : labelCount * prices.perLabel;
  const own = compute(totals.computeSeconds);
  return {
    currency: prices.currency,
    traffic,
    compute: own,
    labels,
    labelCount,
    areLabelsCounted: clients.every(({ trainLabelCount }) => trainLabelCount !== undefined),
    total: traffic + own + (labels ?? 0),
    alone: totals.aloneComputeSeconds === null ? null : compute(totals.aloneComputeSeconds) + (labels ?? 0),
  };
}

/** [round, Δ_r], mean over seeds; only rounds in which every site that there is at the end was evaluated. */
function gainOverRounds(view: ReportView, strategy: ReportStrategy): readonly (readonly [number, number])[] {
  const byRound = new Map<number, number[]>();
  for (const seed of view.result.seeds) {
    const own = strategy.result.perSeed[String(seed)];
    const alone = view.baseline?.result.perSeed[String(seed)];
    if (own === undefined || alone === undefined) continue;
    for (const record of own.rounds) {
      const gain = gainAfter(view, record, own, alone);
      if (gain !== null) byRound.set(record.round, [...(byRound.get(record.round) ?? []), gain]);
    }
  }
  return [...byRound]
    .sort(([a], [b]) => a - b)
    .flatMap(([round, gains]) => {
      const gain = meanOf(gains);
      return gain === null ? [] : [[round, gain] as const];
    });
}

function gainAfter(view: ReportView, record: RoundRecord, own: SeedResult, alone: SeedResult): number | null {
  const gains = view.result.scenario.clients.flatMap((client) => {
    if (own.clients[client.id] === undefined) return []; // Never joined.
    const metrics = recordOf(record, client.id)?.metrics;
    const tasks = client.tasks.flatMap(({ id, higherIsBetter }) => {
      const reached = alone.clients[client.id]?.tasks[id];
      if (reached?.leftOut !== undefined) return [];
      return [relativeGainPercent(reached?.value ?? Number.NaN, metrics?.[id] ?? Number.NaN, higherIsBetter)];
    });
    return tasks.length === 0 ? [] : [clientGainPercent(tasks)];
  });
  return meanGainPercent(gains.map((gain) => [gain]));
}

function firstRoundNear(curve: readonly (readonly [number, number])[]): number | null {
  const last = curve.at(-1)?.[1];
  if (last === undefined || last <= 0) return null;
  return curve.find(([, gain]) => gain >= 0.95 * last)?.[0] ?? null;
}
