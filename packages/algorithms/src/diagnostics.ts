/**
 * The numbers that every strategy reports about a round.
 *
 * Notation — code name, symbol, shape:
 *   gram  G  [N, N]  G_ij = ⟨Δ_i, Δ_j⟩ over the encoder, in f64
 *
 * Cosines of encoders of different shapes have no meaning and are 0 (only `local`, `self-extrapolation` and `pooled`
 * meet them). Traffic counts params that must cross the wire, 4 bytes each, not framing.
 */
import type { KernelBackend } from "@kumiai/kernels";
import { type ClientId, describeGroup, type TaskId } from "@kumiai/params";
import type { Cohort, PresentClient } from "./cohort.js";
import type { CosineMatrix, RoundDiagnostics } from "./strategy.js";

const BYTES_PER_PARAM = 4;

/** Which groups a client sends and receives, each once. */
export interface TrafficRule {
  readonly encoder: boolean;
  readonly decoders: boolean;
}

export const NO_TRAFFIC: TrafficRule = { encoder: false, decoders: false };

export function diagnose(
  cohort: Cohort,
  kernels: KernelBackend,
  rule: TrafficRule,
  gram?: Float64Array,
): RoundDiagnostics {
  const { present, absent } = cohort;
  const inner = gram ?? encoderGram(present, kernels);
  return {
    absent,
    updateNorms: byClient(present, ({ encoderDelta, decoders }) => ({
      encoder: kernels.norm(encoderDelta),
      decoders: Object.fromEntries(decoders.map(({ task, delta }) => [task, kernels.norm(delta)])) as Record<
        TaskId,
        number
      >,
    })),
    encoderCosines: cosinesOf(
      present.map(({ spec }) => spec.id),
      inner,
    ),
    traffic: byClient(present, (client) => {
      const bytes = sharedParamCount(client, rule) * BYTES_PER_PARAM;
      return { upBytes: bytes, downBytes: bytes };
    }),
  };
}

/** Inner products of the encoder deltas; 0 between encoders of different shapes. */
function encoderGram(present: readonly PresentClient[], kernels: KernelBackend): Float64Array {
  const count = present.length;
  const shapes = present.map(({ encoderSlots }) => describeGroup(encoderSlots).join("\n"));
  const out = new Float64Array(count * count);
  for (const shape of new Set(shapes)) {
    const members = present.flatMap(({ encoderDelta }, index) =>
      shapes[index] === shape ? [{ encoderDelta, index }] : [],
    );
    const part = kernels.gram(members.map(({ encoderDelta }) => encoderDelta));
    members.forEach((a, i) => {
      members.forEach((b, j) => {
        out[a.index * count + b.index] = part[i * members.length + j] ?? 0;
      });
    });
  }
  return out;
}

function cosinesOf(clients: readonly ClientId[], gram: Float64Array): CosineMatrix {
  const count = clients.length;
  const norms = clients.map((_, i) => Math.sqrt(gram[i * count + i] ?? 0));
  const values = norms.map((a, i) =>
    norms.map((b, j) => {
      if (i === j) return 1;
      return a > 0 && b > 0 ? Math.max(-1, Math.min(1, (gram[i * count + j] ?? 0) / a / b)) : 0;
    }),
  );
  return { clients, values };
}

function sharedParamCount({ encoderDelta, decoders }: PresentClient, rule: TrafficRule): number {
  const encoder = rule.encoder ? encoderDelta.length : 0;
  return rule.decoders ? decoders.reduce((sum, { delta }) => sum + delta.length, encoder) : encoder;
}

export function byClient<T>(
  present: readonly PresentClient[],
  pick: (client: PresentClient) => T,
): Record<ClientId, T> {
  return Object.fromEntries(present.map((client) => [client.spec.id, pick(client)])) as Record<ClientId, T>;
}
