/**
 * The two passes on worker threads. Vectors are never copied to threads: those in memory must lie over SharedArrayBuffers, those in
 * files are read and written by the threads themselves. Where files take part there are a few threads more than may compute at a
 * time, so that some read and write while others compute.
 */
import { Worker } from "node:worker_threads";
import type { KernelBackend } from "../backend.js";
import { selectBackend } from "../select.js";
import { jobsOf as measureJobsOf, openResults } from "./measure.js";
import type { FromThread, SharedCounters, ToThread } from "./messages.js";
import { jobsOf as mixJobsOf } from "./mix.js";
import type { MeasureOutcome, MeasurePlan, MixOutcome, MixPlan } from "./plan.js";
import type { Share } from "./run.js";
import { anyInFile } from "./sizes.js";
import { TransferFailed } from "./transfer.js";
import { isInFile, type Vector } from "./vector.js";

export interface ThreadsOptions {
  readonly threadCount: number;
  readonly backend?: KernelBackend;
}

export interface PassThreads extends AsyncDisposable {
  readonly backend: KernelBackend;
  /** RangeError for a vector in memory that threads cannot share, TransferFailed for a file, ThreadFailed. */
  measure(plan: MeasurePlan): Promise<MeasureOutcome>;
  mix(plan: MixPlan): Promise<MixOutcome>;
}

const ENTRY = new URL("../../dist/passes/thread.js", import.meta.url);

/** A thread ended before its work was done, for a reason other than a file. */
export class ThreadFailed extends Error {}

/** Threads beyond those that compute, where files take part. */
const READERS = 2;

export function openThreads({ threadCount, backend = selectBackend() }: ThreadsOptions): PassThreads {
  const computing = Math.max(1, threadCount);
  const workers: Worker[] = [];
  let broken: unknown;

  const runAll = async (jobCount: number, { inFiles, segmentCount, task }: Work): Promise<Share> => {
    if (broken !== undefined) throw broken;
    const counters: SharedCounters = {
      jobs: new Int32Array(new SharedArrayBuffer(12)),
      turns: new Int32Array(new SharedArrayBuffer(4 * Math.max(1, segmentCount))),
    };
    counters.jobs.set([0, jobCount, computing]);
    const count = Math.min(Math.max(1, jobCount), computing + (inFiles ? Math.min(READERS, computing) : 0));
    while (workers.length < count) workers.push(new Worker(ENTRY));
    try {
      const told = { ...task, backend: backend.name, counters } as ToThread;
      return merge(await Promise.all(workers.slice(0, count).map((worker) => ask(worker, told))));
    } catch (error) {
      // The others may wait for a turn that never comes.
      broken = error;
      await Promise.all(workers.map((worker) => worker.terminate()));
      throw error;
    }
  };

  return {
    backend,
    async measure(plan) {
      const vectors = [
        ...plan.segments.flatMap(({ rows, extras }) => [
          ...rows.flatMap(({ before, after }) => [before, after]),
          ...extras,
        ]),
        ...plan.checks,
      ];
      assertShared(vectors);
      const measured = openResults(plan, (byteLength) => new SharedArrayBuffer(byteLength));
      const { failure, fileBytes } = await runAll(measureJobsOf(plan).length, {
        inFiles: anyInFile(vectors),
        segmentCount: plan.segments.length,
        task: { pass: "measure", plan, results: measured },
      });
      return failure === undefined ? { measured, fileBytes } : { nonFinite: failure.nonFinite, fileBytes };
    },
    async mix(plan) {
      const vectors = plan.segments.flatMap(({ rows, blocks }) => [
        ...rows.flatMap(({ before, after }) => [before, after]),
        ...blocks.flatMap(({ results }) => results.flat()),
      ]);
      assertShared(vectors);
      const { failure, fileBytes } = await runAll(mixJobsOf(plan).length, {
        inFiles: plan.copies.length > 0 || anyInFile(vectors),
        segmentCount: 0,
        task: { pass: "mix", plan },
      });
      return failure === undefined ? { fileBytes } : { nonFinite: failure.nonFinite, fileBytes };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

interface Work {
  readonly inFiles: boolean;
  readonly segmentCount: number;
  readonly task:
    | Omit<Extract<ToThread, { pass: "measure" }>, "backend" | "counters">
    | Omit<Extract<ToThread, { pass: "mix" }>, "backend" | "counters">;
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

function assertShared(vectors: readonly Vector[]): void {
  for (const { pieces } of vectors) {
    for (const piece of pieces) {
      if (!isInFile(piece) && !(piece.values.buffer instanceof SharedArrayBuffer)) {
        throw new RangeError("threads: expected vectors over SharedArrayBuffers, received one over an ArrayBuffer");
      }
    }
  }
}
