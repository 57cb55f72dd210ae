/** Round records as they go into `result.json`, from what a round produced. */
import type { ClientUpdate, RoundDiagnostics } from "@kumiai/algorithms";
import type { ClientId } from "@kumiai/params";
import type { ClientRoundRecord, EncoderMixing, RoundRecord } from "./result.js";

export type MetricsByClient = ReadonlyMap<ClientId, Readonly<Record<string, number>>>;

/** One client's local training in one round. */
export interface LocalTraining {
  readonly update: ClientUpdate;
  readonly taskLosses: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/** What crossed the wire in a round, and what the strategy says about it. */
export interface ExchangeRecord {
  readonly diagnostics: RoundDiagnostics;
  readonly bytes: ReadonlyMap<ClientId, { readonly upBytes: number; readonly downBytes: number }>;
  readonly broadcastBytes: number;
}

export interface RoundFacts {
  readonly round: number;
  /** On the roster in this round, in the scenario's order. */
  readonly roster: readonly ClientId[];
  readonly trainings: ReadonlyMap<ClientId, LocalTraining>;
  /** Null: a round without an exchange. */
  readonly exchanged: ExchangeRecord | null;
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

export function roundRecord({ round, roster, trainings, exchanged, metrics, seconds }: RoundFacts): RoundRecord {
  const clients: Record<string, ClientRoundRecord> = {};
  for (const client of roster) {
    const training = trainings.get(client);
    const traffic = exchanged?.bytes.get(client);
    clients[client] = {
      absent: training === undefined,
      trainLoss: training?.taskLosses ?? {},
      metrics: metrics?.get(client) ?? null,
      updateNorm: training === undefined ? null : (exchanged?.diagnostics.updateNorms[client] ?? null),
      upBytes: traffic?.upBytes ?? 0,
      downBytes: traffic?.downBytes ?? 0,
      seconds: training?.seconds ?? 0,
    };
  }
  return {
    round,
    clients,
    broadcastBytes: exchanged?.broadcastBytes ?? 0,
    encoderCosines: exchanged?.diagnostics.encoderCosines ?? null,
    hyperWeights: exchanged?.diagnostics.hyperWeights ?? null,
    conflictWeights: exchanged?.diagnostics.conflictWeights ?? null,
    ...combinationOf(exchanged?.diagnostics),
    seconds,
  };
}

/** How encoders were put together, of strategies that say so. */
function combinationOf(
  diagnostics: Pick<RoundDiagnostics, "encoderMixing" | "robustness"> | undefined,
): Pick<RoundRecord, "encoderMixing" | "robustness"> {
  const { encoderMixing, robustness = [] } = diagnostics ?? {};
  return {
    ...(encoderMixing === undefined ? {} : { encoderMixing: inRows(encoderMixing) }),
    ...(robustness.length === 0 ? {} : { robustness }),
  };
}

function inRows({ clients, values }: NonNullable<RoundDiagnostics["encoderMixing"]>): EncoderMixing {
  const count = clients.length;
  return { clients, values: clients.map((_, i) => Array.from(values.subarray(i * count, (i + 1) * count))) };
}
