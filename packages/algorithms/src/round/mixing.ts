/** What a strategy decided, as a plan of the second pass. */
import { listed, type MixPlan, type MixSegment, ruleOf, sliceOf, type Vector } from "@kumiai/kernels";
import type { ClientId, ParamSlot } from "@kumiai/params";
import { type Cohort, sizeOf } from "../cohort.js";
import type { Destination, GroupMix } from "../strategy.js";
import type { RoundIo } from "./io.js";

export interface MixingPlan {
  readonly segments: MixPlan["segments"];
  /** Whose params a result goes into, and which slots of them; by segment, then by result. */
  readonly places: readonly (readonly { readonly client: ClientId; readonly slots: readonly ParamSlot[] }[])[];
  /** By client: the slots that no mix writes, which stay as the client trained them. */
  readonly untouched: ReadonlyMap<ClientId, readonly ParamSlot[]>;
}

export function planMixing(mixes: readonly GroupMix[], { present }: Cohort, io: RoundIo): MixingPlan {
  const written = new Set<ParamSlot>();
  for (const { rows, blocks } of mixes) {
    for (const destination of blocks.flatMap(({ results }) => results.flat())) {
      if ("row" in destination) for (const slot of rows[destination.row]?.slots ?? []) written.add(slot);
    }
  }
  const untouched = present.map(
    ({ spec }) => [spec.id, spec.layout.slots.filter((slot) => !written.has(slot))] as const,
  );
  return {
    segments: mixes.map((mix) => segmentOf(mix, io)),
    places: mixes.map(({ rows, blocks }) =>
      blocks.flatMap(({ results }) =>
        results.map((destinations) => {
          const row = destinations.find((destination) => "row" in destination)?.row ?? 0;
          return rows[row] ?? { client: "" as ClientId, slots: [] };
        }),
      ),
    ),
    untouched: new Map(untouched),
  };
}

function segmentOf({ rows, blocks }: GroupMix, io: RoundIo): MixSegment {
  const length = sizeOf(rows[0]?.slots ?? []);
  const place = (destination: Destination): Vector => {
    if ("keep" in destination) {
      return sliceOf({ vector: io.stored(destination.keep), start: destination.from, length });
    }
    const row = rows[destination.row];
    if (row === undefined)
      throw new RangeError(`mix: expected a row below ${rows.length}, received ${destination.row}`);
    return io.destination(row.client, row.slots);
  };
  return {
    length,
    rows: listed(rows.length, (index) => {
      const { client, slots, stored } = at(rows, index);
      if (stored !== undefined) {
        const vector = sliceOf({ vector: io.stored(stored.vector), start: stored.from, length });
        return { before: vector, after: vector };
      }
      return { before: io.source(client, "base", slots), after: io.source(client, "local", slots) };
    }),
    blocks: listed(blocks.length, (index) => {
      const block = at(blocks, index);
      const { operands, results } = block;
      const placesOf = (destinations: readonly Destination[]) =>
        listed(destinations.length, (index) => place(at(destinations, index)));
      return { ...ruleOf(block), operands, results: results.map(placesOf) };
    }),
  };
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`expected an index below ${items.length}, received ${index}`);
  return item;
}
