/** Pythons that have PyTorch. */
import { spawnSync } from "node:child_process";

/** Those of `candidates` that have torch, each installation once. */
export function pythonsWithTorch(candidates) {
  const found = new Map();
  for (const python of candidates) {
    const code = "import torch, os; print(os.path.dirname(torch.__file__))";
    const { status, stdout } = spawnSync(python, ["-c", code], { encoding: "utf8" });
    if (status === 0 && !found.has(stdout)) found.set(stdout, python);
  }
  return [...found.values()];
}
