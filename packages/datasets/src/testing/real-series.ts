import { existsSync } from "node:fs";
import { join } from "node:path";

/** The folder with real data, named by the environment variable KUMIAI_DATA; undefined where it is not there. */
export function realFolder(name: "hydraulic" | "cmapss" | "ai4i2020"): string | undefined {
  const root = process.env.KUMIAI_DATA;
  if (root === undefined || root === "") return undefined;
  const folder = join(root, name);
  return existsSync(folder) ? folder : undefined;
}

export const NO_REAL_DATA = "KUMIAI_DATA does not name a folder with these data";
