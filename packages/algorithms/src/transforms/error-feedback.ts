/**
 * Sending with a memory of what was lost: what a frame leaves out is added to the next vector before that is encoded, so
 * that over rounds everything arrives (1-bit SGD, Seide et al. 2014; Karimireddy et al. 2019, 1901.09847).
 *
 * Notation — code name, symbol, shape [P]:
 *   update    Δ_t    what is to be sent in round t
 *   residual  e_t    what earlier rounds left out; zeros at first
 *   received  C_t    decode(encode(Δ_t + e_t)), known on both sides
 *   e_{t+1} = Δ_t + e_t − C_t, so that Σ C_t + e_{T+1} = Σ Δ_t  (each sum rounded to f32).
 *
 * Differs from the papers in: the learning rate is inside Δ_t, which is a whole round of local training.
 */
import type { Rng } from "@kumiai/params";
import { decodeUpdate, encodeUpdate, isLossless, type UpdateCodec } from "./codec.js";

export interface Sent {
  readonly frame: Uint8Array;
  /** What the receiver makes of the frame. */
  readonly received: Float32Array;
  /** For the next vector; null where nothing is kept. */
  readonly residual: Float32Array | null;
}

export interface SendOptions {
  readonly codec: UpdateCodec;
  readonly errorFeedback: boolean;
  /** What `residual` was after the vector before; null at first. */
  readonly residual: Float32Array | null;
  readonly rng?: Rng;
}

/** Throws NON_FINITE; RangeError for a residual of another length. */
export function sendUpdate(update: Float32Array, { codec, errorFeedback, residual, rng }: SendOptions): Sent {
  if (residual !== null && residual.length !== update.length) {
    throw new RangeError(`residual: expected ${update.length} numbers, received ${residual.length}`);
  }
  const whole = residual === null ? update : update.map((value, i) => value + (residual[i] as number));
  const frame = encodeUpdate(codec, whole, rng);
  const received = decodeUpdate(frame, update.length);
  const isKept = errorFeedback && !isLossless(codec);
  return { frame, received, residual: isKept ? whole.map((value, i) => value - (received[i] as number)) : null };
}
