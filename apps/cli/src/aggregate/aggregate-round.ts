/**
 * One round over folders of files: what `kumiai aggregate` does. Outputs and state take the place of older ones as one step; a run that
 * was killed is finished by the next one. See docs/ref-federation.md.
 */
import { constants } from "node:fs";
import { copyFile, open, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { aggregateFiles, type ClientSpec, type FileClient, type FileRoundResult } from "@kumiai/algorithms";
import {
  commitStaged,
  KumiaiError,
  lockProcess,
  openSafetensors,
  type ProcessIdentity,
  recoverStaged,
  type StagedFolder,
  stageFolder,
  writeFileAtomic,
} from "@kumiai/params";
import { type Federation, type FederationClient, loadFederation } from "./federation.js";
import { type RoundReport, reportOf } from "./report.js";
import { layoutOf } from "./roles.js";
import { formatState, readState, type SavedState } from "./state-file.js";

export interface AggregateOptions {
  readonly federation: string;
  readonly base: string;
  readonly local: string;
  readonly out: string;
  readonly state: string;
  readonly threadCount: number;
}

export interface Surroundings {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Says something to the person, in one line. */
  notice(message: string): void;
  readonly self: ProcessIdentity;
}

/** Throws the coded errors of `loadFederation`, `readState`, `aggregateFiles` and of files; nothing has changed then. */
export async function aggregateRound(raw: AggregateOptions, surroundings: Surroundings): Promise<RoundReport> {
  const options = {
    ...raw,
    base: resolve(raw.base),
    local: resolve(raw.local),
    out: resolve(raw.out),
    state: resolve(raw.state),
  };
  const federation = await loadFederation(raw.federation);
  checkFolders(options);
  await requireFolder(options.base, "--base");
  await requireFolder(options.local, "--local");
  await requireFolder(dirname(options.state), "--state");
  await using _lock = await lockProcess(besideState(options.state, "lock"), surroundings.self);
  const journal = besideState(options.state, "commit");
  const fingerprint = await fingerprintOf(federation, options);
  const recovered = await recoverStaged(journal);
  if (recovered !== undefined) {
    surroundings.notice("finished the commit that an interrupted run had begun");
    const note = recovered.note as Note;
    if (note.fingerprint === fingerprint) {
      surroundings.notice("that run was this one: nothing is left to do");
      return note.report;
    }
  }

  await using staged = await stageFolder(options.out, surroundings.self);
  const clients = await openClients(federation, options, staged, surroundings);
  const saved = await openState(federation, clients, options.state, surroundings);
  const next = {
    json: besideState(options.state, "next.json"),
    vectors: besideState(options.state, "next.safetensors"),
  };
  for (const leftover of Object.values(next)) await rm(leftover, { force: true });
  try {
    const result = await aggregateFiles(
      {
        strategy: federation.strategy,
        state: saved.state,
        stateVectors: saved.vectors,
        nextStateVectors: next.vectors,
        round: saved.round + 1,
        clients,
        threadCount: options.threadCount,
      },
      surroundings.now,
    );
    await copyAbsent(clients);
    const about = { round: saved.round + 1, strategy: federation.strategyName, out: options.out, state: options.state };
    const report = reportOf(result, about);
    await commit({ federation, options, staged, journal, saved, result, next, note: { fingerprint, report } });
    return report;
  } finally {
    for (const leftover of Object.values(next)) await rm(leftover, { force: true });
  }
}

interface Note {
  readonly fingerprint: string;
  readonly report: RoundReport;
}

/** A hidden neighbor of the state file. */
function besideState(state: string, suffix: string): string {
  return join(dirname(state), `.${basename(state)}.${suffix}`);
}

async function commit(all: {
  readonly federation: Federation;
  readonly options: AggregateOptions;
  readonly staged: StagedFolder;
  readonly journal: string;
  readonly saved: SavedState;
  readonly result: FileRoundResult;
  readonly next: { readonly json: string; readonly vectors: string };
  readonly note: Note;
}): Promise<void> {
  const { federation, options, staged, journal, saved, result, next, note } = all;
  const round = saved.round + 1;
  const stem = basename(options.state).replace(/\.json$/, "");
  const vectors = result.wroteStateVectors ? `${stem}.round-${round}.safetensors` : null;
  const strategy = { name: federation.strategyName, options: federation.strategyOptions };
  await writeFileAtomic(next.json, formatState({ round, strategy, state: result.state }, vectors));
  await commitStaged(journal, {
    folder: { staged: staged.path, target: options.out },
    moves: [
      ...(vectors === null ? [] : [{ from: next.vectors, to: join(dirname(options.state), vectors) }]),
      { from: next.json, to: options.state },
    ],
    remove: saved.vectors === undefined || basename(saved.vectors) === vectors ? [] : [saved.vectors],
    note,
  });
}

/** The state of the last round, or the strategy's first. */
async function openState(
  { strategyName: name, strategyOptions: options, strategy }: Federation,
  clients: readonly FileClient[],
  file: string,
  { notice }: Surroundings,
): Promise<SavedState> {
  const saved = await readState(file);
  if (saved === undefined) {
    const state = strategy.init(clients.map(({ spec }) => spec));
    return { round: 0, strategy: { name, options }, state, vectors: undefined };
  }
  if (saved.strategy.name !== name) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `${file}: expected the state of strategy ${name}, as the federation file says, found that of ${saved.strategy.name}; give another --state to begin anew`,
      { file, expected: name, found: saved.strategy.name },
    );
  }
  if (JSON.stringify(saved.strategy.options) !== JSON.stringify(options)) {
    notice(`the strategy's options are not those of round ${saved.round}; the new ones hold from now on`);
  }
  return saved;
}

