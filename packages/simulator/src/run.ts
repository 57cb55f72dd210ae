/**
 * One run: one strategy, one seed, all rounds. The strategy decides, workers train and evaluate, this file carries
 * params between them and writes down what happened.
 *
 * A round: assignments → local training of the clients present → exchange and aggregation → from time to time evaluation.
 * Nothing here depends on the order in which jobs end: updates are handed on in the scenario's order.
 */
import type { ClientSpec, ClientUpdate, RoundDiagnostics, Strategy } from "@kumiai/algorithms";
import { type ClientId, createRng, KumiaiError, type ParamVector } from "@kumiai/params";
import { hasJoined, isPresent, type Scenario } from "./config/scenario.js";
import type { TrafficConfig } from "./config/traffic-schema.js";
import type { RunEvent } from "./events.js";
import type { WorkerPool } from "./pool/pool.js";
import {
  type ExchangeRecord,
  initialRecord,
  type LocalTraining,
  type MetricsByClient,
  roundRecord,
} from "./records.js";
import type { RoundRecord } from "./result.js";
import { type LocalTrainer, pooledTrainer, siteTrainer } from "./round-training.js";
import { clientOf, evaluateClients, type SeedContext } from "./seed-context.js";
import { type Exchange, openExchange, plainExchange } from "./traffic/exchange.js";

export interface RunOptions {
  readonly scenario: Scenario;
  /** The name that the run has in the result. */
  readonly name: string;
  readonly strategy: Strategy;
  readonly context: SeedContext;
  /** How updates are encoded and how often exchanged; absent: in every round, params as they are. */
  readonly traffic?: TrafficConfig | undefined;
  readonly pool: WorkerPool;
  /** Milliseconds from any fixed moment. */
  readonly clock: () => number;
  readonly onEvent?: (event: RunEvent) => void;
  /** Given the updates of every round as the server saw them, after it has aggregated them. */
  readonly onUpdates?: (round: number, updates: readonly ClientUpdate[], diagnostics: RoundDiagnostics) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface RunOutcome {
  readonly rounds: readonly RoundRecord[];
  /** What clients use after the last round: their own copy where they keep one. Clients that never joined are not in it. */
  readonly params: ReadonlyMap<ClientId, ParamVector>;
  /** Test metrics after the last round. */
  readonly metrics: MetricsByClient;
  readonly seconds: number;
}

/**
 * Runs all rounds. Throws TRAINING_DIVERGED (naming strategy, seed, round and client), WORKER_FAILED, CANCELLED, or
 * what the strategy throws.
 */
export async function runStrategy(options: RunOptions): Promise<RunOutcome> {
  const { name, context, scenario, clock, onEvent = () => {} } = options;
  const failure = new AbortController();
  const signal = options.signal === undefined ? failure.signal : AbortSignal.any([options.signal, failure.signal]);
  const run = new StrategyRun({ ...options, onEvent, signal });
  const startedAt = clock();
  onEvent({ type: "runStarted", strategy: name, seed: context.seed, roundCount: scenario.training.rounds });
  try {
    for (let round = 1; round <= scenario.training.rounds; round++) await run.playRound(round);
  } catch (error) {
    failure.abort();
    throw error;
  }
  const seconds = (clock() - startedAt) / 1000;
  onEvent({ type: "runFinished", strategy: name, seed: context.seed, seconds });
  return { rounds: run.records, params: run.usedParams(), metrics: run.metrics, seconds };
}

type FullOptions = RunOptions & Required<Pick<RunOptions, "onEvent" | "signal">>;

class StrategyRun {
  readonly records: RoundRecord[] = [];
  /** What clients start the next round from. */
  readonly params: Map<ClientId, ParamVector>;
  metrics: MetricsByClient;
  readonly #options: FullOptions;
  readonly #trainer: LocalTrainer;
  readonly #exchange: Exchange;
  /** What each client has had since its last exchange, from its first training on. */
  readonly #bases = new Map<ClientId, ParamVector>();
  #state: unknown;

  constructor(options: FullOptions) {
    const { scenario, strategy, context, pool, name } = options;
    this.#options = options;
    const founders = scenario.clients.filter((client) => hasJoined(client, 1)).map((client) => client.id);
    this.params = new Map(founders.map((id) => [id, clientOf(context.clients, id).initialParams]));
    this.metrics = new Map(founders.map((id) => [id, context.initialMetrics.get(id) ?? {}]));
    this.records.push(initialRecord(founders, this.metrics));
    this.#state = strategy.init(this.#specs(founders));
    this.#exchange = options.traffic === undefined ? plainExchange() : openExchange(options.traffic);
    const what = `strategy ${name}, seed ${context.seed}`;
    const open = strategy.training === "pooled" ? pooledTrainer : siteTrainer;
    this.#trainer = open({ scenario, context, pool, what, signal: options.signal, rng: createRng(context.seed) });
  }

