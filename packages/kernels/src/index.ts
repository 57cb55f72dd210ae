export type { KernelBackend } from "./backend.js";
export { referenceKernels } from "./reference.js";
