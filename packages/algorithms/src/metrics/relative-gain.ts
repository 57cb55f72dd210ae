/**
 * Relative gain Δ%: how much better than a baseline, over metrics of different units.
 *
 * Notation — for client i with tasks T_i, metric values m (of a strategy) and b (of the baseline):
 *   Δ_t = ± 100·(m_t − b_t) / |b_t|   plus where higher is better
 *   Δ_i = mean of Δ_t over T_i        Δ = mean of Δ_i over the clients
 *
 * Null stands for "cannot be said": a baseline of 0, a value that is not a number; it makes every mean above it null. Tasks that no
 * strategy can have a gain in (b_t = 0 or undefined) are left out by the caller, for all strategies alike, and named.
 *
 * Source: Maninis, Radosavovic, Kokkinos, "Attentive Single-Tasking of Multiple Tasks", CVPR 2019 (Δm).
 */
export function relativeGainPercent(baseline: number, value: number, higherIsBetter: boolean): number | null {
  if (!Number.isFinite(baseline) || !Number.isFinite(value) || baseline === 0) return null;
  const change = (100 * (value - baseline)) / Math.abs(baseline);
  return change === 0 ? 0 : higherIsBetter ? change : -change;
}

/** Mean of one client's task gains; null if there is none or one of them is null. */
export function clientGainPercent(taskGains: Iterable<number | null>): number | null {
  let sum = 0;
  let count = 0;
  for (const gain of taskGains) {
    if (gain === null) return null;
    sum += gain;
    count++;
  }
  return count === 0 ? null : sum / count;
}

/** Mean over clients of the mean over their tasks; each inner collection is one client. */
export function meanGainPercent(clients: Iterable<Iterable<number | null>>): number | null {
  return clientGainPercent(Array.from(clients, clientGainPercent));
}
