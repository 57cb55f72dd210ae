/**
 * The header of a safetensors file, checked to the last byte.
 *
 *   bytes 0-7    length n of the header, u64 little-endian
 *   n bytes      JSON object from "{" on: tensor name → { dtype, shape, data_offsets: [begin, end] }, `__metadata__` → texts
 *   the rest     the tensors' bytes; offsets count from here, leave no gap and do not overlap
 *
 * Source: github.com/huggingface/safetensors, README "Format". Stricter here: a name that occurs twice is refused.
 */
import { bytesOf, DTYPE_NAMES, isDtype, type SafetensorsDtype } from "./dtypes.js";
import { findRepeatedKey } from "./json-keys.js";
import { malformed, show } from "./malformed.js";

/** Bytes before the JSON. */
export const LENGTH_BYTES = 8;
/** As in the reference implementation: no honest header is longer. */
export const MAX_HEADER_BYTES = 100_000_000;

export interface TensorInfo {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Element count, the product of `shape`. */
  readonly size: number;
  /** First byte in the file. */
  readonly position: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/** The header's length from the first bytes of a file of `fileBytes` bytes. Throws SAFETENSORS_MALFORMED. */
export function parseHeaderLength(first: Uint8Array, fileBytes: number, file: string): number {
  if (fileBytes < LENGTH_BYTES) {
    throw malformed({ file, expected: `at least ${LENGTH_BYTES} bytes`, found: `${fileBytes} bytes` });
  }
  const length = Number(new DataView(first.buffer, first.byteOffset, LENGTH_BYTES).getBigUint64(0, true));
  const room = fileBytes - LENGTH_BYTES;
  if (length > room || length > MAX_HEADER_BYTES) {
    throw malformed({
      file,
      expected: `a header of at most ${Math.min(room, MAX_HEADER_BYTES)} bytes`,
      found: `a header length of ${length} bytes`,
    });
  }
  return length;
}

/** Parses and checks the JSON of a header; `fileBytes` is the size of the whole file. Throws SAFETENSORS_MALFORMED. */
export function parseHeader(json: Uint8Array, fileBytes: number, file: string): SafetensorsHeader {
  const raw = parseJson(json, file);
  const dataStart = LENGTH_BYTES + json.length;
  const ranges: Range[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, value] of Object.entries(raw)) {
    if (name === "__metadata__") metadata = checkMetadata(value, file);
    else ranges.push(checkTensor(name, value, dataStart, file));
  }
  // Empty tensors share their place with the next; they come first there.
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(ranges, fileBytes - dataStart, file);
  return { metadata, tensors: new Map(ranges.map(({ info }) => [info.name, info])) };
}

interface Range {
  readonly info: TensorInfo;
  readonly begin: number;
  readonly end: number;
}

function parseJson(json: Uint8Array, file: string): object {
  let text: string;
  let raw: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
    raw = JSON.parse(text);
  } catch {
    throw malformed({ file, expected: "a header of UTF-8 JSON", found: "bytes that are not" });
  }
  if (!isRecord(raw) || !text.startsWith("{")) {
    throw malformed({ file, expected: "a header that is a JSON object from its first byte on", found: show(raw) });
  }
  const repeated = findRepeatedKey(text);
  if (repeated !== undefined) {
    throw malformed({ file, tensor: repeated, expected: "every name once", found: "the name twice" });
  }
  return raw;
}

function checkMetadata(raw: unknown, file: string): Readonly<Record<string, string>> {
  const expected = "__metadata__ to be an object of texts";
  if (!isRecord(raw)) throw malformed({ file, expected, found: show(raw) });
  for (const [key, value] of Object.entries(raw)) {
    if (typeof value !== "string") throw malformed({ file, expected, found: `${show(key)}: ${show(value)}` });
  }
  return raw as Readonly<Record<string, string>>;
}

function checkTensor(tensor: string, raw: unknown, dataStart: number, file: string): Range {
  const fail = (expected: string, found: unknown): never => {
    throw malformed({ file, tensor, expected, found: typeof found === "string" ? found : show(found) });
  };
  if (!isRecord(raw)) return fail("an object with dtype, shape and data_offsets", raw);
  const { dtype, shape, data_offsets: offsets, ...others } = raw;
  const extra = Object.keys(others)[0];
  if (extra !== undefined) return fail("only dtype, shape and data_offsets", `a field ${show(extra)}`);
  if (!isDtype(dtype)) return fail(`dtype to be one of ${DTYPE_NAMES.join(", ")}`, show(dtype));
  if (!isCounts(shape)) return fail("shape to be a list of whole numbers of 0 or more", shape);
  if (!isCounts(offsets) || offsets.length !== 2) return fail("data_offsets to be two whole numbers", offsets);
  const [begin, end] = offsets as [number, number];
  const size = shape.reduce((product, extent) => product * extent, 1);
  const bytes = size * bytesOf(dtype);
  if (end - begin !== bytes) {
    return fail(`${bytes} bytes for ${dtype} [${shape}]`, `${end - begin} bytes (offsets ${begin} to ${end})`);
  }
  return { info: { name: tensor, dtype, shape, size, position: dataStart + begin }, begin, end };
}

function checkCoverage(ranges: readonly Range[], dataBytes: number, file: string): void {
  let next = 0;
  for (const { info, begin, end } of ranges) {
    if (begin !== next) {
      const fault = begin > next ? "a gap" : "an overlap";
      throw malformed({
        file,
        tensor: info.name,
        expected: `offset ${next}, where the tensor before ends`,
        found: `offset ${begin}, ${fault} of ${Math.abs(begin - next)} bytes`,
      });
    }
    next = end;
  }
  if (next !== dataBytes) {
    const last = ranges.at(-1)?.info.name;
    throw malformed({
      file,
      ...(last === undefined ? {} : { tensor: last }),
      expected: `${next} bytes of tensors`,
      found: `${dataBytes} bytes`,
    });
  }
}

function isCounts(raw: unknown): raw is readonly number[] {
  return Array.isArray(raw) && raw.every((value) => Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0));
}

function isRecord(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}
