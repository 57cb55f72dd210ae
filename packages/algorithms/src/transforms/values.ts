/**
 * How the values of a vector become bytes: as f32, as 16-bit floats with one scale, or as 8-bit numbers with a scale a block.
 *
 * Notation — code name, symbol, shape:
 *   values  x  [K]  finite f32
 *   f32   4 bytes each, exact.
 *   f16   2 bytes each: binary16 of x·2^s, to nearest, s such that the largest |x| comes to lie in [2¹⁴, 2¹⁵): nothing
 *         overflows, and what is small keeps its digits. |error| ≤ max(2⁻¹¹·|x|, 2⁻³⁹·max|x|).
 *   int8  1 byte each and 4 a block: q = x/Δ rounded, Δ = max|x|/127 over the block, in f32. |error| ≤ Δ/2 with rounding to
 *         nearest (ties to even); with stochastic rounding ≤ Δ, and no bias: E[q] = x/Δ (Alistarh et al. 2017, QSGD, 1610.02132).
 *
 * Errors: NON_FINITE where a value is NaN or infinite; FRAME_MALFORMED for bytes that cannot be values.
 * Deterministic: stochastic rounding draws one number a value from the stream it is given, in order.
 */
import { type Kernels, referenceBackend, selectBackend } from "@kumiai/kernels";
import { KumiaiError, type Rng } from "@kumiai/params";
import { type CodecName, malformed } from "./frame.js";

export type ValueCodecName = Exclude<CodecName, "topk">;

export type ValueCodec =
  | { readonly codec: "f32" }
  | { readonly codec: "f16" }
  | {
      readonly codec: "int8";
      /** Values that share a scale, 8 to 65,535. */
      readonly blockSize: number;
      readonly rounding: "nearest" | "stochastic";
    };

/** Bytes of `count` values; `parameter` as in the frame. */
export function valueBytes(codec: ValueCodecName, count: number, parameter: number): number {
  switch (codec) {
    case "f32":
      return 4 * count;
    case "f16":
      return 2 * count;
    case "int8":
      if (parameter === 0) malformed("a block length of 1 or more", "0");
      return count + 4 * Math.ceil(count / parameter);
  }
}

/** What the frame must say beside the bytes: the exponent of f16, the block length of int8. */
export function parameterOf(spec: ValueCodec, values: Float32Array): number {
  switch (spec.codec) {
    case "f32":
      return 0;
    case "f16":
      return scaleExponent(values);
    case "int8":
      return spec.blockSize;
  }
}

/** `parameter` is what `parameterOf` gave. */
export function writeValues(
  bytes: Uint8Array,
  spec: ValueCodec,
  values: Float32Array,
  parameter: number,
  rng: Rng | undefined,
): void {
  switch (spec.codec) {
    case "f32":
      bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      return;
    case "f16":
      writeHalves(bytes, values, parameter);
      return;
    case "int8":
      writeBlocks(bytes, values, spec, rng);
  }
}

export function readValues(
  bytes: Uint8Array,
  codec: ValueCodecName,
  count: number,
  parameter: number,
): Float32Array<ArrayBuffer> {
  switch (codec) {
    case "f32":
      return finite(new Float32Array(bytes.slice().buffer));
    case "f16":
      return finite(readHalves(bytes, count, (parameter << 16) >> 16));
    case "int8":
      return readBlocks(bytes, count, parameter);
  }
}

/** Throws NON_FINITE for the first value that is NaN or infinite; the value itself is not told. */
export function assertFinite(values: Float32Array): void {
  const bad = firstNonFinite(values);
  if (bad < 0) return;
  throw new KumiaiError(
    "NON_FINITE",
    `update: element ${bad}: expected a finite number, received ${String(values[bad])}; lower the client's learning rate or clip its gradients`,
    { element: bad },
  );
}

function firstNonFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

function finite(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const bad = firstNonFinite(values);
  if (bad >= 0) malformed("finite numbers", `${String(values[bad])} in place ${bad}`);
  return values;
}

/** s of f16: 14 less the exponent of the largest magnitude; 0 for zeros. */
function scaleExponent(values: Float32Array): number {
  const max = largest(values, 0, values.length);
  if (max === 0) return 0;
  let exponent = Math.floor(Math.log2(max));
  // The logarithm may be off by one next to a power of two.
  if (2 ** exponent > max) exponent--;
  else if (2 ** (exponent + 1) <= max) exponent++;
  return 14 - exponent;
}

