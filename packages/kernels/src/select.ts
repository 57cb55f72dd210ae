/** Which backend runs here. */
import type { KernelBackend } from "./backend.js";
import { referenceBackend } from "./reference/kernels.js";
import { simdBackend, supportsSimd } from "./simd/kernels.js";

let isTold = false;

/**
 * WASM SIMD where the engine has it, else the plain kernels: the same bits, several times slower. That is said once in a
 * process, through `notice`.
 */
export function selectBackend(
  notice: (message: string) => void = (message) => console.warn(message),
  isSimdThere: boolean = supportsSimd(),
): KernelBackend {
  if (isSimdThere) return simdBackend;
  if (!isTold)
    notice(
      "kernels: this JavaScript engine has no WASM SIMD; aggregation runs on plain kernels, with the same results but several times slower",
    );
  isTold = true;
  return referenceBackend;
}

/** By name, for a thread that must do as another does. */
export function backendNamed(name: KernelBackend["name"]): KernelBackend {
  return name === "reference" ? referenceBackend : simdBackend;
}
