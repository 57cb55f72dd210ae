/** A result small enough to work its numbers by hand, for tests. */
import type { ComparisonResult } from "../../result.js";

/**
 * One site, one task, two rounds, worked by hand: alone 50, together 55, after round 1 already 54.9. Δ is 10 with the first seed and 1e-3
 * more with each further one, so that there is a spread.
 */
export function byHand(seeds: readonly number[] = [1, 2]): ComparisonResult {
  const client = (upBytes: number, seconds: number, value: number | null) => ({
    absent: false,
    trainLoss: {},
    metrics: value === null ? null : { edge: value },
    updateNorm: null,
    upBytes,
    downBytes: 2 * upBytes,
    seconds,
  });
  const records = (upBytes: number, values: readonly number[]) =>
    values.map((value, round) => ({
      round,
      clients: { a: client(round === 0 ? 0 : upBytes, round === 0 ? 0 : 1800, value) },
      encoderCosines: null,
      hyperWeights: null,
      conflictWeights: null,
      seconds: 1,
    }));
  const seedOf = (gain: number, value: number, upBytes: number, values: readonly number[]) => ({
    relativeGainPercent: gain,
    clients: {
      a: {
        relativeGainPercent: gain,
        tasks: { edge: { value, constant: 10, aboveConstant: true, relativeGainPercent: gain } },
      },
    },
    rounds: records(upBytes, values),
    seconds: 1,
  });
  const strategy = (gain: number, value: number, upBytes: number, values: readonly number[]) => ({
    summary: "",
    relativeGainPercent: gain,
    relativeGainStdPercent: 0,
    relativeGainInterval95: [gain, gain] as const,
    pooledGainShare: null,
    upBytes: 2 * upBytes,
    downBytes: 4 * upBytes,
    notAboveConstant: [],
    perSeed: Object.fromEntries(
      seeds.map((seed, i) => [seed, seedOf(gain === 0 ? 0 : gain + i / 1000, value, upBytes, values)]),
    ),
  });
  const task = { id: "edge", metric: "F1", unit: "%", higherIsBetter: true };
  return {
    schemaVersion: 1,
    kumiaiVersion: "0",
    complete: true,
    scenario: {
      name: "hand",
      description: "",
      configHash: "",
      rounds: 2,
      clients: [
        { id: "a", domain: "d", tasks: [task], trainCount: 30, testCount: 10, paramCount: 1e9, sharedParamCount: 1e9 },
      ],
    },
    seeds,
    baseline: "local",
    strategies: { local: strategy(0, 50, 0, [5, 30, 50]), fedavg: strategy(10, 55, 1e9, [5, 54.9, 55]) },
    seconds: 1,
  };
}
