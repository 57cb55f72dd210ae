/** Reads safetensors files: the header at once, tensors on demand and in chunks. */
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { KumiaiError } from "../errors.js";
import { bytesOf, decodeInto } from "./dtypes.js";
import { LENGTH_BYTES, parseHeader, parseHeaderLength, type SafetensorsHeader, type TensorInfo } from "./header.js";
import { malformed } from "./malformed.js";
import { unreadable } from "./unreadable.js";

/** An open file. Close it, or `await using`. */
export interface SafetensorsFile extends SafetensorsHeader, AsyncDisposable {
  /** Named in errors. */
  readonly file: string;
  /** Bytes before the first tensor's. */
  readonly headerBytes: number;
  readonly byteLength: number;
  /** One tensor's elements as a fresh vector. Throws LAYOUT_MISMATCH if there is none of this name. */
  read(name: string): Promise<Float32Array>;
  /** Reads into `out`, which must have the tensor's size, without a second copy of it. Throws LAYOUT_MISMATCH. */
  readInto(name: string, out: Float32Array): Promise<void>;
}

/** Throws FILE_NOT_FOUND, FILE_UNREADABLE or SAFETENSORS_MALFORMED. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = resolve(path);
  const handle = await open(file, "r").catch((cause: unknown) => Promise.reject(unreadable(file, cause)));
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new KumiaiError("FILE_UNREADABLE", `${file}: expected a file, found a folder or device`);
    const fill = async (out: Uint8Array, position: number): Promise<void> => {
      let done = 0;
      while (done < out.length) {
        const { bytesRead } = await handle.read(out, done, out.length - done, position + done);
        if (bytesRead === 0) {
          throw malformed({ file, expected: `${stats.size} bytes`, found: `an end at byte ${position + done}` });
        }
        done += bytesRead;
      }
    };
    return await openSource({
      file,
      size: stats.size,
      fill: (out, position) => fill(out, position).catch((cause: unknown) => Promise.reject(unreadable(file, cause))),
      close: () => handle.close(),
    });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The same over bytes in memory; `file` names them in errors. Throws SAFETENSORS_MALFORMED. */
export function openSafetensorsBytes(bytes: Uint8Array, file: string): Promise<SafetensorsFile> {
  return openSource({
    file,
    size: bytes.length,
    fill: async (out, position) => out.set(bytes.subarray(position, position + out.length)),
    close: async () => undefined,
  });
}

interface ByteSource {
  readonly file: string;
  readonly size: number;
  /** Fills all of `out` from `position` on, which lies within the source. */
  readonly fill: (out: Uint8Array, position: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Bytes that are converted at a time. */
const CHUNK_BYTES = 1 << 20;
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

async function openSource({ file, size, fill, close }: ByteSource): Promise<SafetensorsFile> {
  const first = new Uint8Array(LENGTH_BYTES);
  if (size >= LENGTH_BYTES) await fill(first, 0);
  const json = new Uint8Array(parseHeaderLength(first, size, file));
  await fill(json, LENGTH_BYTES);
  const header = parseHeader(json, size, file);

  const readInto = async (name: string, out: Float32Array): Promise<void> => {
    const info = infoOf(header, name, file);
    if (out.length !== info.size) {
      throw new KumiaiError(
        "LAYOUT_MISMATCH",
        `${file}: tensor ${JSON.stringify(name)}: expected ${out.length} elements, found ${info.size} ([${info.shape}])`,
        { file, tensor: name, expected: out.length, found: info.size },
      );
    }
    await decodeTensorInto(out, info, { file, fill });
  };

  return {
    ...header,
    file,
    headerBytes: LENGTH_BYTES + json.length,
    byteLength: size,
    readInto,
    async read(name) {
      const out = new Float32Array(infoOf(header, name, file).size);
      await readInto(name, out);
      return out;
    },
    [Symbol.asyncDispose]: close,
  };
}

async function decodeTensorInto(
  out: Float32Array,
  info: TensorInfo,
  { file, fill }: Pick<ByteSource, "file" | "fill">,
): Promise<void> {
  if (info.dtype === "F32" && IS_LITTLE_ENDIAN) {
    await fill(new Uint8Array(out.buffer, out.byteOffset, out.byteLength), info.position);
    return;
  }
  const width = bytesOf(info.dtype);
  const step = CHUNK_BYTES / width;
  const bytes = new Uint8Array(Math.min(CHUNK_BYTES, info.size * width));
  for (let at = 0; at < info.size; at += step) {
    const count = Math.min(step, info.size - at);
    const chunk = bytes.subarray(0, count * width);
    await fill(chunk, info.position + at * width);
    const unfit = decodeInto(out.subarray(at, at + count), chunk, info.dtype);
    if (unfit !== undefined) {
      throw malformed({ file, tensor: info.name, expected: "numbers that an f32 can stand for", found: unfit });
    }
  }
}

function infoOf(header: SafetensorsHeader, name: string, file: string): TensorInfo {
  const info = header.tensors.get(name);
  if (info === undefined) {
    throw new KumiaiError(
      "LAYOUT_MISMATCH",
      `${file}: expected a tensor ${JSON.stringify(name)}, found ${header.tensors.size} tensors of other names`,
      { file, tensor: name },
    );
  }
  return info;
}
