/** What a thread is told and what it answers. */
import type { KernelBackend, SharedRegion } from "../backend.js";
import type { Packed, PackedMeasure, PackedMix } from "./packed.js";
import type { Share } from "./run.js";

/** Counters that all threads of a pass share, over a SharedArrayBuffer. */
export interface SharedCounters {
  /** [next job, first job that is not done any more, threads that may still begin to compute]. */
  readonly jobs: Int32Array;
  /** One per segment, see turns.ts. */
  readonly turns: Int32Array;
}

export interface ToThread {
  readonly backend: KernelBackend["name"];
  readonly counters: SharedCounters;
  /** Kernel memory that the largest job needs. */
  readonly byteLength: number;
  /** The thread's own part of a heap that all vectors in memory lie in; undefined: they lie elsewhere. */
  readonly region: SharedRegion | undefined;
  /** Of its buffers, the heap's is missing: a thread knows it as that of its region. */
  readonly work: ForThread<PackedMix> | (ForThread<PackedMeasure> & { readonly results: SharedResults });
}

export type ForThread<Work extends Packed> = Omit<Work, "buffers"> & {
  readonly buffers: readonly (ArrayBufferLike | undefined)[];
};

/** Where the results of each segment begin, in numbers of 8 bytes. */
export interface SharedResults {
  readonly buffer: ArrayBufferLike;
  readonly starts: readonly number[];
}

export type FromThread =
  | { readonly type: "done"; readonly share: Share }
  | { readonly type: "failed"; readonly message: string; readonly file: FailedFile | undefined };

export interface FailedFile {
  readonly path: string;
  readonly operation: "read" | "write";
  readonly reason: string;
}
