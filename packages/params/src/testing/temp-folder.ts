/** A folder for one test; `await using` removes it with everything in it. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempFolder extends AsyncDisposable {
  /** Absolute path of `name` in the folder. */
  path(name: string): string;
  /** Names of all that is in it. */
  list(): Promise<readonly string[]>;
}

export async function createTempFolder(): Promise<TempFolder> {
  const folder = await mkdtemp(join(tmpdir(), "kumiai-params-"));
  return {
    path: (name) => join(folder, name),
    list: () => readdir(folder),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
