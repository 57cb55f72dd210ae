/**
 * A client's files of one round: what lies where, checked against each other before anything is computed or written. Only
 * headers are read here, and private tensors of types that the passes do not know.
 */
import { type FilePiece, type Piece, type Vector, vectorOf } from "@kumiai/kernels";
import {
  KumiaiError,
  openSafetensors,
  type ParamSlot,
  type SafetensorsFile,
  type TensorInfo,
  unreachable,
} from "@kumiai/params";
import type { ClientSpec } from "../strategy.js";

export interface FileClient {
  readonly spec: ClientSpec;
  readonly sampleCount: number;
  /** Safetensors file of the params that the client started the round from. */
  readonly base: string;
  /** The same after local training; undefined: the client is absent this round, and nothing is written for it. */
  readonly local: string | undefined;
  /** Where its next params go: a new file with the tensors, types and metadata of `base`. */
  readonly out: string;
  /** The files' name for a slot. Default: the slot's own. */
  readonly tensorOf?: (slotName: string) => string;
}

/** The files of a client that takes part. */
export interface ClientFiles {
  readonly client: FileClient;
  readonly base: TensorFile;
  readonly local: TensorFile;
  tensorNameOf(slot: string): string;
}

/** A file's header; the file itself is closed again. */
export interface TensorFile {
  readonly path: string;
  readonly headerBytes: number;
  readonly byteLength: number;
  readonly tensors: SafetensorsFile["tensors"];
}

export type Stage = "base" | "local" | "out";

/**
 * Throws FILE_NOT_FOUND, FILE_UNREADABLE, SAFETENSORS_MALFORMED, LAYOUT_MISMATCH (a tensor is missing, too much, of another shape or
 * type, or shared and not of 16 or 32 bits) or NON_FINITE, naming file and tensor.
 */
export async function openClientFiles(client: FileClient, local: string): Promise<ClientFiles> {
  const tensorNameOf = client.tensorOf ?? ((name: string) => name);
  await using base = await openSafetensors(client.base);
  await using trained = await openSafetensors(local);
  assertSameTensors(base, trained);
  for (const slot of client.spec.layout.slots) {
    const name = tensorNameOf(slot.name);
    checkShape(base, name, slot);
    const info = base.tensors.get(name);
    if (info === undefined || isReadableType(info)) continue;
    if (slot.role.kind === "encoder" || slot.role.kind === "decoder") {
      throw mismatch(base.file, name, "F32, F16 or BF16, since sites share it", info.dtype);
    }
    if (info.dtype === "F64") for (const file of [base, trained]) await checkFinite(file, name, client.spec);
  }
  return { client, base: headerOf(base), local: headerOf(trained), tensorNameOf };
}

function headerOf({ file, headerBytes, byteLength, tensors }: SafetensorsFile): TensorFile {
  return { path: file, headerBytes, byteLength, tensors };
}

/** Whether the passes know the type. */
export function isReadableType({ dtype }: Pick<TensorInfo, "dtype">): boolean {
  return dtype === "F32" || dtype === "F16" || dtype === "BF16";
}

/** The slots' elements, end to end, in one of the client's files; the next params lie where those of `base` do. */
export function vectorIn(files: ClientFiles, stage: Stage, slots: readonly ParamSlot[]): Vector {
  return vectorOf(slots.map((slot): Piece => pieceOf(files, stage, slot)));
}

function pieceOf(files: ClientFiles, stage: Stage, { name, size }: ParamSlot): FilePiece {
  const info = tensorIn(files, stage, name);
  const { dtype } = info;
  if (dtype !== "F32" && dtype !== "F16" && dtype !== "BF16") throw new RangeError(`${name}: a vector of ${dtype}`);
  return { path: pathOf(files, stage), position: info.position, length: size, dtype };
}

export function pathOf({ client, base, local }: ClientFiles, stage: Stage): string {
  switch (stage) {
    case "base":
      return base.path;
    case "local":
      return local.path;
    case "out":
      return client.out;
    default:
      return unreachable(stage);
  }
}

export function tensorIn({ base, local, tensorNameOf }: ClientFiles, stage: Stage, slot: string): TensorInfo {
  const file = stage === "local" ? local : base;
  const info = file.tensors.get(tensorNameOf(slot));
  if (info === undefined) throw new RangeError(`${file.path}: no tensor for slot ${slot}`);
  return info;
}

function assertSameTensors(base: SafetensorsFile, local: SafetensorsFile): void {
  for (const [name, expected] of base.tensors) {
    const found = local.tensors.get(name);
    if (found === undefined) throw mismatch(local.file, name, describe(expected), "no such tensor");
    if (describe(found) !== describe(expected)) throw mismatch(local.file, name, describe(expected), describe(found));
  }
  for (const [name, found] of local.tensors) {
    if (!base.tensors.has(name)) throw mismatch(local.file, name, "no such tensor, as in the base", describe(found));
  }
}

function checkShape({ file, tensors }: SafetensorsFile, name: string, { shape }: ParamSlot): void {
  const info = tensors.get(name);
  const found = info === undefined ? "no such tensor" : `[${info.shape}]`;
  if (found !== `[${shape}]`) throw mismatch(file, name, `[${shape}]`, found);
}

async function checkFinite(file: SafetensorsFile, name: string, { id }: ClientSpec): Promise<void> {
  const values = await file.read(name);
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad === undefined) return;
  throw new KumiaiError(
    "NON_FINITE",
    `client ${id}: ${file.file}: tensor ${JSON.stringify(name)}: expected finite numbers, found ${bad}`,
    { client: id, slot: name },
  );
}

function describe({ dtype, shape }: TensorInfo): string {
  return `${dtype} [${shape}]`;
}

function mismatch(file: string, tensor: string, expected: string, found: string): KumiaiError {
  return new KumiaiError(
    "LAYOUT_MISMATCH",
    `${file}: tensor ${JSON.stringify(tensor)}: expected ${expected}, found ${found}`,
    { file, tensor, expected, found },
  );
}
