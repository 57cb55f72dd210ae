/**
 * One round over folders of files: what `kumiai aggregate` does. Outputs and state take the place of older ones as one step; a run that
 * was killed is finished by the next one. See docs/ref-federation.md.
 */
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Assignment, aggregateFiles, type ClientSpec, type FileRoundResult } from "@kumiai/algorithms";
import {
  commitStaged,
  KumiaiError,
  lockProcess,
  type ProcessIdentity,
  recoverStaged,
  type StagedCommit,
  type StagedFolder,
  type StepWatch,
  stageFolder,
  writeFileAtomic,
} from "@kumiai/params";
import { copyAbsent, openClients } from "./clients.js";
import { type Federation, loadFederation } from "./federation.js";
import {
  checkUnchanged,
  fileOf,
  isThere,
  type RoundPaths,
  type Stamps,
  settlePaths,
  settleState,
  stampsOf,
} from "./folders.js";
import { type RoundReport, reportOf } from "./report.js";
import { formatState, type LastCall, readState, type SavedState } from "./state-file.js";

export interface AggregateOptions extends RoundPaths {
  readonly federation: string;
  readonly threadCount: number;
}

export interface Surroundings {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Says something to the person, in one line. */
  notice(message: string): void;
  readonly self: ProcessIdentity;
  /** For tests: called before each step of the commit. */
  readonly watch?: StepWatch;
}

/** Throws the coded errors of `loadFederation`, `readState`, `aggregateFiles` and of files; nothing has changed then. */
export async function aggregateRound(options: AggregateOptions, surroundings: Surroundings): Promise<RoundReport> {
  const federation = await loadFederation(options.federation);
  const state = await settleState(options.state);
  await using _lock = await lockProcess(besideState(state, "lock"), surroundings.self);
  // Before anything else is looked at: a round that was killed between two renames has no --out, and no --base if that is the same.
  if ((await recoverStaged(besideState(state, "commit"))) !== undefined) {
    surroundings.notice("finished the commit of a round that was interrupted: its outputs and its state are in place");
  }
  const paths = await settlePaths({ ...options, state });
  const saved = await openState(federation, paths.state, surroundings);
  const call: Call = {
    text: callOf(federation, paths),
    ids: federation.clients.map(({ id }) => id),
    locals: await stampsOf(
      paths.local,
      federation.clients.map(({ id }) => id),
    ),
  };
  const done = await doneAlready(saved, call, paths, surroundings);
  return done ?? (await newRound({ federation, paths, saved, call, threadCount: options.threadCount }, surroundings));
}

/** What was asked for. */
interface Call {
  /** Folders, strategy and clients. */
  readonly text: string;
  readonly ids: readonly string[];
  /** Of the clients present. */
  readonly locals: Stamps;
}

interface NewRound {
  readonly federation: Federation;
  readonly paths: RoundPaths;
  readonly saved: SavedState;
  readonly call: Call;
  readonly threadCount: number;
}

async function newRound(round: NewRound, surroundings: Surroundings): Promise<RoundReport> {
  const { federation, paths, saved, call, threadCount } = round;
  await using staged = await stageFolder(paths.out, surroundings.self);
  const clients = await openClients(federation, { ...paths, staged: staged.path }, surroundings.notice);
  sayAssignment(round, clients[0]?.spec, surroundings);
  const bases = await stampsOf(paths.base, call.ids);
  const journal = besideState(paths.state, "commit");
  const next = { json: besideState(paths.state, "next.json"), vectors: besideState(paths.state, "next.safetensors") };
  const removeNext = async (): Promise<void> => {
    for (const leftover of Object.values(next)) await rm(leftover, { force: true });
  };
  await removeNext();
  try {
    const result = await aggregateFiles(
      {
        strategy: federation.strategy,
        state: saved.state,
        stateVectors: saved.vectors,
        nextStateVectors: next.vectors,
        round: saved.round + 1,
        clients,
        threadCount,
      },
      surroundings.now,
    );
    await copyAbsent(clients);
    await checkUnchanged(paths.local, call.ids, call.locals);
    await checkUnchanged(paths.base, call.ids, bases);
    const report = reportOf(result, {
      round: saved.round + 1,
      strategy: federation.strategyName,
      out: paths.out,
      state: paths.state,
    });
    await commitStaged(journal, await prepareCommit(round, { staged, result, next, report }), surroundings.watch);
    return report;
  } finally {
    // Once the journal is there, the next run needs them to finish the commit.
    if (!(await isThere(journal))) await removeNext();
  }
}

