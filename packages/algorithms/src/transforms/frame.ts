/**
 * The frame that an encoded vector travels in: it says itself how it is to be read, so that a receiver needs no settings.
 *
 * Little-endian, 16 bytes of header, then the payload of the codec:
 *
 *   offset  bytes  what
 *        0      4  "KUF1"
 *        4      1  codec: 0 f32, 1 f16, 2 int8, 3 topk
 *        5      1  topk: codec of its values (0 to 2), plus 16 where indices are a bitmap; else 0
 *        6      2  f16: exponent of the scale, signed; int8: block length; of the values where the codec is topk; else 0
 *        8      4  n, elements of the vector
 *       12      4  k, values in the payload; n unless the codec is topk
 *
 * Nothing in a frame is trusted: every length is checked before it is used. Errors: FRAME_MALFORMED with what was
 * expected and what came.
 */
import { KumiaiError } from "@kumiai/params";

export const FRAME_HEADER_BYTES = 16;

/** In the order of their numbers in a frame. */
export const CODEC_NAMES = ["f32", "f16", "int8", "topk"] as const;

export type CodecName = (typeof CODEC_NAMES)[number];

export interface FrameHeader {
  readonly codec: CodecName;
  /** Of the values that a topk frame holds; null for other codecs. */
  readonly values: Exclude<CodecName, "topk"> | null;
  readonly hasBitmap: boolean;
  /** What the coder of the values needs, 16 bits. */
  readonly parameter: number;
  readonly elementCount: number;
  readonly valueCount: number;
}

const MAGIC = 0x3146554b; // "KUF1"
const BITMAP = 16;

/** A frame of `payloadBytes` with its header written, and the payload to be filled in. */
export function openFrame(header: FrameHeader, payloadBytes: number): { frame: Uint8Array; payload: Uint8Array } {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payloadBytes);
  const view = new DataView(frame.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, CODEC_NAMES.indexOf(header.codec));
  view.setUint8(5, (header.values === null ? 0 : CODEC_NAMES.indexOf(header.values)) + (header.hasBitmap ? BITMAP : 0));
  view.setUint16(6, header.parameter & 0xffff, true);
  view.setUint32(8, header.elementCount, true);
  view.setUint32(12, header.valueCount, true);
  return { frame, payload: frame.subarray(FRAME_HEADER_BYTES) };
}

export function readHeader(frame: Uint8Array): FrameHeader {
  if (frame.length < FRAME_HEADER_BYTES) malformed(`a header of ${FRAME_HEADER_BYTES} bytes`, `${frame.length} bytes`);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== MAGIC) malformed('the four letters "KUF1" at its start', "others");
  const codec = CODEC_NAMES[view.getUint8(4)];
  if (codec === undefined) malformed(`a codec from 0 to ${CODEC_NAMES.length - 1}`, String(view.getUint8(4)));
  const sub = view.getUint8(5);
  const inner = CODEC_NAMES[sub & ~BITMAP];
  const isSparse = codec === "topk";
  if (inner === undefined || inner === "topk" || (!isSparse && sub !== 0)) {
    malformed("a known codec of values", String(sub));
  }
  const elementCount = view.getUint32(8, true);
  const valueCount = view.getUint32(12, true);
  if (isSparse ? valueCount > elementCount : valueCount !== elementCount) {
    malformed(`${isSparse ? "at most " : ""}${elementCount} values, as there are elements`, String(valueCount));
  }
  return {
    codec,
    values: isSparse ? inner : null,
    hasBitmap: (sub & BITMAP) !== 0,
    parameter: view.getUint16(6, true),
    elementCount,
    valueCount,
  };
}

/** Throws FRAME_MALFORMED. */
export function malformed(expected: string, received: string): never {
  throw new KumiaiError(
    "FRAME_MALFORMED",
    `encoded update: expected ${expected}, received ${received}; it was damaged on the way or written by another version, send it again`,
  );
}
