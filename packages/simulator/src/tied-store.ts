/**
 * One vector in which the params of several clients lie tied: encoders are one, decoders and heads are one per
 * (domain, task), stems and buffers stay each client's own. The pooled reference trains on it; optimizer moments use the same cuts.
 *
 * A client's flat vector is gathered from the store, piece by piece, and scattered back after a step.
 */

import type { ClientSpec } from "@kumiai/algorithms";
import { type ClientId, KumiaiError, type ParamSlot, type ParamVector } from "@kumiai/params";

/** `size` consecutive elements that stand at `memberOffset` in the client's vector and at `storeOffset` in the store. */
export interface TiedPiece {
  readonly memberOffset: number;
  readonly storeOffset: number;
  readonly size: number;
}

export interface TiedStore {
  /** Element count. */
  readonly size: number;
  readonly pieces: ReadonlyMap<ClientId, readonly TiedPiece[]>;
}

/** Lays out the store; clients in the given order. Throws LAYOUT_MISMATCH if tied slots differ in shape. */
export function tieParams(clients: readonly ClientSpec[]): TiedStore {
  const places = new Map<string, { readonly offset: number; readonly shape: string; readonly owner: string }>();
  const pieces = new Map<ClientId, readonly TiedPiece[]>();
  let size = 0;
  for (const client of clients) {
    const own: TiedPiece[] = [];
    for (const slot of client.layout.slots) {
      const key = tieKey(client, slot);
      const shape = slot.shape.join(",");
      let place = places.get(key);
      if (place === undefined) {
        place = { offset: size, shape, owner: client.id };
        places.set(key, place);
        size += slot.size;
      } else if (place.shape !== shape) {
        throw new KumiaiError(
          "LAYOUT_MISMATCH",
          `client ${client.id}: ${slot.name}: expected [${place.shape}] as client ${place.owner} has it, received [${shape}]; tied clients need the same layers`,
        );
      }
      own.push({ memberOffset: slot.offset, storeOffset: place.offset, size: slot.size });
    }
    pieces.set(client.id, joinNeighbors(own));
  }
  return { size, pieces };
}

/** Reads a client's vector out of the store. Writes `member`. */
export function gatherInto(member: ParamVector, store: Float32Array, pieces: readonly TiedPiece[]): void {
  for (const { memberOffset, storeOffset, size } of pieces) {
    member.set(store.subarray(storeOffset, storeOffset + size), memberOffset);
  }
}

/** Writes a client's vector into the store. */
export function scatterInto(store: Float32Array, member: ParamVector, pieces: readonly TiedPiece[]): void {
  for (const { memberOffset, storeOffset, size } of pieces) {
    store.set(member.subarray(memberOffset, memberOffset + size), storeOffset);
  }
}

function tieKey(client: ClientSpec, slot: ParamSlot): string {
  switch (slot.role.kind) {
    case "encoder":
      return `encoder ${slot.key}`;
    case "decoder":
    case "head":
      return `${slot.role.kind} ${client.domain} ${slot.role.task} ${slot.key}`;
    case "stem":
    case "buffer":
      return `${slot.role.kind} ${client.id} ${slot.name}`;
  }
}

function joinNeighbors(pieces: readonly TiedPiece[]): TiedPiece[] {
  const joined: TiedPiece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (
      last !== undefined &&
      last.memberOffset + last.size === piece.memberOffset &&
      last.storeOffset + last.size === piece.storeOffset
    ) {
      joined[joined.length - 1] = { ...last, size: last.size + piece.size };
    } else {
      joined.push(piece);
    }
  }
  return joined;
}