  async playRound(round: number): Promise<void> {
    const { scenario, strategy, context, clock, onEvent, signal, name } = this.#options;
    if (signal?.aborted)
      throw new KumiaiError("CANCELLED", `strategy ${name}, seed ${context.seed}: cancelled before round ${round}`);
    const startedAt = clock();
    const about = { strategy: name, seed: context.seed, round } as const;
    const roundCount = scenario.training.rounds;
    const roster = scenario.clients.filter((client) => hasJoined(client, round));
    const present = roster.filter((client) => isPresent(client, round)).map((client) => client.id);
    const rosterIds = roster.map((client) => client.id);
    const absent = rosterIds.filter((id) => !present.includes(id));
    for (const id of rosterIds) {
      if (!this.params.has(id)) this.params.set(id, clientOf(context.clients, id).initialParams);
    }
    onEvent({ type: "roundStarted", ...about, roundCount, present, absent });

    const trainings = await this.#trainer.train({
      round,
      params: new Map(present.map((id) => [id, paramsOf(this.params, id)])),
      received: this.#bases,
      assignmentOf: (spec) => strategy.assignment(this.#state, spec),
      onTrained: (client, loss, stepCount, seconds) =>
        onEvent({ type: "clientTrained", ...about, client, loss, stepCount, seconds }),
    });

    const exchanged = this.#exchangeIfDue(round, rosterIds, trainings);
    const metrics = await this.#evaluateIfDue(round);
    const seconds = (clock() - startedAt) / 1000;
    this.records.push(roundRecord({ round, roster: rosterIds, trainings, exchanged, metrics, seconds }));
    onEvent({ type: "roundFinished", ...about, roundCount, loss: meanLoss(trainings), seconds });
  }

  /** Hands updates on and takes in what comes back; null between two exchanges, where every client goes on alone. */
  #exchangeIfDue(
    round: number,
    roster: readonly ClientId[],
    trainings: ReadonlyMap<ClientId, LocalTraining>,
  ): ExchangeRecord | null {
    const { scenario, strategy, context, traffic } = this.#options;
    const updates: ClientUpdate[] = [];
    for (const [id, { update }] of trainings) {
      const base = this.#bases.get(id) ?? update.base;
      this.#bases.set(id, base);
      updates.push({ ...update, base });
    }
    const isLast = round === scenario.training.rounds;
    if (!isLast && round % (traffic?.syncEveryRounds ?? 1) !== 0) {
      for (const { client, local } of updates) this.params.set(client, local);
      return null;
    }
    const specs = this.#specs(roster);
    const { output, params, bytes, broadcastBytes } = this.#exchange.play({
      updates,
      specOf: (id) => clientOf(context.clients, id).spec,
      aggregate: (seen) => {
        const aggregated = strategy.aggregate(this.#state, { round, clients: specs, updates: seen });
        this.#options.onUpdates?.(round, seen, aggregated.diagnostics);
        return aggregated;
      },
      rng: createRng(context.seed).split("traffic").split(`round-${round}`),
    });
    this.#state = output.state;
    for (const [id, vector] of params) {
      this.params.set(id, vector);
      this.#bases.set(id, vector);
    }
    return { diagnostics: output.diagnostics, bytes, broadcastBytes };
  }

  /** By client: its own copy where it keeps one, else what it starts the next round from. */
  usedParams(): ReadonlyMap<ClientId, ParamVector> {
    const { personal } = this.#trainer;
    return new Map([...this.params].map(([id, params]) => [id, personal.get(id) ?? params]));
  }

  async #evaluateIfDue(round: number): Promise<MetricsByClient | null> {
    const { scenario, context, pool, signal, name, onEvent } = this.#options;
    const isLast = round === scenario.training.rounds;
    if (!isLast && round % scenario.evaluation.everyRounds !== 0) return null;
    const what = `strategy ${name}, seed ${context.seed}, round ${round}`;
    this.metrics = await evaluateClients({
      scenario,
      pool,
      clients: context.clients,
      params: this.usedParams(),
      what,
      signal,
    });
    onEvent({
      type: "evaluated",
      strategy: name,
      seed: context.seed,
      round,
      metrics: Object.fromEntries(this.metrics),
    });
    return this.metrics;
  }

  #specs(ids: readonly ClientId[]): readonly ClientSpec[] {
    return ids.map((id) => clientOf(this.#options.context.clients, id).spec);
  }
}

function meanLoss(trainings: ReadonlyMap<ClientId, LocalTraining>): number {
  let sum = 0;
  for (const { taskLosses } of trainings.values()) sum += Object.values(taskLosses).reduce((a, b) => a + b, 0);
  return sum / trainings.size;
}

function paramsOf(params: ReadonlyMap<ClientId, ParamVector>, id: ClientId): ParamVector {
  const vector = params.get(id);
  if (vector === undefined) throw new KumiaiError("UNKNOWN_CLIENT", `client ${id}: expected params, found none`);
  return vector;
}
