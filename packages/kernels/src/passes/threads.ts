/**
 * The two passes on worker threads. Vectors are never copied to threads: those in memory must lie over SharedArrayBuffers, those in
 * files are read and written by the threads themselves, some of them while others compute. Where files take part there are two at least,
 * though one may compute at a time.
 */
import { Worker } from "node:worker_threads";
import { alignedBytes } from "../arena.js";
import type { KernelBackend, SharedRegion } from "../backend.js";
import { selectBackend } from "../select.js";
import type { SharedHeap } from "../shared-heap.js";
import { measureBytes, jobsOf as measureJobsOf } from "./measure.js";
import type { ForThread, FromThread, SharedCounters, ToThread } from "./messages.js";
import { mixBytes, jobsOf as mixJobsOf } from "./mix.js";
import { packMeasure, packMix } from "./pack.js";
import type { Packed } from "./packed.js";
import type { MeasureOutcome, MeasurePlan, MixOutcome, MixPlan } from "./plan.js";
import { resultPlaces, resultsOf, type Share } from "./run.js";
import { openSharedRoom } from "./shared-room.js";
import { TransferFailed } from "./transfer.js";

export interface ThreadsOptions {
  /** Threads that compute at a time. */
  readonly threadCount: number;
  readonly backend?: KernelBackend;
  /** Where all vectors in memory lie, if they do; room for the threads' own work is taken from it during a pass. */
  readonly heap?: SharedHeap;
}

export interface PassThreads extends AsyncDisposable {
  readonly backend: KernelBackend;
  /**
   * What was measured is valid until the next call. RangeError for a vector in memory that threads cannot share, TransferFailed for a
   * file, ThreadFailed.
   */
  measure(plan: MeasurePlan): Promise<MeasureOutcome>;
  mix(plan: MixPlan): Promise<MixOutcome>;
  /** Ends the threads, and with them all that they hold of passes so far; the next pass starts others, which takes some 50 ms. */
  rest(): Promise<void>;
}

const ENTRY = new URL("../../dist/passes/thread.js", import.meta.url);

/** A thread ended before its work was done, for a reason other than a file. */
export class ThreadFailed extends Error {}

/**
 * Threads where files take part: while one waits for a disk another computes. More than compute gained nothing, from the system's cache or from a
 * disk, and each takes some 13 MB and 0.1 s of a core to start.
 */
const LEAST_IN_FILES = 2;
/**
 * Without limits threads would let garbage grow to tens of megabytes before they clear it away. What lives is a segment's objects, far below
 * the second one, which tells V8 to grow in small steps.
 */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 };

export function openThreads({ threadCount, backend = selectBackend(), heap }: ThreadsOptions): PassThreads {
  const computing = Math.max(1, threadCount);
  const workers: Worker[] = [];
  const room = openSharedRoom();
  let broken: unknown;

  const runAll = async ({ segmentCount, jobCount, byteLength, work }: Task): Promise<Share> => {
    if (broken !== undefined) throw broken;
    const inFiles = work.paths.length > 0;
    const counters: SharedCounters = {
      jobs: new Int32Array(new SharedArrayBuffer(12)),
      turns: new Int32Array(new SharedArrayBuffer(4 * Math.max(1, segmentCount))),
    };
    counters.jobs.set([0, jobCount, computing]);
    const count = Math.min(Math.max(1, jobCount), inFiles ? Math.max(LEAST_IN_FILES, computing) : computing);
    while (workers.length < count) workers.push(new Worker(ENTRY, { resourceLimits: LIMITS }));
    const regions = heap === undefined ? [] : workers.slice(0, count).map(() => heap.allocate(byteLength / 4));
    try {
      const shares = workers.slice(0, count).map((worker, index) => {
        const region = regionOf(heap, regions[index]);
        return ask(worker, { backend: backend.name, counters, region, byteLength, work });
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
    room.clear();
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
  };

  return {
    backend,
    async measure(plan) {
      const jobs = measureJobsOf(plan);
      const places = resultPlaces(plan);
      const { buffer } = room.take("results", places.length).fill(0);
      const results = { buffer, starts: places.starts };
      const { failure, fileBytes } = await runAll({
        segmentCount: plan.segments.length,
        jobCount: jobs.length,
        byteLength: alignedBytes(measureBytes(plan)),
        work: { ...forThreads(packMeasure(plan, jobs, room), heap), results },
      });
      if (failure !== undefined) return { nonFinite: failure.nonFinite, fileBytes };
      return { measured: resultsOf(plan, places, buffer), fileBytes };
    },
    async mix(plan) {
      const jobs = mixJobsOf(plan);
      const { failure, fileBytes } = await runAll({
        segmentCount: plan.segments.length,
        jobCount: jobs.length,
        byteLength: alignedBytes(mixBytes(plan)),
        work: forThreads(packMix(plan, jobs, room), heap),
      });
      return failure === undefined ? { fileBytes } : { nonFinite: failure.nonFinite, fileBytes };
    },
    rest,
    [Symbol.asyncDispose]: rest,
  };
}

interface Task {
  readonly segmentCount: number;
  readonly jobCount: number;
  /** Kernel memory that a thread needs. */
  readonly byteLength: number;
  readonly work: ToThread["work"];
}

/** What threads get of a plan. RangeError where it has vectors that they cannot reach. */
function forThreads<Work extends Packed>(packed: Work, heap: SharedHeap | undefined): ForThread<Work> {
  const expected = heap === undefined ? "vectors over SharedArrayBuffers" : "vectors of the heap";
  for (const buffer of packed.buffers) {
    const isReachable = heap === undefined ? buffer instanceof SharedArrayBuffer : buffer === heap.memory.buffer;
    if (!isReachable) throw new RangeError(`threads: expected ${expected}, received one over another buffer`);
  }
  return { ...packed, buffers: packed.buffers.map((buffer) => (heap === undefined ? buffer : undefined)) };
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
