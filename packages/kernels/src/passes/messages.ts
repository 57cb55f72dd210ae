/** What a thread is told and what it answers. */
import type { KernelBackend } from "../backend.js";
import type { Measured, MeasurePlan, MixPlan } from "./plan.js";
import type { Failure } from "./run.js";

/** Counters that all threads of a pass share, over a SharedArrayBuffer. */
export interface SharedCounters {
  /** [next job, first job that is not done any more]. */
  readonly jobs: Int32Array;
  /** One per segment, see turns.ts. */
  readonly turns: Int32Array;
}

export type ToThread = { readonly backend: KernelBackend["name"]; readonly counters: SharedCounters } & (
  | { readonly pass: "measure"; readonly plan: MeasurePlan; readonly results: readonly Measured[] }
  | { readonly pass: "mix"; readonly plan: MixPlan }
);

export type FromThread =
  | { readonly type: "done"; readonly failure: Failure | undefined }
  | { readonly type: "failed"; readonly message: string; readonly code: string | undefined };
