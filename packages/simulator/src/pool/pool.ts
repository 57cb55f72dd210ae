/**
 * A fixed number of worker threads and one queue of pure jobs, first in, first out.
 *
 * Examples are shared, never copied: `share` registers arrays over SharedArrayBuffers under a key, and each worker is
 * handed them once. Params and moments come back without a copy. A worker that dies fails its job with WORKER_FAILED
 * and is replaced, so that other runs on the pool go on.
 */
import { Worker } from "node:worker_threads";
import { KumiaiError } from "@kumiai/params";
import type { Examples } from "../examples.js";
import { examplesOf, type Job, type ResultOf, transferablesOf } from "./jobs.js";
import { type FromWorker, fromSentError, type ToWorker } from "./messages.js";

export interface PoolOptions {
  readonly threadCount: number;
  /** Milliseconds from any fixed moment; only differences are used. */
  readonly clock: () => number;
  /** The worker's script; for tests. Default: this package's built worker. */
  readonly entry?: URL;
}

export interface JobContext {
  /** Names the work in errors, e.g. `client line-a, round 3`. */
  readonly what: string;
  /** Once aborted, jobs that have not begun fail with CANCELLED; those under way finish. */
  readonly signal?: AbortSignal | undefined;
}

export interface Finished<Result> {
  readonly result: Result;
  /** Time on the worker, without waiting in the queue. */
  readonly seconds: number;
}

export interface WorkerPool extends AsyncDisposable {
  readonly threadCount: number;
  /** Registers examples; throws nothing if the key is known already. */
  share(key: string, examples: Examples): void;
  forget(key: string): void;
  /** Throws the job's own coded error, WORKER_FAILED or CANCELLED; each message begins with `context.what`. */
  run<J extends Job>(job: J, context: JobContext): Promise<Finished<ResultOf<J>>>;
}

const WORKER_ENTRY = new URL("../../dist/pool/worker.js", import.meta.url);

export function createWorkerPool(options: PoolOptions): WorkerPool {
  return new ThreadPool(options);
}

interface Queued {
  readonly job: Job;
  readonly context: JobContext;
  readonly resolve: (finished: Finished<ResultOf<Job>>) => void;
  readonly reject: (error: unknown) => void;
}

interface Slot {
  worker: Worker | null;
  readonly known: Set<string>;
  current: { readonly queued: Queued; readonly startedAt: number } | null;
}

class ThreadPool implements WorkerPool {
  readonly threadCount: number;
  readonly #options: PoolOptions;
  readonly #examples = new Map<string, Examples>();
  readonly #queue: Queued[] = [];
  readonly #slots: Slot[];
  #closed = false;

  constructor(options: PoolOptions) {
    this.threadCount = Math.max(1, Math.floor(options.threadCount));
    this.#options = options;
    this.#slots = Array.from({ length: this.threadCount }, () => ({ worker: null, known: new Set(), current: null }));
  }

  share(key: string, examples: Examples): void {
    this.#examples.set(key, toShared(examples));
  }

  forget(key: string): void {
    this.#examples.delete(key);
    for (const slot of this.#slots) {
      if (slot.known.delete(key)) post(slot, { type: "forget", key });
    }
  }

  run<J extends Job>(job: J, context: JobContext): Promise<Finished<ResultOf<J>>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new KumiaiError("CANCELLED", `${context.what}: the worker pool is closed`));
        return;
      }
      const settle = resolve as (finished: Finished<ResultOf<Job>>) => void;
      this.#queue.push({ job, context, resolve: settle, reject });
      this.#dispatch();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const queued of this.#queue.splice(0)) queued.reject(cancelled(queued.context));
    await Promise.all(this.#slots.map((slot) => closeSlot(slot)));
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (slot.current !== null) continue;
      const queued = this.#next();
      if (queued === undefined) return;
      this.#start(slot, queued);
    }
  }

  #next(): Queued | undefined {
    for (;;) {
      const queued = this.#queue.shift();
      if (queued === undefined || !queued.context.signal?.aborted) return queued;
      queued.reject(cancelled(queued.context));
    }
  }

  #start(slot: Slot, queued: Queued): void {
    slot.current = { queued, startedAt: this.#options.clock() };
    slot.worker ??= this.#open(slot);
    for (const key of new Set(examplesOf(queued.job))) {
      if (slot.known.has(key)) continue;
      const examples = this.#examples.get(key);
      if (examples === undefined) throw new Error(`examples ${key} were not shared with the pool`);
      post(slot, { type: "examples", key, examples });
      slot.known.add(key);
    }
    post(slot, { type: "job", job: queued.job }, transferablesOf(queued.job));
  }

  #open(slot: Slot): Worker {
    const worker = new Worker(this.#options.entry ?? WORKER_ENTRY);
    worker.on("message", (message: FromWorker) => this.#settle(slot, message));
    worker.on("error", (error) => this.#lost(slot, worker, error instanceof Error ? error.message : String(error)));
    worker.on("exit", (code) => this.#lost(slot, worker, `exit code ${code}`));
    return worker;
  }

  #settle(slot: Slot, message: FromWorker): void {
    const current = slot.current;
    if (current === null) return;
    slot.current = null;
    const { queued, startedAt } = current;
    if (message.type === "done") {
      queued.resolve({ result: message.result, seconds: (this.#options.clock() - startedAt) / 1000 });
    } else {
      queued.reject(fromSentError(message.error, queued.context.what));
    }
    this.#dispatch();
  }

  #lost(slot: Slot, worker: Worker, reason: string): void {
    if (slot.worker !== worker) return;
    slot.worker = null;
    slot.known.clear();
    const current = slot.current;
    slot.current = null;
    if (current !== null) {
      const { what } = current.queued.context;
      current.queued.reject(
        new KumiaiError(
          "WORKER_FAILED",
          `${what}: expected the worker thread to finish, but it died (${reason}); check free memory, or use fewer workers`,
          { reason },
        ),
      );
    }
    if (!this.#closed) this.#dispatch();
  }
}

function cancelled(context: JobContext): KumiaiError {
  return new KumiaiError("CANCELLED", `${context.what}: cancelled before it began`);
}

function post(slot: Slot, message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
  slot.worker?.postMessage(message, [...transfer]);
}

/** Lets the worker end its job, release native memory and leave. */
async function closeSlot(slot: Slot): Promise<void> {
  const worker = slot.worker;
  if (worker === null) return;
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  post(slot, { type: "close" });
  await ended;
}

/** The same examples over SharedArrayBuffers; arrays that are shared already stay. */
export function toShared(examples: Examples): Examples {
  return {
    ...examples,
    inputs: toSharedArray(examples.inputs),
    labels: new Map([...examples.labels].map(([task, values]) => [task, toSharedArray(values)] as const)),
    masks: new Map([...examples.masks].map(([task, values]) => [task, toSharedArray(values)] as const)),
  };
}

function toSharedArray<A extends Uint8Array | Float32Array>(values: A): A {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const buffer = new SharedArrayBuffer(values.byteLength);
  const copy = values instanceof Float32Array ? new Float32Array(buffer) : new Uint8Array(buffer);
  copy.set(values);
  return copy as unknown as A;
}
