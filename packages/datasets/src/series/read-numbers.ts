/**
 * Text files of numbers between blanks, one row per line, plain or gzip-compressed. Files are read as a stream: a row is held
 * at a time, so files of 100 MB do no harm.
 *
 * Errors: FILE_UNREADABLE; DATA_MALFORMED with file, line, column, what was expected and what was found.
 */
import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { KumiaiError } from "@kumiai/params";

/** `folder/name` or `folder/name.gz`, whichever is there; undefined when neither is. */
export async function findDataFile(folder: string, name: string): Promise<string | undefined> {
  for (const path of [join(folder, name), join(folder, `${name}.gz`)]) {
    try {
      await access(path);
      return path;
    } catch {
      // the next one
    }
  }
  return undefined;
}

/** Text of a file in pieces; unpacked when its name ends in `.gz`. `use` is awaited; it has to read all of it. */
export async function streamText(
  path: string,
  use: (text: AsyncIterable<string>) => Promise<void>,
  encoding = "utf-8",
): Promise<void> {
  const decoder = decoderOf(encoding);
  let refusal: KumiaiError | undefined;
  const consume = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    try {
      await use(decoded(chunks, decoder, path));
    } catch (error) {
      // The streams' own complaint about being ended early may come before this one.
      if (error instanceof KumiaiError) refusal = error;
      throw error;
    }
  };
  try {
    const source = createReadStream(path);
    if (path.endsWith(".gz")) await pipeline(source, createGunzip(), consume);
    else await pipeline(source, consume);
  } catch (cause) {
    if (refusal !== undefined) throw refusal;
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
      throw new KumiaiError("FILE_NOT_FOUND", `${path}: no such file; check the path`, { path }, cause);
    }
    const hint = cause instanceof TypeError ? "; is it in another encoding, e.g. shift_jis?" : "";
    throw new KumiaiError("FILE_UNREADABLE", `${path}: ${(cause as Error).message}${hint}`, { path }, cause);
  }
}

type Decoder = InstanceType<typeof TextDecoder>;

function decoderOf(encoding: string): Decoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch (cause) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `encoding: expected a name such as utf-8 or shift_jis, received "${encoding}"`,
      { encoding },
      cause,
    );
  }
}

async function* decoded(chunks: AsyncIterable<Buffer>, decoder: Decoder, path: string): AsyncIterable<string> {
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst) refuseUtf16(chunk, decoder, path);
    isFirst = false;
    yield decoder.decode(chunk, { stream: true });
  }
  yield decoder.decode();
}

/** What spreadsheets call "Unicode text"; other decoders either stumble over a byte of it or read every other letter as NUL. */
function refuseUtf16(head: Buffer, decoder: Decoder, path: string): void {
  const found = utf16Of(head);
  if (found === undefined || decoder.encoding.startsWith("utf-16")) return;
  throw new KumiaiError(
    "FILE_UNREADABLE",
    `${path}: expected text in ${decoder.encoding}, found UTF-16; save it as UTF-8, or set encoding to ${found}`,
    { path, encoding: found },
  );
}

/** By the byte order mark; without one, by digits and delimiters, of which one byte of two is NUL. */
function utf16Of(head: Buffer): "utf-16le" | "utf-16be" | undefined {
  const [first, second] = head;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  const nulls = [0, 0];
  const sample = head.subarray(0, 1024);
  sample.forEach((byte, i) => {
    if (byte === 0) nulls[i % 2] = (nulls[i % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = nulls;
  if (Math.min(even, odd) > 0 || Math.max(even, odd) < sample.length / 16) return undefined;
  return odd > even ? "utf-16le" : "utf-16be";
}

/**
 * Calls `onRow` for every line that is not blank, with its numbers; the array is used again for the next line.
 * `columnCount`: what every line must have.
 */
export async function readNumberRows(
  path: string,
  columnCount: number,
  onRow: (row: Float64Array, index: number) => void,
): Promise<number> {
  const row = new Float64Array(columnCount);
  let line = 0;
  let rowCount = 0;
  const take = (text: string): void => {
    line++;
    const trimmed = text.trim();
    if (trimmed === "") return;
    parseRow(trimmed, row, `${path}:${line}`);
    onRow(row, rowCount++);
  };
  await streamText(path, async (text) => {
    let rest = "";
    for await (const piece of text) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(take);
    }
    if (rest !== "") take(rest);
  });
  return rowCount;
}

function parseRow(text: string, row: Float64Array, place: string): void {
  const tokens = text.split(/\s+/);
  if (tokens.length !== row.length) {
    throw malformed(place, `${row.length} numbers`, `${tokens.length}`);
  }
  tokens.forEach((token, column) => {
    const value = Number(token);
    if (!Number.isFinite(value))
      throw malformed(`${place}: column ${column + 1}`, "a number", `"${token.slice(0, 40)}"`);
    row[column] = value;
  });
}

export function malformed(place: string, expected: string, found: string): KumiaiError {
  return new KumiaiError("DATA_MALFORMED", `${place}: expected ${expected}, found ${found}`, { place });
}

/** A folder of public data that is not there or not complete. */
export interface PublicData {
  readonly name: string;
  /** Where the public copy is. */
  readonly source: string;
}

/** `setting`: what the user would change to name another folder, e.g. `data.folder in plant.yaml`. */
export function folderMissing(
  data: PublicData,
  folder: string,
  missing: readonly string[],
  setting: string,
): KumiaiError {
  return new KumiaiError(
    "DATA_FOLDER_MISSING",
    `${folder}: expected the files of the ${data.name} data; not found: ${missing.join(", ")} (each plain or with .gz); ` +
      `get them from ${data.source} and put them there, or change ${setting}`,
    { folder, missing: missing.join(", ") },
  );
}
