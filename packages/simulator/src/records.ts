/** Round records as they go into `result.json`, from what a round produced. */
import type { ClientUpdate, RoundDiagnostics } from "@kumiai/algorithms";
import type { ClientId } from "@kumiai/params";
import type { ClientRoundRecord, RoundRecord } from "./result.js";

export type MetricsByClient = ReadonlyMap<ClientId, Readonly<Record<string, number>>>;

/** One client's local training in one round. */
export interface LocalTraining {
  readonly update: ClientUpdate;
  readonly taskLosses: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export interface RoundFacts {
  readonly round: number;
  /** On the roster in this round, in the scenario's order. */
  readonly roster: readonly ClientId[];
  readonly trainings: ReadonlyMap<ClientId, LocalTraining>;
  readonly diagnostics: RoundDiagnostics;
  /** Null: no evaluation in this round. */
  readonly metrics: MetricsByClient | null;
  readonly seconds: number;
}

/** The state before training. */
export function initialRecord(clients: readonly ClientId[], metrics: MetricsByClient): RoundRecord {
  const records: Record<string, ClientRoundRecord> = {};
  for (const client of clients) {
    records[client] = {
      absent: false,
      trainLoss: {},
      metrics: metrics.get(client) ?? null,
      updateNorm: null,
      upBytes: 0,
      downBytes: 0,
      seconds: 0,
    };
  }
  return { round: 0, clients: records, encoderCosines: null, hyperWeights: null, conflictWeights: null, seconds: 0 };
}

export function roundRecord({ round, roster, trainings, diagnostics, metrics, seconds }: RoundFacts): RoundRecord {
  const clients: Record<string, ClientRoundRecord> = {};
  for (const client of roster) {
    const training = trainings.get(client);
    const traffic = diagnostics.traffic[client];
    clients[client] = {
      absent: training === undefined,
      trainLoss: training?.taskLosses ?? {},
      metrics: metrics?.get(client) ?? null,
      updateNorm: training === undefined ? null : (diagnostics.updateNorms[client] ?? null),
      upBytes: traffic?.upBytes ?? 0,
      downBytes: traffic?.downBytes ?? 0,
      seconds: training?.seconds ?? 0,
    };
  }
  return {
    round,
    clients,
    encoderCosines: diagnostics.encoderCosines,
    hyperWeights: diagnostics.hyperWeights ?? null,
    conflictWeights: diagnostics.conflictWeights ?? null,
    seconds,
  };
}
