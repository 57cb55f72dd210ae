/**
 * One round over safetensors files, streamed: memory does not grow with clients or params. The same bits as a round in memory.
 *
 * Nothing is written before all updates are read through once and found sound. Outputs are new files, flushed to the disk; to put
 * them in the place of older ones, as one step, is the caller's part.
 */
import { type FileHandle, open } from "node:fs/promises";
import {
  type ByteCopy,
  type FileBytes,
  openThreads,
  type PassThreads,
  selectBackend,
  TransferFailed,
  vectorOf,
} from "@kumiai/kernels";
import { type ClientId, KumiaiError, openSafetensors, type ParamSlot, planSafetensors } from "@kumiai/params";
import { type Cohort, openCohort } from "../cohort.js";
import { diagnose } from "../diagnostics.js";
import { isStoredVector, type StateVector, StoredVector, storedVectorsOf } from "../state-vector.js";
import type { Decision, MeasureRequest, RoundDiagnostics, Strategy } from "../strategy.js";
import {
  type ClientFiles,
  type FileClient,
  isReadableType,
  openClientFiles,
  pathOf,
  type TensorFile,
  tensorIn,
  vectorIn,
} from "./client-files.js";
import type { RoundIo } from "./io.js";
import { planMeasurement } from "./measuring.js";
import { type MixingPlan, planMixing } from "./mixing.js";
import { type Norms, refuseResult, refuseUpdate } from "./refusals.js";

/** With more, what threads still hold of the first pass weighs more than the start of others for the second. */
const MANY_CLIENTS = 64;

export interface FileRound {
  readonly strategy: Strategy;
  /** From `strategy.init` or the round before; its vectors are `StoredVector`s. */
  readonly state: unknown;
  /** The file that the state's vectors lie in, if there are any. */
  readonly stateVectors: string | undefined;
  /** Where those of the next state go; written only if there are any. */
  readonly nextStateVectors: string;
  /** From 1. */
  readonly round: number;
  readonly clients: readonly FileClient[];
  /** Threads that compute; a few more read and write. */
  readonly threadCount: number;
}

export interface FileRoundResult {
  /** Plain data, with StoredVectors. */
  readonly state: unknown;
  readonly diagnostics: RoundDiagnostics;
  readonly wroteStateVectors: boolean;
  /** Wall time of the first pass, of the decision, of the second pass, and of flushing to the disk. */
  readonly seconds: {
    readonly measure: number;
    readonly solve: number;
    readonly mix: number;
    readonly flush: number;
  };
  readonly bytes: FileBytes;
}

/**
 * `clock`: milliseconds from any fixed moment. Throws FILE_NOT_FOUND, FILE_UNREADABLE, SAFETENSORS_MALFORMED, LAYOUT_MISMATCH,
 * NON_FINITE, INVALID_CONFIG or UNKNOWN_CLIENT before anything is written; WRITE_FAILED or NON_FINITE (a result that its type has no
 * room for) after.
 */
export async function aggregateFiles(round: FileRound, clock: () => number): Promise<FileRoundResult> {
  await using threads = openThreads({ threadCount: round.threadCount, backend: selectBackend() });
  try {
    return await runRound(round, threads, clock);
  } catch (error) {
    throw error instanceof TransferFailed ? fileError(error) : error;
  }
}

async function runRound(round: FileRound, threads: PassThreads, clock: () => number): Promise<FileRoundResult> {
  const { strategy, state } = round;
  const cohort = openCohort(
    round.round,
    round.clients.map(({ spec }) => spec),
    round.clients
      .filter(({ local }) => local !== undefined)
      .map((c) => ({ client: c.spec.id, sampleCount: c.sampleCount })),
  );
  const request = strategy.measure(state, cohort);
  const files = await openAll(round.clients);
  const vectors = openStateVectors(round);
  const io = fileIo(files, vectors);
  await vectors.check(state);

  const { decision, diagnostics, norms, seconds, fileBytes } = await decide(request, {
    round,
    cohort,
    io,
    vectors,
    threads,
    clock,
  });
  const solvedAt = clock();
  if (cohort.present.length > MANY_CLIENTS) await threads.rest();

  const created = await createOutputs(files, await vectors.planNext(decision.state));
  try {
    const mixing = planMixing(decision.mixes, cohort, io);
    const copies = [...untouchedCopies(mixing, files), ...vectors.carriedOver(decision.state)];
    const mixed = await threads.mix({ segments: mixing.segments, copies });
    if (mixed.nonFinite !== undefined) throw refuseResult(mixed.nonFinite, mixing, cohort, norms);
    const mixedAt = clock();
    await flush(created);
    const flushedAt = clock();
    return {
      state: decision.state,
      diagnostics,
      wroteStateVectors: vectors.isWritten(),
      seconds: {
        ...seconds,
        mix: (mixedAt - solvedAt) / 1000,
        flush: (flushedAt - mixedAt) / 1000,
      },
      bytes: {
        read: fileBytes.read + mixed.fileBytes.read,
        written: fileBytes.written + mixed.fileBytes.written,
      },
    };
  } finally {
    for (const { handle } of created) await handle.close();
  }
}

