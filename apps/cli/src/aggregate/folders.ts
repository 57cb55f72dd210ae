/** The folders of a round, and whether the files in them stay as they are meanwhile. */
import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { KumiaiError } from "@kumiai/params";

export interface RoundPaths {
  /** What clients started the round from. */
  readonly base: string;
  /** The same after local training. */
  readonly local: string;
  readonly out: string;
  readonly state: string;
}

/** Where the file of a client lies in any of the folders. */
export function fileOf(folder: string, client: string): string {
  return join(folder, `${client}.safetensors`);
}

/** The state's absolute path, its folder without links. Throws FILE_NOT_FOUND. */
export async function settleState(state: string): Promise<string> {
  const folder = dirname(resolve(state));
  await requireFolder(folder, "--state");
  return join(await realPlace(folder), basename(resolve(state)));
}

/** Absolute paths without links, proved to be fit for their parts; `state` is settled. Throws FILE_NOT_FOUND or INVALID_CONFIG. */
export async function settlePaths({ base, local, out, state }: RoundPaths): Promise<RoundPaths> {
  await requireFolder(base, "--base");
  await requireFolder(local, "--local");
  const paths = {
    base: await realPlace(resolve(base)),
    local: await realPlace(resolve(local)),
    out: await realPlace(resolve(out)),
    state,
  };
  checkApart(paths);
  return paths;
}

/** Folders whose mixing up would lose something. */
function checkApart({ base, local, out, state }: RoundPaths): void {
  const isWithin = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(outer + sep);
  const refuse = (expected: string): never => {
    throw new KumiaiError("INVALID_CONFIG", `--out ${out}: expected ${expected}; choose another folder`, { out });
  };
  if (isWithin(out, local) || isWithin(local, out)) refuse("a folder apart from --local, which must stay as it is");
  if (out !== base && (isWithin(out, base) || isWithin(base, out))) refuse("--base itself or a folder apart from it");
  if (isWithin(state, out)) refuse("a folder without --state in it, since it is replaced as a whole");
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

/** The path with links resolved as far as it exists. */
async function realPlace(path: string): Promise<string> {
  return await realpath(path).catch(async () =>
    dirname(path) === path ? path : join(await realPlace(dirname(path)), basename(path)),
  );
}

/** Size, time of change and inode of a client's file; by client, for those that have one. */
export type Stamps = ReadonlyMap<string, string>;

export async function stampsOf(folder: string, clients: readonly string[]): Promise<Stamps> {
  const stamps = new Map<string, string>();
  for (const id of clients) {
    const found = await stat(fileOf(folder, id), { bigint: true }).catch(() => undefined);
    if (found !== undefined) stamps.set(id, `${found.size} ${found.mtimeNs} ${found.ino}`);
  }
  return stamps;
}

/** A file that was written to while it was read would be neither the one nor the other. Throws FILE_UNREADABLE. */
export async function checkUnchanged(folder: string, clients: readonly string[], before: Stamps): Promise<void> {
  const after = await stampsOf(folder, clients);
  const changed = clients.find((id) => after.get(id) !== before.get(id));
  if (changed === undefined) return;
  const file = fileOf(folder, changed);
  throw new KumiaiError(
    "FILE_UNREADABLE",
    `${file}: expected the file to stay as it is during the round, found that it was changed; start again once it is complete`,
    { file },
  );
}

export async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
