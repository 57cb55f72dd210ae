/**
 * Codecs of updates: a flat vector in, a frame of bytes out, and back. Pure: the same vector, settings and random stream
 * give the same bytes. What a frame costs is its length; there is nothing beside it.
 *
 *   codec  bytes for n values                      what is lost
 *   f32    16 + 4n                                 nothing
 *   f16    16 + 2n                                 see `values.ts`
 *   int8   16 + n + 4·⌈n/blockSize⌉                see `values.ts`
 *   topk   16 + places + values of ⌈share·n⌉       all but the largest coordinates; see `topk.ts`
 *
 * Errors: NON_FINITE (encode), FRAME_MALFORMED (decode).
 */
import type { Rng } from "@kumiai/params";
import { FRAME_HEADER_BYTES, malformed, openFrame, readHeader } from "./frame.js";
import { largestPlaces, readPlaces, writePlaces } from "./topk.js";
import { assertFinite, parameterOf, readValues, type ValueCodec, valueBytes, writeValues } from "./values.js";

export type UpdateCodec =
  | ValueCodec
  | {
      readonly codec: "topk";
      /** Above 0, at most 1: the part of the coordinates that is sent. */
      readonly share: number;
      readonly values: ValueCodec;
    };

/** Whether decoding gives back what was encoded, to the bit. */
export function isLossless({ codec }: UpdateCodec): boolean {
  return codec === "f32";
}

/** `rng` is needed for stochastic rounding only. Throws NON_FINITE; RangeError for settings that no parser lets pass. */
export function encodeUpdate(spec: UpdateCodec, update: Float32Array, rng?: Rng): Uint8Array {
  assertSettings(spec);
  assertFinite(update);
  return spec.codec === "topk" ? encodeSparse(spec, update, rng) : encodeDense(spec, update, rng);
}

/** `elementCount`: what the receiver knows that the vector must have; a frame cannot make it set aside more. Throws FRAME_MALFORMED. */
export function decodeUpdate(frame: Uint8Array, elementCount: number): Float32Array<ArrayBuffer> {
  const { codec, values, hasBitmap, parameter, valueCount, ...header } = readHeader(frame);
  if (header.elementCount !== elementCount) malformed(`${elementCount} elements`, String(header.elementCount));
  const payload = frame.subarray(FRAME_HEADER_BYTES);
  if (codec !== "topk") {
    assertLength(payload, valueBytes(codec, valueCount, parameter));
    return readValues(payload, codec, valueCount, parameter);
  }
  const { places, byteLength } = readPlaces(payload, hasBitmap, valueCount, elementCount);
  const rest = payload.subarray(byteLength);
  assertLength(rest, valueBytes(values ?? "f32", valueCount, parameter));
  const kept = readValues(rest, values ?? "f32", valueCount, parameter);
  const out = new Float32Array(elementCount);
  for (let j = 0; j < places.length; j++) out[places[j] as number] = kept[j] as number;
  return out;
}

function assertSettings(spec: UpdateCodec): void {
  if (spec.codec === "topk") {
    if (!(spec.share > 0 && spec.share <= 1))
      throw new RangeError(`topk: expected a share in (0, 1], not ${spec.share}`);
    assertSettings(spec.values);
  } else if (spec.codec === "int8" && !(spec.blockSize >= 8 && spec.blockSize <= 65_535)) {
    throw new RangeError(`int8: expected blocks of 8 to 65535, not ${spec.blockSize}`);
  }
}

function encodeDense(spec: ValueCodec, update: Float32Array, rng: Rng | undefined): Uint8Array {
  const parameter = parameterOf(spec, update);
  const count = update.length;
  const header = {
    codec: spec.codec,
    values: null,
    hasBitmap: false,
    parameter,
    elementCount: count,
    valueCount: count,
  };
  const { frame, payload } = openFrame(header, valueBytes(spec.codec, count, parameter));
  writeValues(payload, spec, update, parameter, rng);
  return frame;
}

function encodeSparse(
  { share, values }: UpdateCodec & { readonly codec: "topk" },
  update: Float32Array,
  rng: Rng | undefined,
): Uint8Array {
  const count = update.length;
  const valueCount = Math.min(count, Math.max(1, Math.ceil(share * count)));
  const places = largestPlaces(update, valueCount);
  const kept = Float32Array.from(places, (place) => update[place] as number);
  const { bytes, isBitmap } = writePlaces(places, count);
  const parameter = parameterOf(values, kept);
  const header = {
    codec: "topk",
    values: values.codec,
    hasBitmap: isBitmap,
    parameter,
    elementCount: count,
    valueCount,
  } as const;
  const { frame, payload } = openFrame(header, bytes.length + valueBytes(values.codec, valueCount, parameter));
  payload.set(bytes);
  writeValues(payload.subarray(bytes.length), values, kept, parameter, rng);
  return frame;
}

function assertLength(payload: Uint8Array, expected: number): void {
  if (payload.length !== expected) malformed(`${expected} bytes of values`, `${payload.length}`);
}
