/** Figures that several sections show. */
import { formatNumber, isNumber, MISSING } from "./format.js";
import type { ReportStrategy, ReportView } from "./view.js";

/** Bytes that one round moves, mean over rounds and seeds, all clients together. */
export function bytesPerRound(
  view: ReportView,
  { result }: ReportStrategy,
): { readonly up: number; readonly down: number } {
  const rounds = Math.max(1, view.result.scenario.rounds);
  return { up: result.upBytes / rounds, down: result.downBytes / rounds };
}

/** What a round would cost if every site sent and received its whole model as f32. */
export function fullModelBytes(view: ReportView): number {
  return view.result.scenario.clients.reduce((sum, { paramCount }) => sum + 4 * paramCount, 0);
}

/** Share of the pooled gain, as text. */
export function shareText({ result }: ReportStrategy): string {
  return isNumber(result.pooledGainShare) ? `${formatNumber(100 * result.pooledGainShare, 0)}\u00a0%` : MISSING;
}
