/**
 * A strategy of no use but to tests: asks for Grams by layer, distances and alignments at once, and lets every one of these numbers, with
 * all its bits, into the params, the state and the diagnostics.
 */
import type { ClientId } from "@kumiai/params";
import { sizeOf } from "../cohort.js";
import { defineStrategy } from "../define-strategy.js";
import type { StateVector } from "../state-vector.js";
import { type GroupMix, NOTHING_MEASURED, PLAIN_ASSIGNMENT, type Strategy } from "../strategy.js";

export interface ProbeState {
  /** Σ_i local_i / N of the round before; every client's delta is aligned with it. */
  readonly mean: StateVector | null;
}

export function createProbe(): Strategy<ProbeState> {
  return defineStrategy<ProbeState>({
    name: "probe",
    training: "sites",
    init: () => ({ mean: null }),
    assignment: () => PLAIN_ASSIGNMENT,
    measure: ({ mean }, { present }) => ({
      ...NOTHING_MEASURED,
      encoderLayerGrams: "exact",
      encoderDistances: "exact",
      encoderAlignments: new Map(mean === null ? [] : present.map(({ spec }) => [spec.id, mean])),
    }),
    decide(_state, { present, round }, measured, keep) {
      const count = present.length;
      const rows = present.map(({ spec, encoderSlots }) => ({ client: spec.id, slots: encoderSlots }));
      const grams = measured.encoderLayers.map((layer) => measured.encoderLayerGram(layer));
      const distances = measured.encoderDistances();
      const factors = distances.map((distance, k) =>
        grams.reduce((sum, gram, layer) => sum + (layer + 1) * (gram[k] ?? 0), 1e-3 * distance),
      );
      const mean = keep(`mean/${round}`, sizeOf(rows[0]?.slots ?? []));
      const after = rows.map((_, row) => ({ after: row }));
      const blocks: GroupMix["blocks"] = [
        { operands: after, factors: new Float64Array(count).fill(1 / count), results: [[{ keep: mean, from: 0 }]] },
        {
          operands: rows.map((_, row) => ({ delta: row })),
          factors: factors.map((factor) => 1e-6 * factor),
          results: rows.map((_, row) => [{ row }]),
        },
      ];
      return {
        state: { mean },
        mixes: [{ rows, blocks }],
        traffic: { encoder: true, decoders: false },
        diagnostics: { conflictWeights: Object.fromEntries(measured.encoderAlignments) as Record<ClientId, number> },
      };
    },
  });
}
