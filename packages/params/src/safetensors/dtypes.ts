/**
 * The element types of safetensors files: their sizes, and how their bytes (little-endian) become f32 and back.
 *
 * Reading loses nothing in silence: f64 is rounded to the nearest f32, but a finite value beyond its range is refused, and
 * so is an integer that no f32 holds exactly. NaN and infinities of float types pass.
 */

/** Types that are read. */
export type SafetensorsDtype =
  | "F64"
  | "F32"
  | "F16"
  | "BF16"
  | "I64"
  | "I32"
  | "I16"
  | "I8"
  | "U64"
  | "U32"
  | "U16"
  | "U8"
  | "BOOL";

/** Types that are written. */
export type WritableDtype = "F32" | "F16";

type ReadElement = (view: DataView, at: number) => number | bigint;

const DTYPES: Readonly<Record<SafetensorsDtype, { readonly bytes: number; readonly read: ReadElement }>> = {
  F64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  F32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  F16: { bytes: 2, read: (view, at) => fromHalfBits(view.getUint16(at, true)) },
  BF16: { bytes: 2, read: (view, at) => fromBrainBits(view.getUint16(at, true)) },
  I64: { bytes: 8, read: (view, at) => view.getBigInt64(at, true) },
  I32: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  I16: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  I8: { bytes: 1, read: (view, at) => view.getInt8(at) },
  U64: { bytes: 8, read: (view, at) => view.getBigUint64(at, true) },
  U32: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  U16: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  U8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  BOOL: { bytes: 1, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
};

export const DTYPE_NAMES: readonly string[] = Object.keys(DTYPES);

export function isDtype(raw: unknown): raw is SafetensorsDtype {
  return typeof raw === "string" && Object.hasOwn(DTYPES, raw);
}

/** Bytes of one element. */
export function bytesOf(dtype: SafetensorsDtype): number {
  return DTYPES[dtype].bytes;
}

/** Reads `out.length` elements of `bytes` into `out`; returns the first value that f32 cannot stand for, as text. */
export function decodeInto(out: Float32Array, bytes: Uint8Array, dtype: SafetensorsDtype): string | undefined {
  const { bytes: width, read } = DTYPES[dtype];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fits = dtype.includes("F") ? floatFits : integerFits;
  for (let i = 0; i < out.length; i++) {
    const value = read(view, i * width);
    if (!fits(value)) return String(value);
    out[i] = Number(value);
  }
  return undefined;
}

function floatFits(value: number | bigint): boolean {
  const number = Number(value);
  return Number.isFinite(Math.fround(number)) || !Number.isFinite(number);
}

function integerFits(value: number | bigint): boolean {
  return BigInt(Math.fround(Number(value))) === BigInt(value);
}

/** The bytes of `values` as `dtype`. A finite value beyond the range of f16 becomes an infinity: check before. */
export function encode(values: Float32Array, dtype: WritableDtype): Uint8Array {
  const width = bytesOf(dtype);
  const bytes = new Uint8Array(values.length * width);
  const view = new DataView(bytes.buffer);
  if (dtype === "F32") for (let i = 0; i < values.length; i++) view.setFloat32(i * width, values[i], true);
  else for (let i = 0; i < values.length; i++) view.setUint16(i * width, toHalfBits(values[i]), true);
  return bytes;
}

const scratch = new DataView(new ArrayBuffer(4));

/** Bits of bfloat16, the upper half of an f32. */
function fromBrainBits(bits: number): number {
  scratch.setUint32(0, bits * 65536);
  return scratch.getFloat32(0);
}

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
export function fromHalfBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Rounds to the nearest binary16, ties to even. */
export function toHalfBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  // Below 2⁻¹⁴ all numbers are multiples of 2⁻²⁴; above, 1024 steps lie between powers of two.
  const exponent = magnitude < 2 ** -14 ? -14 : Math.floor(Math.log2(magnitude));
  const steps = roundToEven(magnitude / 2 ** (exponent - 10));
  // A carry out of the fraction runs into the exponent bits, as it should.
  return sign | (magnitude < 2 ** -14 ? steps : ((exponent + 14) << 10) + steps);
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
