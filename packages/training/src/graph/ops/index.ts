import type { OpDefinition } from "../registry.js";
import { convOps } from "./conv.js";
import { elementwiseOps } from "./elementwise.js";
import { linearOps } from "./linear.js";
import { lossOps } from "./loss.js";
import { normOps } from "./norm.js";
import { poolOps } from "./pool.js";
import { reduceOps } from "./reduce.js";
import { resizeOps } from "./resize.js";
import { shapeOps } from "./shape.js";
import { sourceOps } from "./source.js";

export function allOps(): readonly OpDefinition[] {
  return [
    ...sourceOps,
    ...elementwiseOps,
    ...shapeOps,
    ...reduceOps,
    ...linearOps,
    ...convOps,
    ...poolOps,
    ...normOps,
    ...resizeOps,
    ...lossOps,
  ];
}