/** What a strategy wants of local training is beyond our reach here. */
function sayAssignment({ federation, saved }: NewRound, spec: ClientSpec | undefined, { notice }: Surroundings): void {
  if (spec === undefined || saved.round > 0) return;
  const wishes = wishesOf(federation.strategy.assignment(saved.state, spec));
  if (wishes.length > 0) notice(`${federation.strategyName} expects local training to ${wishes.join(", and to ")}`);
}

function wishesOf({ proximalWeight, frozen, phases, personal, surgery }: Assignment): readonly string[] {
  const name = (groups: readonly string[]): string => (groups.length === 0 ? "nothing" : groups.join(" and "));
  const turns = phases?.map((phase) => `${100 * phase.stepShare} % of the steps with ${name(phase.frozen)} frozen`);
  return [
    ...(proximalWeight === 0
      ? []
      : [`add ${proximalWeight}/2 · ‖params − base‖² over encoder and decoders to the loss`]),
    ...(frozen.length === 0 ? [] : [`leave ${name(frozen)} as they are`]),
    ...(surgery === undefined ? [] : [`weigh the gradients of a site's tasks in the encoder by ${surgery.kind}`]),
    ...(personal === undefined
      ? []
      : [`train beside them a copy of its own, with ${personal.proximalWeight}/2 · ‖copy − base‖² added to its loss`]),
    ...(turns === undefined ? [] : [`go in turns: ${turns.join(", then ")}`]),
  ];
}

/** A hidden neighbor of the state file. */
function besideState(state: string, suffix: string): string {
  return join(dirname(state), `.${basename(state)}.${suffix}`);
}

interface Finished {
  readonly staged: StagedFolder;
  readonly result: FileRoundResult;
  readonly next: { readonly json: string; readonly vectors: string };
  readonly report: RoundReport;
}

/** Writes the next state under another name. */
async function prepareCommit(
  { federation, paths, saved, call }: NewRound,
  { staged, result, next, report }: Finished,
): Promise<StagedCommit> {
  const round = saved.round + 1;
  const stem = basename(paths.state).replace(/\.json$/, "");
  const vectors = result.wroteStateVectors ? `${stem}.round-${round}.safetensors` : null;
  const strategy = { name: federation.strategyName, options: federation.strategyOptions };
  const last: LastCall = { call: call.text, locals: call.locals, report };
  await writeFileAtomic(next.json, formatState({ round, strategy, state: result.state, last }, vectors));
  return {
    folder: { staged: staged.path, target: paths.out },
    moves: [
      ...(vectors === null ? [] : [{ from: next.vectors, to: join(dirname(paths.state), vectors) }]),
      { from: next.json, to: paths.state },
    ],
    remove: saved.vectors === undefined || basename(saved.vectors) === vectors ? [] : [saved.vectors],
    note: { round },
  };
}

/** The report of the last round, if this is the call that made it: who calls again did not hear that it had worked. */
async function doneAlready(
  { last, round }: SavedState,
  { text, ids, locals }: Call,
  paths: RoundPaths,
  { notice }: Surroundings,
): Promise<RoundReport | undefined> {
  if (last === undefined) return undefined;
  const again = [...locals].filter(([id, stamp]) => last.locals.get(id) === stamp).map(([id]) => id);
  if (last.call !== text || again.length !== locals.size || again.length !== last.locals.size) {
    for (const id of again) {
      const file = fileOf(paths.local, id);
      notice(
        `${file}: the very file that went into round ${round} goes into this one too; if ${id} is absent, remove it`,
      );
    }
    return undefined;
  }
  for (const id of ids) {
    const file = fileOf(paths.out, id);
    if (await isThere(file)) continue;
    throw new KumiaiError(
      "FILE_NOT_FOUND",
      `${file}: expected the output of round ${round}, which is complete with these very local files, found none; restore it, or go back to a copy of ${paths.state} from before that round`,
      { file },
    );
  }
  notice(
    `round ${round} is complete with these very files, nothing was done; the next round needs new ones in --local`,
  );
  return last.report;
}

/** What makes two calls the same, but for the files. */
function callOf(
  { clients, strategyName, strategyOptions, roles }: Federation,
  { base, local, out }: RoundPaths,
): string {
  return JSON.stringify({ base, local, out, strategyName, strategyOptions, clients, roles });
}

/** The state of the last round, or the strategy's first. */
async function openState(federation: Federation, file: string, { notice }: Surroundings): Promise<SavedState> {
  const { strategyName: name, strategyOptions: options, strategy } = federation;
  const saved = await readState(file);
  if (saved === undefined) {
    const first = { round: 0, strategy: { name, options }, state: strategy.init([]) };
    return { ...first, vectors: undefined, last: undefined };
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
