/** Where prepared images are kept. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { Io } from "./io.js";

/** `--cache`, else KUMIAI_CACHE_DIR, else the user's cache folder (XDG base directories). A variable that is empty is not set. */
export function cacheDir(option: string | undefined, { env }: Io): string {
  return option ?? (env.KUMIAI_CACHE_DIR || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "kumiai"));
}

/** Folder with the public data sets: the option, else KUMIAI_DATA, else `data` in the current folder. */
export function dataDir(option: string | undefined, { env }: Io): string {
  return option ?? (env.KUMIAI_DATA || "data");
}
