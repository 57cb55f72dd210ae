/**
 * Compiles packages/kernels/assembly to packages/kernels/dist/*.wasm, where a source or this file is newer than that: once for a memory of its own,
 * once for a memory that threads share. The code is the same.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runNode } from "./run.mjs";
import { root } from "./say.mjs";

const SOURCES = join(root, "packages", "kernels", "assembly");
const FOLDER = join(root, "packages", "kernels", "dist");

/** Nothing of AssemblyScript's runtime is needed: no allocation, no garbage collection, no exceptions. */
const OPTIONS = "-O3 --converge --runtime stub --enable simd --importMemory --noAssert --use abort=".split(" ");
const SHARED = "--enable threads --sharedMemory --initialMemory 1 --maximumMemory 65536".split(" ");
const BINARIES = [
  { file: join(FOLDER, "kernels.wasm"), options: OPTIONS },
  { file: join(FOLDER, "kernels-shared.wasm"), options: [...OPTIONS, ...SHARED] },
];

/** Exit code of the compiler, 0 where nothing was to be done. Whoever reads a binary meanwhile gets the old or the new one. */
export async function compileKernels() {
  const sources = [...readdirSync(SOURCES).map((file) => join(SOURCES, file)), fileURLToPath(import.meta.url)];
  const changedAt = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  mkdirSync(FOLDER, { recursive: true });
  for (const { file, options } of BINARIES) {
    if ((statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= changedAt) continue;
    const status = await compile(file, options);
    if (status !== 0) return status;
  }
  return 0;
}

async function compile(file, options) {
  const compiler = join(root, "node_modules", "assemblyscript", "bin", "asc.js");
  const fresh = file.replace(/\.wasm$/, `.${process.pid}.wasm`);
  try {
    const status = await runNode(compiler, [join(SOURCES, "index.ts"), "--outFile", fresh, ...options]);
    if (status === 0) renameSync(fresh, file);
    return status;
  } finally {
    rmSync(fresh, { force: true });
  }
}
