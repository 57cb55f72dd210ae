/** From finished runs to `ComparisonResult`: pairs every run with the baseline of its seed and averages over seeds. */
import {
  clientGainPercent,
  interval95,
  mean,
  meanGainPercent,
  relativeGainPercent,
  sampleStd,
} from "@kumiai/algorithms";
import type { ClientId } from "@kumiai/params";
import type { ClientConfig, Scenario } from "./config/scenario.js";
import type { TrafficConfig } from "./config/traffic-schema.js";
import { configHashOf } from "./config-hash.js";
import type { DataSource } from "./data/source.js";
import { describeTask, isAboveConstant, metricOf, type UndefinedScore } from "./evaluation.js";
import { unfitBaseline } from "./left-out.js";
import { createModel, type TaskSpec } from "./model.js";
import type { NamedStrategy } from "./named-strategies.js";
import {
  type ClientPrivacy,
  type ClientResult,
  type ComparisonResult,
  RESULT_SCHEMA_VERSION,
  type ScenarioClient,
  type SeedResult,
  type StrategyResult,
  type TaskResult,
} from "./result.js";
import type { RunOutcome } from "./run.js";
import { differenceAgainst } from "./statistics/against.js";
import { trafficTotals } from "./traffic/totals.js";
import { KUMIAI_VERSION } from "./version.js";

export interface FinishedRun {
  readonly strategy: string;
  readonly seed: number;
  /** By client and task: what the best constant prediction scores. */
  readonly constants: ReadonlyMap<ClientId, Readonly<Record<string, number>>>;
  /** By client: tasks whose metric has no value on its test data. */
  readonly undefinedScores?: ReadonlyMap<ClientId, Readonly<Record<string, UndefinedScore>>>;
  readonly outcome: Pick<RunOutcome, "metrics" | "rounds" | "seconds">;
  readonly privacy?: Readonly<Record<string, ClientPrivacy>>;
}

export interface AssembleOptions {
  readonly scenario: Scenario;
  readonly data: Pick<DataSource, "modelOf" | "countsOf">;
  readonly strategies: readonly NamedStrategy[];
  readonly seeds: readonly number[];
  /** Gains are relative to the strategy of this name. */
  readonly baseline: string;
  readonly finished: readonly FinishedRun[];
  /** SHA-256 of the encoder file; null without one. */
  readonly encoderHash: string | null;
  readonly seconds: number;
}

/** Strategies in the order asked for, seeds in the order asked for, whatever the order in which runs finished. */
export function assembleResult(options: AssembleOptions): ComparisonResult {
  const { scenario, seeds, baseline, finished } = options;
  const runOf = (strategy: string, seed: number): FinishedRun | undefined =>
    finished.find((run) => run.strategy === strategy && run.seed === seed);
  const taskOf = taskFinder(options);
  const hasBaseline = finished.some((run) => run.strategy === baseline);
  const perStrategy = options.strategies.map((named) => {
    const perSeed: Record<string, SeedResult> = {};
    for (const seed of seeds) {
      const run = runOf(named.name, seed);
      if (run !== undefined) perSeed[seed] = seedResult(run, runOf(baseline, seed), taskOf);
    }
    return [named, perSeed] as const;
  });
  const clients = scenario.clients.map((client) => scenarioClient(options, client));
  const perSeedOf = new Map(perStrategy.map(([{ name }, perSeed]) => [name, perSeed]));
  const pooled = perStrategy.find(([named]) => named.config.kind === "pooled")?.[1] ?? {};
  const pooledGain = gainOf(hasFailed(pooled, perSeedOf.get(baseline)) ? {} : pooled);
  return {
    schemaVersion: RESULT_SCHEMA_VERSION,
    kumiaiVersion: KUMIAI_VERSION,
    complete: finished.length === options.strategies.length * seeds.length,
    scenario: {
      name: scenario.name,
      description: scenario.description,
      configHash: configHashOf(scenario, options.encoderHash),
      rounds: scenario.training.rounds,
      clients,
      ...(scenario.prices === undefined ? {} : { prices: scenario.prices }),
      ...(scenario.thresholds === undefined ? {} : { thresholds: scenario.thresholds }),
    },
    seeds,
    baseline: hasBaseline ? baseline : null,
    strategies: Object.fromEntries(
      perStrategy.map(([named, perSeed]) => [
        named.name,
        strategyResult(named, perSeed, {
          pooledGain,
          clients,
          traffic: named.config.traffic ?? scenario.traffic,
          alone: perSeedOf.get(baseline),
          perSeedOf,
        }),
      ]),
    ),
    seconds: options.seconds,
  };
}

function scenarioClient({ data, seeds }: AssembleOptions, client: ClientConfig): ScenarioClient {
  const model = data.modelOf(client);
  const { slots, size } = createModel(model).layout;
  const counts = data.countsOf(client, seeds[0] ?? 0);
  const labels = seeds.map((seed) => data.countsOf(client, seed).trainLabels);
  const shared = slots.filter((slot) => slot.role.kind === "encoder" || slot.role.kind === "decoder");
  return {
    id: client.id,
    domain: client.domain,
    tasks: model.tasks.map(describeTask),
    ...client.scenes,
    trainCount: counts.train,
    testCount: counts.test,
    trainLabelCount: mean(labels),
    paramCount: size,
    sharedParamCount: shared.reduce((sum, slot) => sum + slot.size, 0),
  };
}

type FindTask = (client: ClientId, task: string) => TaskSpec;

