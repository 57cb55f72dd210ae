/**
 * The numbers that every strategy reports about a round.
 *
 * Notation — code name, symbol, shape:
 *   gram  G  [N, N]  G_ij = ⟨Δ_i, Δ_j⟩ over the encoder, in f64
 *
 * Cosines of encoders of different shapes have no meaning and are 0 (only `local`, `self-extrapolation` and `pooled`
 * meet them). Traffic counts params that must cross the wire, 4 bytes each, not framing.
 */
import type { ClientId, TaskId } from "@kumiai/params";
import { type Cohort, type PresentClient, sizeOf } from "./cohort.js";
import type { CosineMatrix, Measurements, RoundDiagnostics, TrafficRule } from "./strategy.js";

const BYTES_PER_PARAM = 4;

export const NO_TRAFFIC: TrafficRule = { encoder: false, decoders: false };

export function diagnose({ present, absent }: Cohort, measured: Measurements, rule: TrafficRule): RoundDiagnostics {
  const { encoderGram, gramSource, encoderNorms, decoderNorms } = measured;
  const clients = present.map(({ spec }) => spec.id);
  return {
    absent,
    updateNorms: byClient(present, ({ spec, decoders }) => ({
      encoder: encoderNorms.get(spec.id) ?? 0,
      decoders: Object.fromEntries(decoders.map(({ task, key }) => [task, decoderNorms.get(key) ?? 0])) as Record<
        TaskId,
        number
      >,
    })),
    encoderCosines: cosinesOf(clients, encoderGram),
    encoderGram: { clients, values: encoderGram },
    gramSource,
    shared: rule,
    traffic: byClient(present, (client) => {
      const bytes = sharedParamCount(client, rule) * BYTES_PER_PARAM;
      return { upBytes: bytes, downBytes: bytes };
    }),
  };
}

function cosinesOf(clients: readonly ClientId[], gram: Float64Array): CosineMatrix {
  const count = clients.length;
  const norms = clients.map((_, i) => Math.sqrt(gram[i * count + i] ?? 0));
  const values = norms.map((a, i) => {
    const row = new Array<number>(count).fill(0);
    for (let j = 0; j < count; j++) {
      const b = norms[j] ?? 0;
      if (a > 0 && b > 0) row[j] = Math.max(-1, Math.min(1, (gram[i * count + j] ?? 0) / a / b));
    }
    row[i] = 1;
    return row;
  });
  return { clients, values };
}

function sharedParamCount({ encoderSlots, decoders }: PresentClient, rule: TrafficRule): number {
  const encoder = rule.encoder ? sizeOf(encoderSlots) : 0;
  return rule.decoders ? decoders.reduce((sum, { slots }) => sum + sizeOf(slots), encoder) : encoder;
}

export function byClient<T>(
  present: readonly PresentClient[],
  pick: (client: PresentClient) => T,
): Record<ClientId, T> {
  return Object.fromEntries(present.map((client) => [client.spec.id, pick(client)])) as Record<ClientId, T>;
}