/** Folders whose mixing up would lose something. */
function checkFolders({ base, local, out }: AggregateOptions): void {
  const isWithin = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(outer + sep);
  const refuse = (expected: string): never => {
    throw new KumiaiError("INVALID_CONFIG", `--out ${out}: expected ${expected}; choose another folder`, { out });
  };
  if (isWithin(out, local) || isWithin(local, out)) refuse("a folder apart from --local, which must stay as it is");
  if (out !== base && (isWithin(out, base) || isWithin(base, out))) refuse("--base itself or a folder apart from it");
}

async function requireFolder(folder: string, option: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new KumiaiError(
    "FILE_NOT_FOUND",
    `${option} ${folder}: expected a folder, found ${found === undefined ? "nothing" : "a file"}; check the path`,
    { file: folder },
  );
}

/** What makes two calls the same: the federation, the folders, and the clients' files as they are. */
async function fingerprintOf(
  { clients, strategyName, strategyOptions }: Federation,
  options: AggregateOptions,
): Promise<string> {
  const files = await Promise.all(
    clients.map(async ({ id }) => {
      const found = await stat(fileOf(options.local, id), { bigint: true }).catch(() => undefined);
      return found === undefined ? [id] : [id, `${found.size}`, `${found.mtimeNs}`, `${found.ino}`];
    }),
  );
  const { base, local, out, state } = options;
  return JSON.stringify([{ base, local, out, state }, strategyName, strategyOptions, files]);
}

function fileOf(folder: string, client: string): string {
  return join(folder, `${client}.safetensors`);
}

async function openClients(
  federation: Federation,
  { base, local, out }: AggregateOptions,
  staged: StagedFolder,
  { notice }: Surroundings,
): Promise<readonly FileClient[]> {
  const trained = new Set((await readdir(local)).filter((name) => name.endsWith(".safetensors")));
  const clients: FileClient[] = [];
  for (const client of federation.clients) {
    const isPresent = trained.delete(`${client.id}.safetensors`);
    clients.push(
      await openClient(client, federation, {
        base: fileOf(base, client.id),
        local: isPresent ? fileOf(local, client.id) : undefined,
        out: fileOf(staged.path, client.id),
      }),
    );
  }
  if (clients.every(({ local: own }) => own === undefined)) {
    throw new KumiaiError(
      "FILE_NOT_FOUND",
      `--local ${local}: expected files named after clients, such as ${federation.clients[0]?.id}.safetensors, found none; nothing is to be aggregated for ${out}`,
      { file: local },
    );
  }
  for (const name of trained)
    notice(`${join(local, name)}: no client of the federation has this name; the file is not used`);
  return clients;
}

async function openClient(
  { id, dataset, tasks, sampleCount }: FederationClient,
  { roles }: Federation,
  paths: Pick<FileClient, "base" | "local" | "out">,
): Promise<FileClient> {
  await using file = await openSafetensors(paths.base);
  const { layout, tensorOf } = layoutOf(file.tensors.values(), roles, { file: paths.base, tasks });
  const spec: ClientSpec = { id, domain: dataset, tasks, layout };
  return { ...paths, spec, sampleCount, tensorOf };
}

/** Who is absent keeps the params of the base. */
async function copyAbsent(clients: readonly FileClient[]): Promise<void> {
  for (const { base, local, out } of clients) {
    if (local !== undefined) continue;
    try {
      await copyFile(base, out, constants.COPYFILE_FICLONE);
      await using copy = await open(out, "r+");
      await copy.sync();
    } catch (cause) {
      const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
      throw new KumiaiError(
        "WRITE_FAILED",
        `${out}: cannot copy ${base} (${reason}); see whether the disk is full`,
        { path: out, reason },
        cause,
      );
    }
  }
}