function largest(values: Float32Array, from: number, end: number): number {
  let max = 0;
  for (let i = from; i < end; i++) {
    const magnitude = Math.abs(values[i] as number);
    if (magnitude > max) max = magnitude;
  }
  return max;
}

const LARGEST_F32 = 3.4028234663852886e38;

/** What was rounded up may lie a little beyond the largest f32. */
function inRange(value: number): number {
  return Math.max(-LARGEST_F32, Math.min(LARGEST_F32, value));
}

/** Values converted at once: what fits a first-level cache. */
const CHUNK = 8192;

/** Below this many values, opening the kernels takes longer than they save; the bits are the same. */
const FEW = 1024;

function openHalves(count: number): { kernels: Kernels; floats: Float32Array; halves: Uint16Array } {
  const kernels = (count < FEW ? referenceBackend : selectBackend()).open(6 * CHUNK + 256);
  return { kernels, floats: kernels.f32(CHUNK), halves: kernels.u16(CHUNK) };
}

function writeHalves(bytes: Uint8Array, values: Float32Array, exponent: number): void {
  const { kernels, floats, halves } = openHalves(values.length);
  const scale = 2 ** exponent;
  for (let from = 0; from < values.length; from += CHUNK) {
    const count = Math.min(CHUNK, values.length - from);
    for (let i = 0; i < count; i++) floats[i] = (values[from + i] as number) * scale;
    kernels.toHalfInto(halves.subarray(0, count), floats.subarray(0, count));
    bytes.set(new Uint8Array(halves.buffer, halves.byteOffset, 2 * count), 2 * from);
  }
}

function readHalves(bytes: Uint8Array, count: number, exponent: number): Float32Array<ArrayBuffer> {
  const { kernels, floats, halves } = openHalves(count);
  const out = new Float32Array(count);
  const scale = 2 ** -exponent;
  const room = new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength);
  for (let from = 0; from < count; from += CHUNK) {
    const part = Math.min(CHUNK, count - from);
    room.set(bytes.subarray(2 * from, 2 * (from + part)));
    kernels.fromHalfInto(floats.subarray(0, part), halves.subarray(0, part));
    for (let i = 0; i < part; i++) {
      const half = floats[i] as number;
      out[from + i] = Number.isFinite(half) ? inRange(half * scale) : half;
    }
  }
  return out;
}

/** Adding and taking away 1.5·2⁵² rounds an f64 to the nearest whole number, ties to even. */
const ROUNDER = 1.5 * 2 ** 52;

/** Scales of all blocks, then the numbers. */
function writeBlocks(
  bytes: Uint8Array,
  values: Float32Array,
  { blockSize, rounding }: ValueCodec & { readonly codec: "int8" },
  rng: Rng | undefined,
): void {
  const blockCount = Math.ceil(values.length / blockSize);
  const scales = new Float32Array(blockCount);
  const numbers = new Int8Array(bytes.buffer, bytes.byteOffset + 4 * blockCount, values.length);
  if (rounding === "stochastic" && rng === undefined) throw new RangeError("int8: stochastic rounding needs a stream");
  for (let block = 0; block < blockCount; block++) {
    const from = block * blockSize;
    const end = Math.min(from + blockSize, values.length);
    scales[block] = largest(values, from, end) / 127;
    const scale = scales[block] as number;
    if (scale === 0) continue; // Zeros, or so near to it that f32 has no number for the step.
    for (let i = from; i < end; i++) {
      const exact = (values[i] as number) / scale;
      const q =
        rounding === "nearest" || rng === undefined ? exact + ROUNDER - ROUNDER : Math.floor(exact + rng.uniform());
      numbers[i] = Math.max(-127, Math.min(127, q));
    }
  }
  bytes.set(new Uint8Array(scales.buffer));
}

function readBlocks(bytes: Uint8Array, count: number, blockSize: number): Float32Array<ArrayBuffer> {
  const blockCount = Math.ceil(count / blockSize);
  const scales = finite(new Float32Array(bytes.slice(0, 4 * blockCount).buffer));
  const numbers = new Int8Array(bytes.buffer, bytes.byteOffset + 4 * blockCount, count);
  const out = new Float32Array(count);
  for (let block = 0; block < blockCount; block++) {
    const scale = scales[block] as number;
    const end = Math.min((block + 1) * blockSize, count);
    for (let i = block * blockSize; i < end; i++) {
      out[i] = inRange((numbers[i] as number) * scale);
    }
  }
  return out;
}
