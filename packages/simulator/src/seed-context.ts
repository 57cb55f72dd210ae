/**
 * Everything that the runs of one seed share: examples, models, first params, constant predictions, metrics before training.
 * Strategies are compared on equal terms because they get the same context.
 */
import type { ClientSpec } from "@kumiai/algorithms";
import type { DenseExamples } from "@kumiai/datasets";
import { type ClientId, KumiaiError, type ParamsFile, type ParamVector } from "@kumiai/params";
import type { Scenario } from "./config/scenario.js";
import type { DataSource } from "./data/source.js";
import { constantMetrics, type UndefinedScore, undefinedScores } from "./evaluation.js";
import { fullyLabeledRows, labeledCount } from "./examples.js";
import { initialParamsOf } from "./initial-params.js";
import { createModel, type ModelSpec, sessionOptionsOf } from "./model.js";
import type { WorkerPool } from "./pool/pool.js";
import type { MetricsByClient } from "./records.js";

export interface ClientContext {
  readonly spec: ClientSpec;
  readonly model: ModelSpec;
  readonly trainCount: number;
  /** Of them, those with a label for some task: what a mean over clients weighs by. */
  readonly sampleCount: number;
  /** Keys under which the pool knows the examples. */
  readonly trainKey: string;
  readonly testKey: string;
  /** Rows that have a label for every task of the client. */
  readonly labeledRows: { readonly train: readonly number[]; readonly test: readonly number[] };
  /** The test examples as pictures, where they are any. */
  readonly scenes: DenseExamples | undefined;
  readonly initialParams: ParamVector;
  /** What the best constant prediction, fitted on the training labels, scores on the test scenes. */
  readonly constants: Readonly<Record<string, number>>;
  /** Tasks whose metric has no value on the test examples, and why. */
  readonly undefinedScores: Readonly<Record<string, UndefinedScore>>;
}

export interface SeedContext extends Disposable {
  readonly seed: number;
  readonly clients: ReadonlyMap<ClientId, ClientContext>;
  /** Test metrics before training; the same for every strategy. */
  readonly initialMetrics: MetricsByClient;
}

export interface PrepareSeedOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly pool: WorkerPool;
  readonly data: DataSource;
  /** Null: the encoder too is drawn from the seed. */
  readonly encoder: ParamsFile | null;
  readonly signal?: AbortSignal | undefined;
}

/** Makes the examples (this blocks), shares them with the pool and evaluates the first params. Disposing forgets the examples. */
export async function prepareSeed(options: PrepareSeedOptions): Promise<SeedContext> {
  const { scenario, seed, pool, data, signal } = options;
  const clients = new Map<ClientId, ClientContext>();
  const initialParams = initialParamsOf(data, seed, options.encoder);
  for (const client of scenario.clients) {
    const { train, test, scenes } = data.examplesOf(client, seed);
    const key = `${seed}/${client.id}`;
    pool.share(`${key}/train`, train);
    pool.share(`${key}/test`, test);
    const model = data.modelOf(client);
    const constants = constantMetrics(model.tasks, train, test);
    clients.set(client.id, {
      spec: { id: client.id, domain: client.domain, tasks: client.tasks, layout: createModel(model).layout },
      model,
      trainCount: train.count,
      sampleCount: labeledCount(train),
      trainKey: `${key}/train`,
      testKey: `${key}/test`,
      labeledRows: { train: fullyLabeledRows(train), test: fullyLabeledRows(test) },
      scenes,
      initialParams: initialParams(client),
      constants,
      undefinedScores: undefinedScores(model.tasks, test, constants),
    });
  }
  const forget = (): void => {
    for (const { trainKey, testKey } of clients.values()) {
      pool.forget(trainKey);
      pool.forget(testKey);
    }
  };
  try {
    const params = new Map([...clients].map(([id, { initialParams }]) => [id, initialParams]));
    const initialMetrics = await evaluateClients({ scenario, pool, clients, params, what: `seed ${seed}`, signal });
    return { seed, clients, initialMetrics, [Symbol.dispose]: forget };
  } catch (error) {
    forget();
    throw error;
  }
}

export interface EvaluateOptions {
  readonly scenario: Scenario;
  readonly pool: WorkerPool;
  readonly clients: ReadonlyMap<ClientId, ClientContext>;
  /** Whom to evaluate, with which params. */
  readonly params: ReadonlyMap<ClientId, ParamVector>;
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/** Test metrics of every client in `params`, as jobs of the pool. */
export async function evaluateClients(options: EvaluateOptions): Promise<MetricsByClient> {
  const { scenario, pool, clients, params, what, signal } = options;
  const session = sessionOptionsOf(scenario);
  const entries = [...params].map(async ([id, vector]) => {
    const client = clientOf(clients, id);
    const job = { kind: "evaluate", model: client.model, session, examples: client.testKey, params: vector } as const;
    const { result } = await pool.run(job, { what: `${what}, client ${id}, evaluation`, signal });
    return [id, result.metrics] as const;
  });
  return new Map(await settleAll(entries));
}

/** The context of a client. Throws UNKNOWN_CLIENT. */
export function clientOf(clients: ReadonlyMap<ClientId, ClientContext>, id: ClientId): ClientContext {
  const client = clients.get(id);
  if (client === undefined) {
    throw new KumiaiError("UNKNOWN_CLIENT", `client ${id}: expected a client of the scenario, found none of this name`);
  }
  return client;
}

/** Waits for all, then throws the first failure that is not a cancellation, else the first failure. */
export async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  const failures = settled.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
  if (failures.length > 0) throw failures.find((reason) => !isCancelled(reason)) ?? failures[0];
  return settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}

export function isCancelled(error: unknown): boolean {
  return error !== null && typeof error === "object" && "code" in error && error.code === "CANCELLED";
}
