/**
 * The two passes on worker threads. Vectors are never copied to threads: those in memory must lie over SharedArrayBuffers, those in
 * files are read and written by the threads themselves. Where files take part there are two threads for each one asked for, so
 * that some compute while others wait for the disk.
 */
import { Worker } from "node:worker_threads";
import type { KernelBackend } from "../backend.js";
import { selectBackend } from "../select.js";
import { jobsOf as measureJobsOf, openResults } from "./measure.js";
import type { FromThread, SharedCounters, ToThread } from "./messages.js";
import { jobsOf as mixJobsOf } from "./mix.js";
import type { MeasureOutcome, MeasurePlan, MixOutcome, MixPlan } from "./plan.js";
import type { Failure } from "./run.js";
import { isInFile, type Vector } from "./vector.js";

export interface ThreadsOptions {
  readonly threadCount: number;
  readonly backend?: KernelBackend;
}

export interface PassThreads extends AsyncDisposable {
  readonly backend: KernelBackend;
  /** RangeError for a vector in memory that threads cannot share; an Error of the file system with its `code`. */
  measure(plan: MeasurePlan): Promise<MeasureOutcome>;
  mix(plan: MixPlan): Promise<MixOutcome>;
}

const ENTRY = new URL("../../dist/passes/thread.js", import.meta.url);

/** A file could not be read or written. */
export class PassFailed extends Error {
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

export function openThreads({ threadCount, backend = selectBackend() }: ThreadsOptions): PassThreads {
  const workers = Array.from({ length: Math.max(1, threadCount) }, () => new Worker(ENTRY));
  let broken: unknown;

  const runAll = async (jobCount: number, segmentCount: number, message: Task): Promise<Failure | undefined> => {
    if (broken !== undefined) throw broken;
    const counters: SharedCounters = {
      jobs: new Int32Array(new SharedArrayBuffer(8)),
      turns: new Int32Array(new SharedArrayBuffer(4 * Math.max(1, segmentCount))),
    };
    counters.jobs[1] = jobCount;
    try {
      const told = { ...message, backend: backend.name, counters } as ToThread;
      const failures = await Promise.all(workers.map((worker) => ask(worker, told)));
      return failures.reduce((a, b) => (a === undefined || (b !== undefined && b.job < a.job) ? b : a), undefined);
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
      for (const { rows, extras } of plan.segments) {
        for (const { before, after } of rows) assertShared(before, after);
        assertShared(...extras);
      }
      assertShared(...plan.checks);
      const results = openResults(plan, (byteLength) => new SharedArrayBuffer(byteLength));
      const failure = await runAll(measureJobsOf(plan).length, plan.segments.length, {
        pass: "measure",
        plan,
        results,
      });
      return failure === undefined ? { measured: results } : { nonFinite: failure.nonFinite };
    },
    async mix(plan) {
      for (const { rows, blocks } of plan.segments) {
        for (const { before, after } of rows) assertShared(before, after);
        for (const { results } of blocks) assertShared(...results.flat());
      }
      const failure = await runAll(mixJobsOf(plan).length, 0, { pass: "mix", plan });
      return failure === undefined ? {} : { nonFinite: failure.nonFinite };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

type Task =
  | Omit<Extract<ToThread, { pass: "measure" }>, "backend" | "counters">
  | Omit<Extract<ToThread, { pass: "mix" }>, "backend" | "counters">;

function ask(worker: Worker, message: ToThread): Promise<Failure | undefined> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void): void => {
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      settle();
    };
    const onMessage = (answer: FromThread): void =>
      done(() => {
        if (answer.type === "done") resolve(answer.failure);
        else reject(new PassFailed(answer.message, answer.code));
      });
    const onError = (error: unknown): void => done(() => reject(error));
    const onExit = (code: number): void =>
      done(() => reject(new PassFailed(`a thread ended with code ${code}`, undefined)));
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    worker.postMessage(message);
  });
}

function assertShared(...vectors: readonly Vector[]): void {
  for (const { pieces } of vectors) {
    for (const piece of pieces) {
      if (!isInFile(piece) && !(piece.values.buffer instanceof SharedArrayBuffer)) {
        throw new RangeError("threads: expected vectors over SharedArrayBuffers, received one over an ArrayBuffer");
      }
    }
  }
}
