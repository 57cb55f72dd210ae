/**
 * How many numbers a server sends that can reach all sites at once, read from the weighted sums that a strategy decided.
 *
 * A client's params are a weighted sum of its own row (which the site has) and of results that the server made. So the
 * site can be sent either the sum, which is its own, or those results, which others may need too: FedHCA² makes every
 * encoder from one direction Ũ and what the site has. Of the two the smaller total counts, mix by mix. Scalars such as
 * α_i and the framing are not counted.
 */
import type { Operand } from "@kumiai/kernels";
import { type Cohort, sizeOf } from "../cohort.js";
import type { Decision, GroupMix, RoundTraffic, TrafficRule } from "../strategy.js";

export function countBroadcast(
  { mixes, traffic }: Pick<Decision<unknown>, "mixes" | "traffic">,
  { present }: Cohort,
): RoundTraffic["broadcast"] {
  const encoderSlots = new Set(present.flatMap((client) => client.encoderSlots));
  let encoder = 0;
  let decoders = 0;
  for (const mix of mixes) {
    const slots = mix.rows[0]?.slots ?? [];
    const count = vectorsNeeded(mix) * sizeOf(slots);
    if (slots[0] !== undefined && encoderSlots.has(slots[0])) encoder += count;
    else decoders += count;
  }
  const single = singleLetters(present, traffic);
  return { encoder: Math.min(encoder, single.encoder), decoders: Math.min(decoders, single.decoders) };
}

/** Numbers that go out if each client gets what is its own. */
function singleLetters(present: Cohort["present"], rule: TrafficRule): RoundTraffic["broadcast"] {
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
  return {
    encoder: rule.encoder ? sum(present.map((client) => sizeOf(client.encoderSlots))) : 0,
    decoders: rule.decoders ? sum(present.flatMap((client) => client.decoders.map(({ slots }) => sizeOf(slots)))) : 0,
  };
}

function vectorsNeeded({ blocks }: GroupMix): number {
  const sums = new Set<number>();
  const parts = new Set<number>();
  let index = 0;
  for (const { operands, results } of blocks) {
    for (const destinations of results) {
      const rows = destinations.flatMap((destination) => ("row" in destination ? [destination.row] : []));
      const result = index++;
      if (rows.length === 0) continue;
      const foreign = operands.filter((operand) => rows.length > 1 || rowOf(operand) !== rows[0]);
      if (foreign.length === 0) continue; // A site makes it alone.
      sums.add(result);
      if (rows.length === 1 && foreign.every((operand) => "result" in operand)) {
        for (const operand of foreign) if ("result" in operand) parts.add(operand.result);
      } else parts.add(result);
    }
  }
  return Math.min(sums.size, parts.size);
}

/** The client's row that an operand is taken from; −1 where it is a result. */
function rowOf(operand: Operand): number {
  if ("before" in operand) return operand.before;
  if ("after" in operand) return operand.after;
  return "delta" in operand ? operand.delta : -1;
}
