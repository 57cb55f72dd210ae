/** What a thread is told and what it answers. */
import type { KernelBackend, SharedRegion } from "../backend.js";
import type { Measured, MeasurePlan, MixPlan } from "./plan.js";
import type { Share } from "./run.js";

/** Counters that all threads of a pass share, over a SharedArrayBuffer. */
export interface SharedCounters {
  /** [next job, first job that is not done any more, threads that may still begin to compute]. */
  readonly jobs: Int32Array;
  /** One per segment, see turns.ts. */
  readonly turns: Int32Array;
}

export type ToThread = {
  readonly backend: KernelBackend["name"];
  readonly counters: SharedCounters;
  /** The thread's own part of a heap that all vectors in memory lie in; undefined: they lie elsewhere. */
  readonly region: SharedRegion | undefined;
} & (
  | { readonly pass: "measure"; readonly plan: MeasurePlan; readonly results: readonly Measured[] }
  | { readonly pass: "mix"; readonly plan: MixPlan }
);

export type FromThread =
  | { readonly type: "done"; readonly share: Share }
  | { readonly type: "failed"; readonly message: string; readonly file: FailedFile | undefined };

export interface FailedFile {
  readonly path: string;
  readonly operation: "read" | "write";
  readonly reason: string;
}
