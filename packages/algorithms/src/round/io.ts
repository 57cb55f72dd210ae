/** Where a round's numbers lie: the only thing that differs between a round in memory and one over files. */
import type { Vector } from "@kumiai/kernels";
import type { ClientId, ParamSlot } from "@kumiai/params";
import type { StateVector } from "../state-vector.js";

export interface RoundIo {
  /** The slots' elements, end to end, of what a client started the round from (`base`) or came back with (`local`). */
  source(client: ClientId, stage: "base" | "local", slots: readonly ParamSlot[]): Vector;
  /** Where the client's next params go. */
  destination(client: ClientId, slots: readonly ParamSlot[]): Vector;
  stored(vector: StateVector): Vector;
  /** Whether the passes can look into the slot; numbers that they cannot are checked elsewhere. */
  isReadable(client: ClientId, slot: ParamSlot): boolean;
  /** Names the place in an error: ` (file …, tensor …)` where there are files, else nothing. */
  describe(client: ClientId, stage: "base" | "local", slot: string): string;
}