function taskFinder({ scenario, data }: AssembleOptions): FindTask {
  const tasks = new Map<string, TaskSpec>(
    scenario.clients.flatMap((client) =>
      data.modelOf(client).tasks.map((task) => [`${client.id}/${task.id}`, task] as const),
    ),
  );
  return (client, task) => {
    const found = tasks.get(`${client}/${task}`);
    if (found === undefined) throw new Error(`client ${client} has no task ${task}`);
    return found;
  };
}

function seedResult(run: FinishedRun, baseline: FinishedRun | undefined, taskOf: FindTask): SeedResult {
  const clients: Record<string, ClientResult> = {};
  for (const [id, metrics] of run.outcome.metrics) {
    const constants = run.constants.get(id) ?? {};
    const against = baseline?.outcome.metrics.get(id);
    const tasks: Record<string, TaskResult> = {};
    for (const [task, value] of Object.entries(metrics)) {
      const spec = taskOf(id, task);
      const constant = constants[task] ?? Number.NaN;
      const alone = against?.[task] ?? Number.NaN;
      const leftOut =
        run.undefinedScores?.get(id)?.[task] ?? (against === undefined ? undefined : unfitBaseline(alone));
      tasks[task] = {
        value,
        constant,
        aboveConstant: Number.isNaN(constant) ? null : isAboveConstant(spec, value, constant),
        relativeGainPercent: relativeGainPercent(alone, value, metricOf(spec).higherIsBetter),
        ...(leftOut === undefined ? {} : { leftOut }),
      };
    }
    clients[id] = { relativeGainPercent: clientGainPercent(gainsIn(tasks)), tasks };
  }
  const { rounds, seconds } = run.outcome;
  const rated = Object.values(clients).map(({ tasks }) => gainsIn(tasks));
  const gain = meanGainPercent(rated.filter((gains) => gains.length > 0));
  return {
    relativeGainPercent: gain,
    clients,
    rounds,
    ...(run.privacy === undefined ? {} : { privacy: run.privacy }),
    seconds,
  };
}

interface StrategyFacts {
  readonly pooledGain: number | null;
  readonly clients: readonly ScenarioClient[];
  readonly traffic: TrafficConfig | undefined;
  /** The baseline's. */
  readonly alone: Readonly<Record<string, SeedResult>> | undefined;
  /** Of every strategy, for pairing. */
  readonly perSeedOf: ReadonlyMap<string, Readonly<Record<string, SeedResult>>>;
}

function strategyResult(
  named: NamedStrategy,
  perSeed: Readonly<Record<string, SeedResult>>,
  { pooledGain, clients, traffic, alone, perSeedOf }: StrategyFacts,
): StrategyResult {
  const runs = Object.values(perSeed);
  const gains = hasFailed(perSeed, alone) ? [] : gainsOf(perSeed);
  const gain = gains.length === 0 ? null : mean(gains);
  return {
    ...(named.config.kind === named.name ? {} : { kind: named.config.kind }),
    summary: named.summary,
    relativeGainPercent: gain,
    relativeGainStdPercent: sampleStd(gains),
    relativeGainInterval95: interval95(gains),
    pooledGainShare: gain === null || pooledGain === null || pooledGain <= 0 ? null : gain / pooledGain,
    ...(traffic === undefined ? {} : { traffic }),
    ...trafficTotals(runs, clients),
    notAboveConstant: [...new Set(runs.flatMap(notAboveConstant))].sort(),
    ...againstReferences(named.name, perSeed, { alone, perSeedOf }),
    perSeed,
  };
}

/** Strategies that every other one is compared with, seed by seed, where they were run. */
const REFERENCES = ["local", "fedavg"] as const;

function againstReferences(
  name: string,
  perSeed: Readonly<Record<string, SeedResult>>,
  { alone, perSeedOf }: Pick<StrategyFacts, "alone" | "perSeedOf">,
): Pick<StrategyResult, "against"> {
  const entries = REFERENCES.flatMap((reference) => {
    const theirs = perSeedOf.get(reference);
    if (reference === name || theirs === undefined || hasFailed(perSeed, alone) || hasFailed(theirs, alone)) return [];
    const difference = differenceAgainst(perSeed, theirs);
    return difference === null ? [] : [[reference, difference] as const];
  });
  return entries.length === 0 ? {} : { against: Object.fromEntries(entries) };
}

function gainOf(perSeed: Readonly<Record<string, SeedResult>>): number | null {
  const gains = gainsOf(perSeed);
  return gains.length === 0 ? null : mean(gains);
}

/** Whether some seed has no gain though its baseline is there: a mean over the other seeds would flatter the strategy. */
function hasFailed(
  perSeed: Readonly<Record<string, SeedResult>>,
  alone: Readonly<Record<string, SeedResult>> | undefined,
): boolean {
  return Object.entries(perSeed).some(
    ([seed, { clients }]) =>
      alone?.[seed] !== undefined &&
      Object.values(clients).some(({ tasks }) => gainsIn(tasks).some((gain) => gain === null)),
  );
}

function gainsOf(perSeed: Readonly<Record<string, SeedResult>>): number[] {
  return Object.values(perSeed).flatMap((run) => run.relativeGainPercent ?? []);
}

/** Of the tasks that count. */
function gainsIn(tasks: Readonly<Record<string, TaskResult>>): (number | null)[] {
  return Object.values(tasks).flatMap((task) => (task.leftOut === undefined ? [task.relativeGainPercent] : []));
}

function notAboveConstant(run: SeedResult): string[] {
  return Object.entries(run.clients).flatMap(([client, { tasks }]) =>
    Object.entries(tasks).flatMap(([task, { aboveConstant }]) =>
      aboveConstant !== false ? [] : [`${client}/${task}`],
    ),
  );
}
