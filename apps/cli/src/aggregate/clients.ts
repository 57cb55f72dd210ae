/** The clients' files of a round: who is there, what their tensors are, and whether the models fit together. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, open, readdir } from "node:fs/promises";
import type { ClientSpec, FileClient } from "@kumiai/algorithms";
import {
  KumiaiError,
  nearestWord,
  openSafetensors,
  type ParamSlot,
  type SafetensorsFile,
  slotsOfRole,
} from "@kumiai/params";
import type { Federation, FederationClient } from "./federation.js";
import { fileOf } from "./folders.js";
import { type FileLayout, layoutOf, mismatch } from "./roles.js";

export interface ClientFolders {
  readonly base: string;
  readonly local: string;
  /** The staged folder that outputs go to. */
  readonly staged: string;
}

/** A client with the files that a round needs. */
export type RoundClient = FileClient & { readonly tensorOf: (slot: string) => string };

const SUFFIX = ".safetensors";

/**
 * Throws FILE_NOT_FOUND (a base, or all local files), FILE_UNREADABLE, SAFETENSORS_MALFORMED, or LAYOUT_MISMATCH where a model does not
 * fit its tasks or the models do not fit together. `notice`: a file that belongs to nobody.
 */
export async function openClients(
  federation: Federation,
  folders: ClientFolders,
  notice: (message: string) => void,
): Promise<readonly RoundClient[]> {
  const trained = await trainedClients(federation, folders, notice);
  const clients: RoundClient[] = [];
  const known = new Map<string, FileLayout>();
  for (const client of federation.clients) {
    const local = trained.has(client.id) ? fileOf(folders.local, client.id) : undefined;
    clients.push(await openClient(client, federation, { ...folders, local, known }));
  }
  checkTasks(clients, federation);
  checkFit(clients, federation);
  return clients;
}

async function trainedClients(
  { clients }: Federation,
  { local }: ClientFolders,
  notice: (message: string) => void,
): Promise<ReadonlySet<string>> {
  const ids: readonly string[] = clients.map(({ id }) => id);
  const found = (await readdir(local))
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length));
  const present = new Set(found.filter((id) => ids.includes(id)));
  for (const stranger of found.filter((id) => !present.has(id))) {
    const nearest = nearestWord(stranger, ids);
    const advice = nearest === undefined ? "" : `; did you mean ${nearest}${SUFFIX}?`;
    notice(`${fileOf(local, stranger)}: no client of the federation has this name; the file is not used${advice}`);
  }
  if (present.size === 0) {
    throw new KumiaiError(
      "FILE_NOT_FOUND",
      `--local ${local}: expected files named after clients, such as ${ids[0]}${SUFFIX}, found none; a round needs one client at least`,
      { file: local },
    );
  }
  return present;
}

interface OpenClient extends Omit<ClientFolders, "local"> {
  readonly local: string | undefined;
  /** Layouts of models seen before: a thousand clients of one model need one. */
  readonly known: Map<string, FileLayout>;
}

async function openClient(
  { id, dataset, tasks, sampleCount }: FederationClient,
  { roles }: Federation,
  { base: folder, local, staged, known }: OpenClient,
): Promise<RoundClient> {
  const base = fileOf(folder, id);
  await using file = await openSafetensors(base).catch((error: unknown) => {
    if (!(error instanceof KumiaiError) || error.code !== "FILE_NOT_FOUND") throw error;
    throw new KumiaiError(
      "FILE_NOT_FOUND",
      `client ${id}: ${base}: expected the params that the client started the round from, found no such file; every client of the federation needs one in --base, absent or not`,
      { client: id, file: base },
    );
  });
  const model = modelOf(file, tasks);
  const { layout, tensorOf } = known.get(model) ?? layoutOf(file.tensors.values(), roles, { file: base, tasks });
  known.set(model, { layout, tensorOf });
  const isShared = layout.slots.some(({ role }) => role.kind === "encoder" || role.kind === "decoder");
  if (!isShared) {
    const names = [...file.tensors.keys()].slice(0, 3).map((name) => JSON.stringify(name));
    throw new KumiaiError(
      "LAYOUT_MISMATCH",
      `client ${id}: ${base}: expected tensors of an encoder or a decoder (${[...roles.encoder, ...roles.decoder].join(", ")}), found none (${names.join(", ")}, …); say in the federation file under roles what yours are called`,
      { client: id, file: base },
    );
  }
  const spec: ClientSpec = { id, domain: dataset, tasks, layout };
  return { spec, sampleCount, base, local, out: fileOf(staged, id), tensorOf };
}