interface Decided {
  readonly decision: Decision<unknown>;
  readonly diagnostics: RoundDiagnostics;
  readonly norms: Norms;
  readonly seconds: Pick<FileRoundResult["seconds"], "measure" | "solve">;
  readonly fileBytes: FileBytes;
}

interface DecisionInputs {
  readonly round: FileRound;
  readonly cohort: Cohort;
  readonly io: RoundIo;
  readonly vectors: StateVectors;
  readonly threads: PassThreads;
  readonly clock: () => number;
}

/**
 * The first pass and what follows from it. Lets go of all that was measured but the norms: for a thousand decoders, Grams and sketches
 * are more than 10 MB for each tensor, and the second pass comes with demands of its own.
 */
async function decide(
  request: MeasureRequest,
  { round: { strategy, state }, cohort, io, vectors, threads, clock }: DecisionInputs,
): Promise<Decided> {
  const startedAt = clock();
  const measurement = planMeasurement(request, cohort, io);
  const outcome = await threads.measure(measurement.plan);
  if (outcome.nonFinite !== undefined) throw refuseUpdate(outcome.nonFinite, measurement, io);
  const measuredAt = clock();
  const measured = measurement.read(outcome.measured, threads.backend);
  const decision = strategy.decide(state, cohort, measured, vectors.keep);
  const { encoderNorms, decoderNorms } = measured;
  return {
    decision,
    diagnostics: { ...diagnose(cohort, measured, decision.traffic), ...decision.diagnostics },
    norms: { encoderNorms, decoderNorms },
    seconds: { measure: (measuredAt - startedAt) / 1000, solve: (clock() - measuredAt) / 1000 },
    fileBytes: outcome.fileBytes,
  };
}

async function openAll(clients: readonly FileClient[]): Promise<ReadonlyMap<ClientId, ClientFiles>> {
  const files = new Map<ClientId, ClientFiles>();
  for (const client of clients) {
    if (client.local !== undefined) files.set(client.spec.id, await openClientFiles(client, client.local));
  }
  return files;
}

function fileIo(files: ReadonlyMap<ClientId, ClientFiles>, vectors: StateVectors): RoundIo {
  const find = (client: ClientId): ClientFiles => {
    const own = files.get(client);
    if (own === undefined) throw new RangeError(`client ${client}: takes no part`);
    return own;
  };
  return {
    source: (client, stage, slots) => vectorIn(find(client), stage, slots),
    destination: (client, slots) => vectorIn(find(client), "out", slots),
    stored: (vector) => vectorOf([vectors.locate(vector)]),
    isReadable: (client, slot) => isReadableType(tensorIn(find(client), "base", slot.name)),
    describe: (client, stage, slot) =>
      ` (${pathOf(find(client), stage)}, tensor ${JSON.stringify(find(client).tensorNameOf(slot))})`,
  };
}

// The state's vectors ---------------------------------------------------------------------------------------------------

interface StateVectors {
  /** Throws LAYOUT_MISMATCH if a vector of the state is not in its file. */
  check(state: unknown): Promise<void>;
  keep(name: string, length: number): StateVector;
  locate(vector: StateVector): {
    readonly path: string;
    readonly position: number;
    readonly length: number;
    readonly dtype: "F32";
  };
  /** The next state's file as it will be, if it has vectors. */
  planNext(state: unknown): Promise<NewFile | undefined>;
  /** Vectors that the next state takes over from the one before. */
  carriedOver(state: unknown): readonly ByteCopy[];
  isWritten(): boolean;
}

interface NewFile {
  readonly path: string;
  readonly header: Uint8Array;
  readonly byteLength: number;
}

