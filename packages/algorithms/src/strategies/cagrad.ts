/**
 * CAGrad (Liu et al. 2021, arXiv 2110.14048) in every client of several tasks: the params that the tasks share follow the
 * direction near their mean gradient that is best for the worst task. Mathematics and differences: `gradient-surgery.ts`.
 *
 *   conflict radius c   how far from the mean the direction may go, in units of its norm; 0 is plain training
 *   share "encoder"     between clients, encoder ← mean by sample count, as `fedavg`
 *   share "none"        every client alone, as `local`
 *
 * A client of one task trains plainly. The same surgery under another strategy: its option `surgery: cagrad`.
 */
import { CAGRAD_RADIUS } from "../gradient-surgery.js";
import { numberOption } from "../options.js";
import { defineForRegistry } from "./definition.js";
import { createSurgical, SURGICAL_OPTIONS } from "./pcgrad.js";

export const caGradDefinition = defineForRegistry({
  name: "cagrad",
  summary: "as fedavg, and inside a site the shared params follow the direction that is best for the worst task",
  source: "Liu et al. 2021, arXiv 2110.14048",
  options: {
    conflictRadius: numberOption(
      CAGRAD_RADIUS,
      { atLeast: 0 },
      "how far from the mean gradient the step may point, in units of its norm",
    ),
    ...SURGICAL_OPTIONS,
  },
  takesSurgery: false,
  create: ({ conflictRadius, ...options }) =>
    createSurgical({ ...options, name: "cagrad", surgery: { kind: "cagrad", conflictRadius } }),
});
