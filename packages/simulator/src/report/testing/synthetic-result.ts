/** Made-up results and pictures of every shape that the report must survive, for its tests. Same options, same values. */

import { interval95, mean, sampleStd } from "@kumiai/algorithms";
import { createRng, type Rng } from "@kumiai/params";
import type {
  ClientResult,
  ClientRoundRecord,
  ComparisonResult,
  PictureSet,
  RoundRecord,
  ScenarioClient,
  SeedResult,
  StrategyResult,
} from "../../result.js";
import { differenceAgainst } from "../../statistics/against.js";

export interface SyntheticOptions {
  readonly seeds?: readonly number[];
  /** Strategy name to its true gain in percent. */
  readonly gains?: Readonly<Record<string, number>>;
  /** Spread of the gain between seeds, in percent points. */
  readonly noise?: number;
  readonly baseline?: string | null;
  /** `client/task` pairs whose values are those of the constant prediction. */
  readonly atConstant?: readonly string[];
  /** Clients away in these rounds. */
  readonly absentRounds?: Readonly<Record<string, readonly number[]>>;
  readonly everyRounds?: number;
  readonly name?: string;
  readonly description?: string;
}

type Cosines = NonNullable<RoundRecord["encoderCosines"]>;

const ROUNDS = 25;
export const DEFAULT_GAINS = { local: 0, fedavg: -4.1, fedhca2: 1.4, pooled: 4.5, "self-extrapolation": 0.6 };

const TASKS: Readonly<
  Record<string, readonly [metric: string, unit: string, higher: boolean, constant: number, good: number]>
> = {
  semseg: ["mIoU", "%", true, 7.1, 38],
  parts: ["mIoU", "%", true, 19.5, 52],
  edge: ["F1 (ODS)", "%", true, 12.2, 61],
  saliency: ["F1 (ODS)", "%", true, 44.2, 77],
  normals: ["mean angular error", "°", false, 12.75, 8.1],
  depth: ["RMSE", "", false, 0.67, 0.31],
};

const SITES: readonly (readonly [id: string, domain: string, tasks: readonly string[]])[] = [
  ["plant-a", "garments", ["edge", "semseg"]],
  ["plant-b", "garments", ["parts", "semseg"]],
  ["plant-c", "garments", ["saliency", "semseg"]],
  ["plant-d", "garments", ["normals", "parts"]],
  ["plant-e", "digits", ["edge", "semseg"]],
  ["plant-f", "digits", ["depth", "semseg"]],
];

export function syntheticResult(options: SyntheticOptions = {}): ComparisonResult {
  const { seeds = [1, 2, 3, 4, 5], gains = DEFAULT_GAINS, baseline = "local" in gains ? "local" : null } = options;
  const strategies: Record<string, StrategyResult> = {};
  for (const [name, gain] of Object.entries(gains))
    strategies[name] = strategyResult(name, gain, { ...options, seeds, baseline });
  const pooled = strategies.pooled?.relativeGainPercent ?? null;
  for (const [name, strategy] of Object.entries(strategies)) {
    const own = strategy.relativeGainPercent;
    const share = pooled !== null && pooled > 0 && own !== null ? own / pooled : null;
    strategies[name] = { ...strategy, pooledGainShare: share };
  }
  for (const [name, strategy] of Object.entries(strategies)) {
    const against = Object.fromEntries(
      ["local", "fedavg"].flatMap((reference) => {
        const theirs = strategies[reference];
        const difference =
          theirs === undefined || name === reference ? null : differenceAgainst(strategy.perSeed, theirs.perSeed);
        return difference === null ? [] : [[reference, difference] as const];
      }),
    );
    strategies[name] = { ...strategy, against };
  }
  return {
    schemaVersion: 1,
    kumiaiVersion: "0.1.0",
    scenario: {
      name: options.name ?? "overlap",
      description:
        options.description ??
        "What plants look like: six sites with two tasks each that overlap in part and with few labeled scenes",
      configHash: "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
      rounds: ROUNDS,
      clients: SITES.map(scenarioClient),
    },
    seeds,
    complete: true,
    baseline,
    strategies,
    seconds: 1234.5,
  };
}