function openStateVectors({ stateVectors, nextStateVectors }: FileRound): StateVectors {
  const old = new Map<string, { readonly position: number; readonly size: number }>();
  const kept = new Set<StateVector>();
  let next: ReturnType<typeof planSafetensors> | undefined;
  const oldPlace = (name: string) => {
    const place = old.get(name);
    if (place === undefined) throw new RangeError(`state: no vector ${name}`);
    return place;
  };
  const nextPlace = (name: string) => {
    const place = next?.tensors.get(name);
    if (place === undefined) throw new RangeError(`state: no vector ${name} in the next state`);
    return place;
  };
  return {
    async check(state) {
      const vectors = storedVectorsOf(state);
      if (vectors.length === 0) return;
      if (stateVectors === undefined) throw new RangeError("state: it has vectors, and no file that they lie in");
      await using file = await openSafetensors(stateVectors);
      for (const { name, length } of vectors) {
        const info = file.tensors.get(name);
        const found = info === undefined ? "no such tensor" : `${info.dtype} [${info.shape}]`;
        if (info === undefined || found !== `F32 [${length}]`) {
          throw new KumiaiError(
            "LAYOUT_MISMATCH",
            `${file.file}: tensor ${JSON.stringify(name)}: expected F32 [${length}], found ${found}; the file does not belong to this state`,
            { file: file.file, tensor: name, expected: `F32 [${length}]`, found },
          );
        }
        old.set(name, info);
      }
    },
    keep(name, length) {
      const vector = new StoredVector(name, length);
      kept.add(vector);
      return vector;
    },
    locate(vector) {
      if (!isStoredVector(vector)) throw new RangeError("state: expected vectors in files, received one in memory");
      const { name, length } = vector;
      const isNew = kept.has(vector);
      const { position } = isNew ? nextPlace(name) : oldPlace(name);
      return { path: isNew ? nextStateVectors : (stateVectors ?? ""), position, length, dtype: "F32" };
    },
    async planNext(state) {
      const vectors = storedVectorsOf(state);
      if (vectors.length === 0) return undefined;
      next = planSafetensors(vectors.map(({ name, length }) => ({ name, shape: [length], dtype: "F32" })));
      return { path: nextStateVectors, header: next.header, byteLength: next.byteLength };
    },
    carriedOver(state) {
      return storedVectorsOf(state)
        .filter((vector) => !kept.has(vector))
        .map(({ name, length }) => ({
          from: { path: stateVectors ?? "", position: oldPlace(name).position },
          to: { path: nextStateVectors, position: nextPlace(name).position },
          byteLength: 4 * length,
        }));
    },
    isWritten: () => next !== undefined,
  };
}

// Outputs ---------------------------------------------------------------------------------------------------------------

interface Created {
  readonly path: string;
  readonly handle: FileHandle;
}

/** New files of their full length with their headers; the rest are zeros yet. Throws WRITE_FAILED. */
async function createOutputs(
  files: ReadonlyMap<ClientId, ClientFiles>,
  stateFile: NewFile | undefined,
): Promise<readonly Created[]> {
  const created: Created[] = [];
  const create = async (path: string, byteLength: number, header: Uint8Array): Promise<void> => {
    try {
      const handle = await open(path, "wx+");
      created.push({ path, handle });
      await handle.truncate(byteLength);
      await handle.write(header, 0, header.length, 0);
    } catch (cause) {
      for (const { handle } of created) await handle.close();
      throw writeFailed(path, cause);
    }
  };
  for (const { client, base } of files.values()) await create(client.out, base.byteLength, await headerOf(base));
  if (stateFile !== undefined) await create(stateFile.path, stateFile.byteLength, stateFile.header);
  return created;
}

async function headerOf({ path, headerBytes }: TensorFile): Promise<Uint8Array> {
  await using handle = await open(path, "r");
  const header = new Uint8Array(headerBytes);
  await handle.read(header, 0, headerBytes, 0);
  return header;
}

/** Tensors that no mix writes: the client's own, byte for byte. */
function untouchedCopies({ untouched }: MixingPlan, files: ReadonlyMap<ClientId, ClientFiles>): readonly ByteCopy[] {
  return [...untouched].flatMap(([client, slots]) => {
    const own = files.get(client);
    return own === undefined ? [] : slots.map((slot) => copyOf(own, slot));
  });
}

function copyOf(files: ClientFiles, { name }: ParamSlot): ByteCopy {
  const from = tensorIn(files, "local", name);
  const to = tensorIn(files, "out", name);
  return {
    from: { path: pathOf(files, "local"), position: from.position },
    to: { path: pathOf(files, "out"), position: to.position },
    byteLength: from.size * bytesOfType(from.dtype),
  };
}

function bytesOfType(dtype: string): number {
  if (dtype === "BOOL") return 1;
  return Number(dtype.replace(/^\D+/, "")) / 8;
}

/** A few at a time: disks like company, and there may be a thousand. */
async function flush(created: readonly Created[]): Promise<void> {
  const left = [...created];
  const next = async (): Promise<void> => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      const { path, handle } = file;
      await handle.sync().catch((cause: unknown) => Promise.reject(writeFailed(path, cause)));
    }
  };
  await Promise.all(Array.from({ length: 8 }, next));
}

function fileError({ path, operation, reason, message }: TransferFailed): KumiaiError {
  if (operation === "write") return writeFailed(path, Object.assign(new Error(message), { code: reason }));
  return new KumiaiError(
    "FILE_UNREADABLE",
    `${path}: cannot read (${message}); files must stay as they are during a round`,
    { file: path, reason },
  );
}

function writeFailed(path: string, cause: unknown): KumiaiError {
  const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  const message = cause instanceof Error ? cause.message : String(cause);
  const advice = reason === "ENOSPC" ? "the disk is full; free some space" : "choose another folder";
  return new KumiaiError("WRITE_FAILED", `${path}: cannot write (${message}); ${advice}`, { path, reason }, cause);
}
