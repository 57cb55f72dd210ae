/** Pooling in two dimensions (one dimension is a height of 1). Global pooling is a mean over axes. */
import type { OpDefinition } from "../registry.js";

export const poolOps: readonly OpDefinition[] = [];
