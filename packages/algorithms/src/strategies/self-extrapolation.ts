/**
 * Control for any claim that sites learn from each other: lengthens each client's own step and uses nobody else's.
 *
 *   params ← base + (1 + α)·Δ  over encoder and decoders; heads and buffers stay the client's own.
 *
 * α: `alpha`, 0.1 unless told otherwise, as FedHCA²'s initial hyper-weights. Traffic: none, a site can do it alone.
 */

import { defineStrategy } from "../define-strategy.js";
import { NO_TRAFFIC } from "../diagnostics.js";
import { numberOption, type OptionsOf } from "../options.js";
import { type GroupMix, NOTHING_MEASURED, PLAIN_ASSIGNMENT, type Strategy } from "../strategy.js";
import { defineForRegistry } from "./definition.js";

const OPTIONS = { alpha: numberOption(0.1, { atLeast: 0 }, "how much longer each step is made") };

export function createSelfExtrapolation({ alpha }: OptionsOf<typeof OPTIONS>): Strategy<null> {
  const block = { operands: [{ after: 0 }, { delta: 0 }], factors: Float64Array.of(1, alpha), results: [[{ row: 0 }]] };
  return defineStrategy({
    name: "self-extrapolation",
    training: "sites",
    init: () => null,
    assignment: () => PLAIN_ASSIGNMENT,
    measure: () => NOTHING_MEASURED,
    decide(_state, { present }) {
      const mixes = present.flatMap(({ spec, encoderSlots, decoders }) =>
        [encoderSlots, ...decoders.map(({ slots }) => slots)].map(
          (slots): GroupMix => ({ rows: [{ client: spec.id, slots }], blocks: [block] }),
        ),
      );
      return { state: null, mixes, traffic: NO_TRAFFIC, diagnostics: {} };
    },
  });
}

export const selfExtrapolationDefinition = defineForRegistry({
  name: "self-extrapolation",
  summary: "control: every site alone, its own step lengthened by 1 + alpha",
  source: "control for the claim that sites learn from each other",
  options: OPTIONS,
  create: createSelfExtrapolation,
});
