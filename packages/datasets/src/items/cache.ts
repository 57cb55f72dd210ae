/**
 * The source images as one compact file, so that 170 MB of JSON are parsed once. Layout, little-endian:
 *
 *   0   8 bytes  "KUMIITEM"
 *   8   u32      format version
 *   12  u32      image count N
 *   16  u32      values of one image (784)
 *   20  12 bytes zero
 *   32  32 bytes SHA-256 of everything after byte 64
 *   64  N bytes  classes, then N·784 bytes pixels
 */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { KumiaiError } from "@kumiai/params";
import { ITEM_CLASS_COUNT, ITEM_PIXELS, type ItemImages } from "./item-images.js";

const MAGIC = "KUMIITEM";
const VERSION = 1;
const HEADER_BYTES = 64;

export type CacheRead =
  | { readonly state: "found"; readonly items: ItemImages }
  | { readonly state: "absent" }
  /** There is a file, but it cannot be used; `problem` says why. */
  | { readonly state: "unusable"; readonly problem: string };

/** Reads and checks a cache file. Never throws for a bad one: it can be made again. */
export async function readItemCache(path: string): Promise<CacheRead> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    return code === "ENOENT" ? { state: "absent" } : { state: "unusable", problem: `cannot be read (${code})` };
  }
  const unusable = (problem: string): CacheRead => ({ state: "unusable", problem });
  if (bytes.length < HEADER_BYTES || bytes.toString("latin1", 0, 8) !== MAGIC) return unusable("is not an item cache");
  if (bytes.readUInt32LE(8) !== VERSION) return unusable(`has format version ${bytes.readUInt32LE(8)}, not ${VERSION}`);
  const count = bytes.readUInt32LE(12);
  const payload = bytes.subarray(HEADER_BYTES);
  if (bytes.readUInt32LE(16) !== ITEM_PIXELS || payload.length !== count * (1 + ITEM_PIXELS)) {
    return unusable(`has ${payload.length} bytes of data, not ${count * (1 + ITEM_PIXELS)}`);
  }
  if (!sha256(payload).equals(bytes.subarray(32, HEADER_BYTES))) return unusable("does not match its checksum");
  const classes = payload.subarray(0, count);
  if (classes.some((label) => label >= ITEM_CLASS_COUNT)) return unusable("has a class out of range");
  return { state: "found", items: { count, classes, pixels: payload.subarray(count) } };
}

/**
 * Writes a cache file: beside its place first, then renamed, so that nobody sees half a file.
 * Throws WRITE_FAILED; what was written is removed then.
 */
export async function writeItemCache(folder: string, fileName: string, items: ItemImages): Promise<void> {
  let scratch: string | undefined;
  try {
    await mkdir(folder, { recursive: true });
    scratch = await mkdtemp(join(folder, ".writing-"));
    const beside = join(scratch, fileName);
    const file = await open(beside, "wx");
    try {
      await file.writeFile(encode(items));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, join(folder, fileName));
  } catch (cause) {
    throw new KumiaiError(
      "WRITE_FAILED",
      `${join(folder, fileName)}: the image cache cannot be written (${(cause as Error).message}); free some space (about 70 MB) or choose another cache folder`,
      { path: join(folder, fileName) },
      cause,
    );
  } finally {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}

function encode(items: ItemImages): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + items.count * (1 + ITEM_PIXELS));
  bytes.write(MAGIC, 0, "latin1");
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeUInt32LE(items.count, 12);
  bytes.writeUInt32LE(ITEM_PIXELS, 16);
  bytes.set(items.classes, HEADER_BYTES);
  bytes.set(items.pixels, HEADER_BYTES + items.count);
  sha256(bytes.subarray(HEADER_BYTES)).copy(bytes, 32);
  return bytes;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