/** The same for models with the same tensors and tasks. */
function modelOf({ tensors }: SafetensorsFile, tasks: readonly string[]): string {
  const told = Array.from(tensors.values(), ({ name, shape }) => [name, shape]);
  return createHash("sha256")
    .update(JSON.stringify([tasks, told]))
    .digest("hex");
}

/** A task without a decoder of its own, where others have theirs, would be left out without anybody noticing. */
function checkTasks(clients: readonly RoundClient[], { roles }: Federation): void {
  const missing = clients.flatMap((client) =>
    client.spec.tasks
      .filter((task) => slotsOfRole(client.spec.layout, "decoder", task).length === 0)
      .map((task) => ({ client, task })),
  );
  const taskCount = clients.reduce((sum, { spec }) => sum + spec.tasks.length, 0);
  const [first] = missing;
  if (first === undefined || missing.length === taskCount) return;
  const { client, task } = first;
  const expected = roles.decoder.map((pattern) => pattern.replace("<task>", task)).join(" or ");
  throw new KumiaiError(
    "LAYOUT_MISMATCH",
    `client ${client.spec.id}: ${client.base}: expected tensors of a decoder for task ${task} (${expected}), found none; take the task from the client's list, or change roles in the federation file`,
    { client: client.spec.id, file: client.base, task },
  );
}

/** Lets the strategy look at the models, and puts file and tensor before what it says. */
function checkFit(clients: readonly RoundClient[], { strategy }: Federation): void {
  try {
    strategy.init(clients.map(({ spec }) => spec));
  } catch (error) {
    if (!(error instanceof KumiaiError) || error.code !== "LAYOUT_MISMATCH") throw error;
    throw explain(clients, error);
  }
}

interface Group {
  readonly client: RoundClient;
  readonly name: string;
  readonly slots: readonly ParamSlot[];
}

function explain(clients: readonly RoundClient[], error: KumiaiError): KumiaiError {
  const sorted = [...clients].sort((a, b) => (a.spec.id < b.spec.id ? -1 : 1));
  const encoders = sorted.map((client): Group => {
    return { client, name: "encoder", slots: slotsOfRole(client.spec.layout, "encoder") };
  });
  const decoders = sorted.flatMap((client) =>
    [...client.spec.tasks].sort().map((task): Group => {
      return { client, name: task, slots: slotsOfRole(client.spec.layout, "decoder", task) };
    }),
  );
  const tasks = [...new Set(decoders.map(({ name }) => name))];
  const sameTask = tasks.map((task) => decoders.filter(({ name }) => name === task));
  for (const groups of [encoders, ...sameTask, decoders]) {
    const found = firstDifference(groups, error);
    if (found !== undefined) return found;
  }
  return error;
}

/** Of the first group and another, as the files say it. */
function firstDifference([first, ...others]: readonly Group[], error: KumiaiError): KumiaiError | undefined {
  if (first === undefined) return undefined;
  const expected = new Map(first.slots.map((slot) => [slot.key, slot]));
  for (const { client, slots } of others) {
    const found = new Map(slots.map((slot) => [slot.key, slot]));
    for (const key of [...new Set([...expected.keys(), ...found.keys()])].sort()) {
      const [left, right] = [expected.get(key), found.get(key)];
      if (left !== undefined && right !== undefined && `${left.shape}` === `${right.shape}`) continue;
      const tensor = right === undefined ? first.client.tensorOf(left?.name ?? "") : client.tensorOf(right.name);
      return mismatch(client.base, tensor, {
        expected: `${describe(left)}, as in ${first.client.base}`,
        found: describe(right),
        advice: error.message,
      });
    }
  }
  return undefined;
}

function describe(slot: ParamSlot | undefined): string {
  return slot === undefined ? "no such tensor" : `[${slot.shape}]`;
}

/** Who is absent keeps the params of the base. */
export async function copyAbsent(clients: readonly RoundClient[]): Promise<void> {
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
