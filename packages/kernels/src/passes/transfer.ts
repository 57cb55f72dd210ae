/**
 * Moves ranges between where they lie and kernel memory: plain copies in memory, `pread` and `pwrite` for files. Files hold
 * little-endian numbers, as does every machine that Node runs WASM on.
 */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import type { Kernels } from "../backend.js";
import type { Medium } from "./sizes.js";
import { bytesOfElement, type FilePiece, isInFile, overlapsOf, type Range, type Vector } from "./vector.js";

/** More open files than this are closed again, the longest unused first. */
const MAX_OPEN_FILES = 256;

/** A file that could not be read or written, with the reason that the system gave. */
export class TransferFailed extends Error {
  readonly path: string;
  readonly operation: "read" | "write";
  /** E.g. `ENOSPC`. */
  readonly reason: string;

  constructor(path: string, operation: "read" | "write", reason: string, message: string) {
    super(message);
    this.path = path;
    this.operation = operation;
    this.reason = reason;
  }
}

/** Bytes that went through files. */
export interface FileBytes {
  readonly read: number;
  readonly written: number;
}

/** Reads and writes of one thread. */
export interface Transfer {
  mediumOf(vectors: Iterable<Vector>): Medium;
  /** The range's numbers: where they lie, if kernels can reach them there, else in `room`, which has the range's length. */
  load(room: Float32Array, range: Range): Float32Array;
  /** The range itself, if kernels can write it in place, else `room`; `store` brings it there. */
  target(room: Float32Array, range: Range): Float32Array;
  /**
   * Writes `values`, all finite, to the range (nothing is to be done if they are its `target`), whose file holds zeros so far; `bits` is room for as many 16-bit numbers. Returns the
   * index of the first value that the range's 16 bits have no room for, −1 where there is none.
   */
  store(values: Float32Array, range: Range, bits: Uint16Array): number;
  copyBytes(copy: {
    readonly from: FilePlace;
    readonly to: FilePlace;
    readonly byteLength: number;
    readonly buffer: Uint8Array;
  }): void;
  /** So far. */
  fileBytes(): FileBytes;
  close(): void;
}

interface FilePlace {
  readonly path: string;
  readonly position: number;
}

/** What a vector that is used where it lies is loaded into. */
export const NO_ROOM = new Float32Array(0);

/** Whether `load` and `target` need no room for any range of the vector, one of those that `mediumOf` looked at. */
export function isUsedInPlace({ pieces }: Vector, medium: Medium): boolean {
  return medium === "in-place" && pieces.length === 1;
}