function scenarioClient([id, domain, tasks]: (typeof SITES)[number]): ScenarioClient {
  return {
    id,
    domain,
    tasks: tasks.map((task) => {
      const [metric, unit, higherIsBetter] = taskOf(task);
      return { id: task, metric, unit, higherIsBetter };
    }),
    trainCount: 40,
    testCount: 100,
    paramCount: 214_357,
    sharedParamCount: 201_112,
  };
}

type Filled = SyntheticOptions & { readonly seeds: readonly number[]; readonly baseline: string | null };

function strategyResult(name: string, gain: number, options: Filled): StrategyResult {
  const perSeed: Record<string, SeedResult> = {};
  for (const seed of options.seeds) {
    perSeed[String(seed)] = seedResult(name, gain, createRng(seed).split(name), options);
  }
  const values = Object.values(perSeed).flatMap(({ relativeGainPercent }) => relativeGainPercent ?? []);
  const bytes = name === "local" || name === "self-extrapolation" ? 0 : name === "fedavg" ? 0.6e6 : 0.8e6;
  return {
    summary: `made-up strategy ${name}, radius 0.4`,
    relativeGainPercent: values.length === 0 ? null : mean(values),
    relativeGainStdPercent: sampleStd(values),
    relativeGainInterval95: interval95(values),
    pooledGainShare: null,
    upBytes: bytes * ROUNDS * SITES.length,
    downBytes: (bytes / 2) * ROUNDS * SITES.length,
    notAboveConstant: options.atConstant ?? [],
    perSeed,
  };
}

function seedResult(name: string, gain: number, rng: Rng, options: Filled): SeedResult {
  const clients: Record<string, ClientResult> = {};
  const { noise = 0.8, baseline, atConstant = [] } = options;
  const seedGain = name === baseline ? 0 : gain + noise * rng.normal();
  for (const [id, , tasks] of SITES) {
    const values = tasks.map((task) => {
      const [, , higher, constant, good] = taskOf(task);
      const change = name === baseline ? 0 : seedGain + 3 * createRng(`${id}${task}${name}`).normal();
      const weak = atConstant.includes(`${id}/${task}`);
      const value = weak ? constant : good * (1 + ((higher ? 1 : -1) * change) / 100);
      return [
        task,
        { value, constant, aboveConstant: !weak, relativeGainPercent: baseline === null ? null : change },
      ] as const;
    });
    clients[id] = {
      relativeGainPercent:
        baseline === null ? null : mean(values.map(([, { relativeGainPercent }]) => relativeGainPercent ?? 0)),
      tasks: Object.fromEntries(values),
    };
  }
  const rounds = Array.from({ length: ROUNDS + 1 }, (_, round) =>
    roundRecord(name, round, clients, rng.split(round), options),
  );
  return { relativeGainPercent: baseline === null ? null : seedGain, clients, rounds, seconds: 41.2 };
}

