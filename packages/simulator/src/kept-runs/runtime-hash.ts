/**
 * A hash of what computes besides our own code and decides bits: ONNX Runtime, by its version, and the functions of `Math`, by what they
 * give. The language leaves the last bits of `Math.exp` and the like to the engine, and engines have changed them; a Node version would
 * say less (most leave them alone) and more (a run would be lost with each update). So the functions are asked: each at arguments over
 * all magnitudes that occur, and every bit of the answers counts. Arithmetic, `Math.sqrt` and WebAssembly are exact in every engine.
 *
 * Not seen: processors, for which ONNX Runtime chooses other kernels. Takes a few milliseconds.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** Of `Math`, what is not exact by the language's definition and our packages use; `**` as well. */
export const PROBED_FUNCTIONS = [
  "exp",
  "expm1",
  "log",
  "log2",
  "log10",
  "sin",
  "cos",
  "tanh",
  "atan2",
  "hypot",
  "pow",
] as const;

export async function runtimeHash(): Promise<string> {
  return createHash("sha256")
    .update(`onnxruntime-node ${await onnxRuntimeVersion()}\n`)
    .update(mathBits(Math))
    .digest("hex");
}

type Functions = Readonly<Record<(typeof PROBED_FUNCTIONS)[number], (x: number, y: number) => number>>;

const ARGUMENT_COUNT = 2048;

/** Bits of every probed function at fixed arguments; NaN where an argument is outside its domain. */
export function mathBits(functions: Functions): Uint8Array {
  const bits = new Float64Array(PROBED_FUNCTIONS.length * ARGUMENT_COUNT);
  PROBED_FUNCTIONS.forEach((name, f) => {
    for (let k = 0; k < ARGUMENT_COUNT; k++) {
      const value = functions[name](argument(k), argument(ARGUMENT_COUNT - k));
      bits[f * ARGUMENT_COUNT + k] = Number.isNaN(value) ? Number.NaN : value; // One NaN of the many.
    }
  });
  return new Uint8Array(bits.buffer);
}

/** Irregular numbers of both signs from 2⁻²⁰ to 2⁶, by exact operations alone. */
function argument(k: number): number {
  const fraction = ((Math.imul(k + 1, 0x9e3779b1) >>> 0) + 1) / 2 ** 32;
  const size = (1 + fraction) * 2 ** ((k % 27) - 20);
  return k % 3 === 0 ? -size : size;
}

/** Of the package that `@kumiai/training` loads. */
async function onnxRuntimeVersion(): Promise<string> {
  const training = createRequire(import.meta.url).resolve("@kumiai/training");
  const path = createRequire(training).resolve("onnxruntime-node/package.json");
  const { version } = JSON.parse(await readFile(path, "utf8")) as { readonly version?: unknown };
  return String(version);
}