export function openTransfer(kernels: Kernels): Transfer {
  const files = openFiles();
  const moved = { read: 0, written: 0 };
  const read = (path: string, out: Uint8Array, position: number): void => {
    attempt(path, "read", () => readAll(files.toRead(path), out, position));
    moved.read += out.length;
  };
  const write = (path: string, bytes: Uint8Array, position: number): void => {
    // Fresh files hold zeros where nothing was written: holes stay holes.
    if (!isAllZero(bytes)) attempt(path, "write", () => writeAll(files.toWrite(path), bytes, position));
    moved.written += bytes.length;
  };
  /** The range where it lies, if that is one place in the kernels' own memory. */
  const inPlace = (range: Range): Float32Array | undefined => {
    const { vector, start, length } = range;
    const [only] = vector.pieces;
    // What a pass in memory asks for, thousands of times: without anything beside the result.
    if (vector.pieces.length === 1 && only !== undefined && !isInFile(only) && start + length <= vector.length) {
      const { buffer, byteOffset } = only.values;
      return buffer === kernels.buffer ? new Float32Array(buffer, byteOffset + 4 * start, length) : undefined;
    }
    for (const { piece, from, count } of overlapsOf(range)) {
      if (isInFile(piece) || count < range.length || piece.values.buffer !== kernels.buffer) return undefined;
      return piece.values.subarray(from, from + count);
    }
    return undefined;
  };
  return {
    load(room, range) {
      const found = inPlace(range);
      if (found !== undefined) return found;
      for (const { piece, from, count, at } of overlapsOf(range)) {
        if (isInFile(piece)) loadPiece(room.subarray(at, at + count), piece, from);
        else room.set(count === piece.values.length ? piece.values : piece.values.subarray(from, from + count), at);
      }
      return room;
    },
    mediumOf(vectors) {
      let medium: Medium = "in-place";
      for (const { pieces } of vectors) {
        for (const piece of pieces) {
          if (isInFile(piece)) medium = "files";
          else if (piece.values.buffer !== kernels.buffer) return "copied";
        }
      }
      return medium;
    },
    target: (room, range) => inPlace(range) ?? room,
    store(values, range, bits) {
      for (const { piece, from, count, at } of overlapsOf(range)) {
        const part = count === values.length ? values : values.subarray(at, at + count);
        if (!isInFile(piece)) {
          if (!isSamePlace(part, piece.values, from)) piece.values.set(part, from);
          continue;
        }
        const bad = storePiece(part, piece, from, bits.subarray(0, count));
        if (bad >= 0) return at + bad;
      }
      return -1;
    },
    copyBytes({ from, to, byteLength, buffer }) {
      for (let done = 0; done < byteLength; done += buffer.length) {
        const bytes = buffer.subarray(0, Math.min(buffer.length, byteLength - done));
        read(from.path, bytes, from.position + done);
        write(to.path, bytes, to.position + done);
      }
    },
    fileBytes: () => ({ ...moved }),
    close: () => files.close(),
  };

  function loadPiece(out: Float32Array, piece: FilePiece, from: number): void {
    const position = piece.position + from * bytesOfElement(piece);
    if (piece.dtype === "F32") {
      read(piece.path, bytesOf(out), position);
      return;
    }
    // Read into the upper half of the room and widened from there: the front never overtakes what is still to be read.
    const bits = new Uint16Array(out.buffer, out.byteOffset + 2 * out.length, out.length);
    read(piece.path, bytesOf(bits), position);
    if (piece.dtype === "F16") kernels.fromHalfInto(out, bits);
    else kernels.fromBrainInto(out, bits);
  }

  function storePiece(values: Float32Array, piece: FilePiece, from: number, bits: Uint16Array): number {
    const position = piece.position + from * bytesOfElement(piece);
    if (piece.dtype === "F32") {
      write(piece.path, bytesOf(values), position);
      return -1;
    }
    if (piece.dtype === "F16") kernels.toHalfInto(bits, values);
    else kernels.toBrainInto(bits, values);
    const infinite = piece.dtype === "F16" ? 0x7c00 : 0x7f80;
    const bad = bits.findIndex((pattern) => (pattern & infinite) === infinite);
    if (bad < 0) write(piece.path, bytesOf(bits), position);
    return bad;
  }
}

interface OpenFiles {
  toRead(path: string): number;
  toWrite(path: string): number;
  close(): void;
}

/** Descriptors by path, opened when first used. */
function openFiles(): OpenFiles {
  const open = new Map<string, number>();
  const find = (path: string, flags: "r" | "r+"): number => {
    const key = `${flags} ${path}`;
    const known = open.get(key);
    // Taken out and put in again: the map's order is the order of use.
    if (known !== undefined) open.delete(key);
    const file = known ?? openSync(path, flags);
    open.set(key, file);
    if (open.size > MAX_OPEN_FILES) {
      for (const [oldest, descriptor] of open) {
        closeSync(descriptor);
        open.delete(oldest);
        break;
      }
    }
    return file;
  };
  return {
    toRead: (path) => find(path, "r"),
    toWrite: (path) => find(path, "r+"),
    close() {
      for (const file of open.values()) closeSync(file);
      open.clear();
    },
  };
}

function isSamePlace(part: Float32Array, values: Float32Array, from: number): boolean {
  return part.buffer === values.buffer && part.byteOffset === values.byteOffset + 4 * from;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** By words where they are aligned: outputs of sparse updates are tens of gigabytes of zeros. */
function isAllZero(bytes: Uint8Array): boolean {
  const { buffer, byteOffset, length } = bytes;
  const wordCount = byteOffset % 4 === 0 ? length >> 2 : 0;
  const words = new Uint32Array(buffer, wordCount === 0 ? 0 : byteOffset, wordCount);
  for (let i = 0; i < wordCount; i++) if (words[i] !== 0) return false;
  for (let i = 4 * wordCount; i < length; i++) if (bytes[i] !== 0) return false;
  return true;
}

function attempt(path: string, operation: "read" | "write", work: () => void): void {
  try {
    work();
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    throw new TransferFailed(path, operation, reason, cause instanceof Error ? cause.message : String(cause));
  }
}

function readAll(file: number, out: Uint8Array, position: number): void {
  let done = 0;
  while (done < out.length) {
    const count = readSync(file, out, done, out.length - done, position + done);
    if (count === 0) throw new Error(`the file ended at byte ${position + done} while it was being read`);
    done += count;
  }
}

function writeAll(file: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(file, bytes, done, bytes.length - done, position + done);
}
