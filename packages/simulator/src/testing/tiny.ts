/** A scenario small enough for tests: scenes of 32×32, a narrow model, two rounds. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CompareOptions, type ComparisonOutcome, compareStrategies } from "../compare.js";
import { parseScenario } from "../config/parse.js";
import type { Scenario } from "../config/scenario.js";
import { openData } from "../data/source.js";
import { createWorkerPool, type WorkerPool } from "../pool/pool.js";
import { prepareSeed, type SeedContext } from "../seed-context.js";

const CLIENTS = `clients:
  - { id: line-a, domain: garments, tasks: [edge, semseg], trainCount: 12 }
  - { id: line-b, domain: digits, tasks: [depth, semseg], trainCount: 10 }
`;

/** `clients`: another `clients:` section. */
export function tinyScenario(options: { readonly clients?: string } = {}): Scenario {
  return parseScenario(
    `name: tiny
scenes: { size: 32 }
model: { encoder: { channels: [8, 8, 8, 8] }, decoder: { width: 8 } }
training:
  rounds: 2
  localEpochs: 1
  batchSize: 4
  warmupRounds: 0
evaluation: { everyRounds: 1, testCount: 8 }
${options.clients ?? CLIENTS}`,
    "tiny.yaml",
  );
}

/** The same folder for all tests of a machine: source images are read from their packages once. */
export const TEST_CACHE_DIR = join(tmpdir(), "kumiai-test-cache");

export function compareTiny(options: Partial<CompareOptions>): Promise<ComparisonOutcome> {
  return compareStrategies({
    scenario: tinyScenario(),
    strategies: ["local", "fedhca2"],
    seeds: [1],
    threadCount: 1,
    cacheDir: TEST_CACHE_DIR,
    dataDir: "data",
    clock: () => performance.now(),
    ...options,
  });
}

/** A scenario's first seed on one worker, for tests below whole comparisons; dispose of it. */
export interface TinySeed extends AsyncDisposable {
  readonly scenario: Scenario;
  readonly context: SeedContext;
  readonly pool: WorkerPool;
}

export async function openTinySeed(scenario: Scenario = tinyScenario()): Promise<TinySeed> {
  const pool = createWorkerPool({ threadCount: 1, clock: () => performance.now() });
  const data = await openData(scenario, { cacheDir: TEST_CACHE_DIR, dataDir: "data" });
  const context = await prepareSeed({ scenario, seed: 1, pool, data, encoder: null });
  return { scenario, context, pool, [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose]() };
}
