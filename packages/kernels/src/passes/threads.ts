/**
 * The two passes on worker threads. Vectors are never copied to threads: those in memory must lie over SharedArrayBuffers, those in
 * files are read and written by the threads themselves. Where files take part there are a few threads more than may compute at a
 * time, so that some read and write while others compute.
 */
import { Worker } from "node:worker_threads";
import { alignedBytes } from "../arena.js";
import type { KernelBackend, SharedRegion } from "../backend.js";
import { selectBackend } from "../select.js";
import type { SharedHeap } from "../shared-heap.js";
import { measureBytes, jobsOf as measureJobsOf, openResults } from "./measure.js";
import type { FromThread, SharedCounters, ToThread } from "./messages.js";
import { mixBytes, jobsOf as mixJobsOf } from "./mix.js";
import { type MeasureOutcome, type MeasurePlan, type MixOutcome, type MixPlan, vectorsOf } from "./plan.js";
import type { Share } from "./run.js";
import { anyInFile } from "./sizes.js";
import { TransferFailed } from "./transfer.js";
import { isInFile, type Vector } from "./vector.js";

export interface ThreadsOptions {
  /** Threads that compute at a time. */
  readonly threadCount: number;
  readonly backend?: KernelBackend;
  /** Where all vectors in memory lie, if they do; room for the threads' own work is taken from it during a pass. */
  readonly heap?: SharedHeap;
}

export interface PassThreads extends AsyncDisposable {
  readonly backend: KernelBackend;
  /** RangeError for a vector in memory that threads cannot share, TransferFailed for a file, ThreadFailed. */
  measure(plan: MeasurePlan): Promise<MeasureOutcome>;
  mix(plan: MixPlan): Promise<MixOutcome>;
  /** Ends the threads, and with them all that they hold of passes so far; the next pass starts others, which takes some 50 ms. */
  rest(): Promise<void>;
}

const ENTRY = new URL("../../dist/passes/thread.js", import.meta.url);

/** A thread ended before its work was done, for a reason other than a file. */
export class ThreadFailed extends Error {}

/** Threads beyond those that compute, where files take part. More gained nothing, and each takes some 13 MB. */
const READERS = 1;
/** Threads make little garbage; without a limit they would let it grow to tens of megabytes before they clear it away. */
const LIMITS = { maxYoungGenerationSizeMb: 2 };

export function openThreads({ threadCount, backend = selectBackend(), heap }: ThreadsOptions): PassThreads {
  const computing = Math.max(1, threadCount);
  const workers: Worker[] = [];
  let broken: unknown;

  const runAll = async (jobCount: number, { plan, segmentCount, byteLength, task }: Work): Promise<Share> => {
    if (broken !== undefined) throw broken;
    const vectors = vectorsOf(plan);
    assertReachable(vectors, heap);
    const inFiles = anyInFile(vectors) || ("copies" in plan && plan.copies.length > 0);
    const counters: SharedCounters = {
      jobs: new Int32Array(new SharedArrayBuffer(12)),
      turns: new Int32Array(new SharedArrayBuffer(4 * Math.max(1, segmentCount))),
    };
    counters.jobs.set([0, jobCount, computing]);
    const count = Math.min(Math.max(1, jobCount), computing + (inFiles ? Math.min(READERS, computing) : 0));
    while (workers.length < count) workers.push(new Worker(ENTRY, { resourceLimits: LIMITS }));
    const regions = heap === undefined ? [] : workers.slice(0, count).map(() => heap.allocate(byteLength / 4));
    try {
      const shares = workers.slice(0, count).map((worker, index) => {
        const region = regionOf(heap, regions[index]);
        return ask(worker, { ...task, backend: backend.name, counters, region } as ToThread);
      });
      return merge(await Promise.all(shares));
    } catch (error) {
      // The others may wait for a turn that never comes.
      broken = error;
      await Promise.all(workers.map((worker) => worker.terminate()));
      throw error;
    } finally {
      for (const region of regions) heap?.release(region);
    }
  };

  const rest = async (): Promise<void> => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
  };

  return {
    backend,
    async measure(plan) {
      const measured = openResults(plan, (byteLength) => new SharedArrayBuffer(byteLength));
      const { failure, fileBytes } = await runAll(measureJobsOf(plan).length, {
        plan,
        segmentCount: plan.segments.length,
        byteLength: alignedBytes(measureBytes(plan)),
        task: { pass: "measure", plan, results: measured },
      });
      return failure === undefined ? { measured, fileBytes } : { nonFinite: failure.nonFinite, fileBytes };
    },
    async mix(plan) {
      const { failure, fileBytes } = await runAll(mixJobsOf(plan).length, {
        plan,
        segmentCount: 0,
        byteLength: alignedBytes(mixBytes(plan)),
        task: { pass: "mix", plan },
      });
      return failure === undefined ? { fileBytes } : { nonFinite: failure.nonFinite, fileBytes };
    },
    rest,
    [Symbol.asyncDispose]: rest,
  };
}

interface Work {
  readonly plan: MeasurePlan | MixPlan;
  readonly segmentCount: number;
  /** Kernel memory that a thread needs. */
  readonly byteLength: number;
  readonly task:
    | Pick<Extract<ToThread, { pass: "measure" }>, "pass" | "plan" | "results">
    | Pick<Extract<ToThread, { pass: "mix" }>, "pass" | "plan">;
}

function regionOf(heap: SharedHeap | undefined, room: Float32Array | undefined): SharedRegion | undefined {
  if (heap === undefined || room === undefined) return undefined;
  return { memory: heap.memory, start: room.byteOffset, byteLength: room.byteLength };
}

function merge(shares: readonly Share[]): Share {
  const failures = shares.flatMap(({ failure }) => failure ?? []).sort((a, b) => a.job - b.job);
  return {
    failure: failures[0],
    fileBytes: {
      read: shares.reduce((sum, { fileBytes }) => sum + fileBytes.read, 0),
      written: shares.reduce((sum, { fileBytes }) => sum + fileBytes.written, 0),
    },
  };
}

function ask(worker: Worker, message: ToThread): Promise<Share> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void): void => {
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      settle();
    };
    const onMessage = (answer: FromThread): void =>
      done(() => {
        if (answer.type === "done") resolve(answer.share);
        else reject(failureOf(answer));
      });
    const onError = (error: unknown): void => done(() => reject(error));
    const onExit = (code: number): void => done(() => reject(new ThreadFailed(`a thread ended with code ${code}`)));
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    worker.postMessage(message);
  });
}

function failureOf({ message, file }: Extract<FromThread, { type: "failed" }>): Error {
  if (file === undefined) return new ThreadFailed(message);
  return new TransferFailed(file.path, file.operation, file.reason, message);
}

function assertReachable(vectors: readonly Vector[], heap: SharedHeap | undefined): void {
  const expected = heap === undefined ? "vectors over SharedArrayBuffers" : "vectors of the heap";
  for (const { pieces } of vectors) {
    for (const piece of pieces) {
      if (isInFile(piece)) continue;
      const { buffer } = piece.values;
      const isReachable = heap === undefined ? buffer instanceof SharedArrayBuffer : buffer === heap.memory.buffer;
      if (!isReachable) throw new RangeError(`threads: expected ${expected}, received one over another buffer`);
    }
  }
}