function roundRecord(
  name: string,
  round: number,
  results: Readonly<Record<string, ClientResult>>,
  rng: Rng,
  { absentRounds = {}, everyRounds = 1 }: Filled,
): RoundRecord {
  const clients: Record<string, ClientRoundRecord> = {};
  const present: string[] = [];
  for (const [id, , tasks] of SITES) {
    const absent = absentRounds[id]?.includes(round) ?? false;
    if (!absent) present.push(id);
    const evaluated = round % everyRounds === 0 || round === ROUNDS;
    const trained = round > 0 && !absent;
    clients[id] = {
      absent,
      trainLoss: trained
        ? Object.fromEntries(tasks.map((task) => [task, 2 * Math.exp(-round / 9) + 0.1 * rng.uniform()]))
        : {},
      metrics: evaluated
        ? Object.fromEntries(tasks.map((task) => [task, valueAt(results, id, task, round, rng)]))
        : null,
      updateNorm: trained ? { encoder: 1 + rng.uniform(), decoders: {} } : null,
      upBytes: trained ? 8e5 : 0,
      downBytes: trained ? 4e5 : 0,
      seconds: 0.4,
    };
  }
  const learns = name.startsWith("fedhca2") && round > 0;
  return {
    round,
    clients,
    encoderCosines: round === 0 ? null : cosines(present, rng),
    hyperWeights: learns
      ? {
          encoderAlpha: byName(
            SITES.map(([id]) => id),
            (id) => 0.1 + round * 0.002 * createRng(id).normal(),
          ),
          decoderBeta: byName(
            SITES.flatMap(([id, , tasks]) => tasks.map((task) => `${id}/${task}`)),
            (key) => ({ conv1: 0.1 + round * 0.001 * createRng(key).normal(), conv2: 0.1 }),
          ),
        }
      : null,
    conflictWeights: learns ? byName(present, (id) => (1 + 0.4 * createRng(id).normal()) / present.length) : null,
    seconds: 1.6,
  };
}

/** Approaches the final value from the constant prediction. */
function valueAt(
  results: Readonly<Record<string, ClientResult>>,
  client: string,
  task: string,
  round: number,
  rng: Rng,
): number {
  const { value, constant } = results[client]?.tasks[task] ?? { value: 0, constant: 0 };
  if (round === ROUNDS) return value;
  const done = 1 - Math.exp(-round / 6);
  return constant + (value - constant) * (done + 0.03 * rng.normal());
}

function cosines(clients: readonly string[], rng: Rng): Cosines {
  const values = clients.map((_, i) =>
    clients.map((_, j) => (i === j ? 1 : pairValue(Math.min(i, j), Math.max(i, j), rng))),
  );
  return { clients: clients as Cosines["clients"], values };
}

function pairValue(i: number, j: number, rng: Rng): number {
  return 0.25 - 0.09 * (j - i) + 0.05 * rng.split(`${i}-${j}`).normal();
}

function byName<T>(names: readonly string[], make: (name: string) => T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, make(name)]));
}

function taskOf(task: string) {
  const spec = TASKS[task];
  if (spec === undefined) throw new Error(`no synthetic task ${task}`);
  return spec;
}

/** Noisy squares on a gray ground: as hard to compress as real scenes. */
export function syntheticPictures(strategies: readonly string[], size = 64): readonly PictureSet[] {
  return SITES.flatMap(([client, , tasks]) =>
    tasks.map((task): PictureSet => {
      const rng = createRng(`${client}/${task}`);
      return {
        client,
        task,
        height: size,
        width: size,
        scenes: Array.from({ length: 3 }, (_, scene) => ({
          input: squares(size, rng.split(scene), 40),
          truth: squares(size, rng.split(scene), 0),
          predictions: Object.fromEntries(strategies.map((name) => [name, squares(size, rng.split(scene), 8)])),
        })),
      };
    }),
  );
}

function squares(size: number, rng: Rng, noise: number): Uint8Array {
  const pixels = new Uint8Array(3 * size * size).fill(90);
  for (let k = 0; k < 3; k++) {
    const [left, top, side] = [rng.int(size / 2), rng.int(size / 2), 8 + rng.int(size / 3)];
    const color = [rng.int(256), rng.int(256), rng.int(256)];
    for (let y = top; y < Math.min(size, top + side); y++) {
      for (let x = left; x < Math.min(size, left + side); x++) pixels.set(color, 3 * (y * size + x));
    }
  }
  const jitter = rng.split("noise");
  for (let i = 0; noise > 0 && i < pixels.length; i++) {
    pixels[i] = Math.max(0, Math.min(255, (pixels[i] ?? 0) + Math.round(noise * (jitter.uniform() - 0.5))));
  }
  return pixels;
}
