/** Compiles packages/kernels/assembly to packages/kernels/dist/kernels.wasm, where a source is newer than that. */
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { runNode } from "./run.mjs";
import { root } from "./say.mjs";

const SOURCES = join(root, "packages", "kernels", "assembly");
const BINARY = join(root, "packages", "kernels", "dist", "kernels.wasm");

/** Nothing of AssemblyScript's runtime is needed: no allocation, no garbage collection, no exceptions. */
const OPTIONS = "-O3 --converge --runtime stub --enable simd --importMemory --noAssert --use abort=".split(" ");

/** Exit code of the compiler, 0 where nothing was to be done. */
export async function compileKernels() {
  const changedAt = Math.max(...readdirSync(SOURCES).map((file) => statSync(join(SOURCES, file)).mtimeMs));
  if ((statSync(BINARY, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= changedAt) return 0;
  mkdirSync(dirname(BINARY), { recursive: true });
  const compiler = join(root, "node_modules", "assemblyscript", "bin", "asc.js");
  return await runNode(compiler, [join(SOURCES, "index.ts"), "--outFile", BINARY, ...OPTIONS]);
}
