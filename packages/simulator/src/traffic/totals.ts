/** What the rounds of all seeds moved, against exchanging whole models. */
import { mean } from "@kumiai/algorithms";
import type { RoundRecord, ScenarioClient, SeedResult, StrategyResult } from "../result.js";

/** Means over seeds of sums over rounds and clients. */
export function trafficTotals(
  runs: readonly SeedResult[],
  clients: readonly ScenarioClient[],
): Required<Pick<StrategyResult, "upBytes" | "downBytes" | "broadcastBytes" | "fullModelBytes" | "trafficShare">> {
  const sizes = new Map(clients.map(({ id, paramCount }) => [id, paramCount]));
  const meanOver = (bytesOf: (record: RoundRecord) => number): number =>
    runs.length === 0 ? 0 : mean(runs.map(({ rounds }) => rounds.reduce((sum, record) => sum + bytesOf(record), 0)));
  const upBytes = meanOver(({ clients }) => Object.values(clients).reduce((sum, client) => sum + client.upBytes, 0));
  const downBytes = meanOver(({ clients }) => Object.values(clients).reduce((sum, c) => sum + c.downBytes, 0));
  const fullModelBytes = meanOver((record) => wholeModelBytes(record, sizes));
  return {
    upBytes,
    downBytes,
    broadcastBytes: meanOver(({ broadcastBytes = 0 }) => broadcastBytes),
    fullModelBytes,
    trafficShare: fullModelBytes === 0 ? null : (upBytes + downBytes) / fullModelBytes,
  };
}

/** Every client present sends and receives all its params as f32, in every round after the first state. */
function wholeModelBytes({ round, clients }: RoundRecord, sizes: ReadonlyMap<string, number>): number {
  if (round === 0) return 0;
  return Object.entries(clients).reduce((sum, [id, { absent }]) => sum + (absent ? 0 : 8 * (sizes.get(id) ?? 0)), 0);
}
