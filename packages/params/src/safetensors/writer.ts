/**
 * Writes safetensors files: the plan first, then tensors in any order and in pieces, whole or not at all. F32 tensors
 * come before F16 ones in the file, so that each begins at a multiple of its element size, as PyTorch needs it.
 */
import { KumiaiError } from "../errors.js";
import { createAtomicFile } from "../files/write-file-atomic.js";
import { bytesOf, encode, type WritableDtype } from "./dtypes.js";
import { LENGTH_BYTES } from "./header.js";

export interface TensorPlan {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: WritableDtype;
}

export interface SafetensorsWriter extends AsyncDisposable {
  /**
   * Adds `values` to the tensor's elements written so far. Throws LAYOUT_MISMATCH for an unplanned tensor or too many
   * elements, NON_FINITE for a finite number that f16 cannot hold, WRITE_FAILED.
   */
  write(name: string, values: Float32Array): Promise<void>;
  /** Gives the file its name. Throws LAYOUT_MISMATCH if a tensor is not complete, WRITE_FAILED. */
  finish(): Promise<void>;
}

/** Disposing the writer before `finish` leaves no trace. Throws LAYOUT_MISMATCH for a bad plan, WRITE_FAILED. */
export async function createSafetensorsWriter(
  path: string,
  plan: readonly TensorPlan[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<SafetensorsWriter> {
  const tensors = placeTensors(plan);
  const header = encodeHeader(tensors, metadata);
  const file = await createAtomicFile(path);
  await file.write(header, 0);
  const written = new Map<string, number>();

  return {
    async write(name, values) {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw mismatch(path, name, "a tensor of the plan", "a name that is not in it");
      const before = written.get(name) ?? 0;
      if (before + values.length > tensor.size) {
        throw mismatch(path, name, `${tensor.size} elements`, `${before + values.length} elements`);
      }
      if (tensor.dtype === "F16") checkHalfRange(path, name, values);
      written.set(name, before + values.length);
      const width = bytesOf(tensor.dtype);
      const start = header.length + tensor.begin + before * width;
      for (let at = 0; at < values.length; at += CHUNK_ELEMENTS) {
        const chunk = values.subarray(at, at + CHUNK_ELEMENTS);
        await file.write(encode(chunk, tensor.dtype), start + at * width);
      }
    },
    async finish() {
      for (const [name, { size }] of tensors) {
        const count = written.get(name) ?? 0;
        if (count !== size) throw mismatch(path, name, `${size} elements`, `${count} elements written`);
      }
      await file.commit();
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

/** A file as it will be: its header's bytes, and where each tensor's bytes begin. */
export interface SafetensorsPlan {
  readonly header: Uint8Array;
  readonly byteLength: number;
  readonly tensors: ReadonlyMap<string, { readonly position: number; readonly size: number }>;
}

/** For those who write the tensors' bytes themselves. Throws LAYOUT_MISMATCH for a bad plan. */
export function planSafetensors(
  plan: readonly TensorPlan[],
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsPlan {
  const tensors = placeTensors(plan);
  const header = encodeHeader(tensors, metadata);
  const byteLength = [...tensors.values()].reduce((end, tensor) => Math.max(end, tensor.end), 0) + header.length;
  const places = Array.from(
    tensors,
    ([name, { begin, size }]) => [name, { position: header.length + begin, size }] as const,
  );
  return { header, byteLength, tensors: new Map(places) };
}

/** Elements that are converted at a time. */
const CHUNK_ELEMENTS = 1 << 18;

interface PlacedTensor extends TensorPlan {
  readonly size: number;
  readonly begin: number;
  readonly end: number;
}

function placeTensors(plan: readonly TensorPlan[]): ReadonlyMap<string, PlacedTensor> {
  const placed = new Map<string, PlacedTensor>();
  let begin = 0;
  for (const tensor of [...plan].sort((a, b) => bytesOf(b.dtype) - bytesOf(a.dtype))) {
    if (placed.has(tensor.name) || tensor.name === "__metadata__") {
      throw mismatch("plan", tensor.name, "every tensor to have a name of its own", "a name that is taken");
    }
    const bad = tensor.shape.find((extent) => !Number.isSafeInteger(extent) || extent < 0);
    if (bad !== undefined) throw mismatch("plan", tensor.name, "extents of 0 or more", `[${tensor.shape}]`);
    const size = tensor.shape.reduce((product, extent) => product * extent, 1);
    const end = begin + size * bytesOf(tensor.dtype);
    placed.set(tensor.name, { ...tensor, size, begin, end });
    begin = end;
  }
  return placed;
}

/** Length and JSON, filled up with spaces so that the tensors begin at a multiple of 8 bytes. */
function encodeHeader(
  tensors: ReadonlyMap<string, PlacedTensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: [string, unknown][] = Object.keys(metadata).length === 0 ? [] : [["__metadata__", metadata]];
  for (const [name, { dtype, shape, begin, end }] of tensors) {
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  // Joined by hand: an object would move names that look like numbers to the front.
  const text = `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
  const json = new TextEncoder().encode(text);
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}

/** Above this, rounding to f16 gives an infinity. */
const HALF_LIMIT = 65520;

function checkHalfRange(path: string, tensor: string, values: Float32Array): void {
  const bad = values.find((value) => Number.isFinite(value) && Math.abs(value) >= HALF_LIMIT);
  if (bad === undefined) return;
  throw new KumiaiError(
    "NON_FINITE",
    `${path}: tensor ${JSON.stringify(tensor)}: expected magnitudes below ${HALF_LIMIT} for F16, received ${bad}; write F32`,
    { path, tensor },
  );
}

function mismatch(path: string, tensor: string, expected: string, received: string): KumiaiError {
  return new KumiaiError(
    "LAYOUT_MISMATCH",
    `${path}: tensor ${JSON.stringify(tensor)}: expected ${expected}, received ${received}`,
    { path, tensor, expected, received },
  );
}
