/** Small files of params, read and written in one go. Large ones: `openSafetensors`, `createSafetensorsWriter`. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { KumiaiError } from "../errors.js";
import { type ParamLayout, type ParamVector, slotView } from "../layout.js";
import type { WritableDtype } from "./dtypes.js";
import { openSafetensorsBytes } from "./reader.js";
import { unreadable } from "./unreadable.js";
import { createSafetensorsWriter } from "./writer.js";

export interface ParamsFileEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Tensors one by one, or a whole model. */
export type ParamsFileSource =
  | readonly ParamsFileEntry[]
  | { readonly layout: ParamLayout; readonly params: ParamVector };

export interface ParamsFileOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Default F32. */
  readonly dtype?: WritableDtype;
}

export interface ParamsFile {
  /** Absolute path. */
  readonly file: string;
  /** SHA-256 of the file's bytes, hexadecimal. */
  readonly sha256: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;
}

/** Writes whole or not at all. Throws WRITE_FAILED, LAYOUT_MISMATCH (values do not fit their shape), NON_FINITE (f16). */
export async function writeParamsFile(
  path: string,
  source: ParamsFileSource,
  { metadata = {}, dtype = "F32" }: ParamsFileOptions = {},
): Promise<void> {
  const entries = entriesOf(source, path);
  const plan = entries.map(({ name, shape }) => ({ name, shape, dtype }));
  await using writer = await createSafetensorsWriter(path, plan, metadata);
  for (const { name, values } of entries) await writer.write(name, values);
  await writer.finish();
}

/** Reads and checks all of a file. Throws FILE_NOT_FOUND, FILE_UNREADABLE or SAFETENSORS_MALFORMED. */
export async function readParamsFile(path: string): Promise<ParamsFile> {
  const file = resolve(path);
  const bytes = await readFile(file).catch((cause: unknown) => Promise.reject(unreadable(file, cause)));
  await using opened = await openSafetensorsBytes(bytes, file);
  const tensors = new Map<string, { readonly shape: readonly number[]; readonly values: Float32Array }>();
  for (const [name, { shape }] of opened.tensors) tensors.set(name, { shape, values: await opened.read(name) });
  return { file, sha256: createHash("sha256").update(bytes).digest("hex"), metadata: opened.metadata, tensors };
}

function entriesOf(source: ParamsFileSource, path: string): readonly ParamsFileEntry[] {
  if (!("layout" in source)) return source;
  const { layout, params } = source;
  if (params.length !== layout.size) {
    throw new KumiaiError(
      "LAYOUT_MISMATCH",
      `${path}: expected params of ${layout.size} elements as the layout says, received ${params.length}`,
      { expected: layout.size, received: params.length },
    );
  }
  return layout.slots.map((slot) => ({ name: slot.name, shape: slot.shape, values: slotView(params, slot) }));
}
