/** Entry of a thread: takes jobs of the pass it is told of until there are none left. */
import { parentPort } from "node:worker_threads";
import type { KernelBackend, Kernels } from "../backend.js";
import { backendNamed } from "../select.js";
import { type MeasureSource, resultsAt } from "./measure.js";
import type { FailedFile, FromThread, SharedCounters, SharedResults, ToThread } from "./messages.js";
import type { MixSource } from "./mix.js";
import {
  checkIn,
  measureJobIn,
  measureSegmentIn,
  mixJobIn,
  mixSegmentIn,
  type PackedMeasure,
  type PackedMix,
} from "./packed.js";
import { lastOf } from "./plan.js";
import { type Claims, type Gate, measureSome, mixSome, type Share } from "./run.js";
import { TransferFailed } from "./transfer.js";
import { sharedTurns } from "./turns.js";

const port = parentPort;
if (port === null) throw new Error("this file is the entry of a thread; it does nothing on its own");

port.on("message", (message: ToThread) => {
  try {
    port.postMessage({ type: "done", share: take(message) } satisfies FromThread);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const { path, operation, reason } = error instanceof TransferFailed ? error : ({} as Partial<FailedFile>);
    const file = path && operation && reason ? { path, operation, reason } : undefined;
    port.postMessage({ type: "failed", message: text, file } satisfies FromThread);
  }
});

function take({ counters, region, work, byteLength, backend: name }: ToThread): Share {
  const backend = backendNamed(name);
  const kernels = region === undefined ? openAgain(backend, byteLength) : backend.openIn(region);
  const together = { claims: sharedClaims(counters), turns: sharedTurns(counters.turns), gate: sharedGate(counters) };
  const buffers = work.buffers.map((buffer) => buffer ?? kernels.buffer);
  if (work.pass === "mix") return mixSome(mixSource({ ...work, buffers }), kernels, together);
  return measureSome(measureSource({ ...work, buffers }, work.results), kernels, together);
}

function measureSource(packed: PackedMeasure, { buffer, starts }: SharedResults): MeasureSource {
  const segment = lastOf((index) => measureSegmentIn(packed, index));
  return {
    job: (index) => measureJobIn(packed, index),
    segment,
    results: lastOf((index) => resultsAt(buffer, starts[index], segment(index))),
    check: (index) => checkIn(packed, index),
  };
}

function mixSource(packed: PackedMix): MixSource {
  return { job: (index) => mixJobIn(packed, index), segment: lastOf((index) => mixSegmentIn(packed, index)) };
}

let opened: { readonly kernels: Kernels; readonly byteLength: number } | undefined;

/** The kernels of the pass before, if they are large enough: memory that is let go stays there until somebody collects it. */
function openAgain(backend: KernelBackend, byteLength: number): Kernels {
  if (opened === undefined || opened.byteLength < byteLength || opened.kernels.backend !== backend.name) {
    const rounded = 2 ** Math.ceil(Math.log2(byteLength));
    opened = { kernels: backend.open(rounded), byteLength: rounded };
  }
  opened.kernels.release();
  return opened.kernels;
}

function sharedGate({ jobs }: SharedCounters): Gate {
  return (work) => {
    for (;;) {
      const free = Atomics.load(jobs, 2);
      if (free === 0) Atomics.wait(jobs, 2, 0);
      else if (Atomics.compareExchange(jobs, 2, free, free - 1) === free) break;
    }
    try {
      return work();
    } finally {
      Atomics.add(jobs, 2, 1);
      Atomics.notify(jobs, 2, 1);
    }
  };
}

function sharedClaims({ jobs }: SharedCounters): Claims {
  return {
    next() {
      const job = Atomics.add(jobs, 0, 1);
      return job < Atomics.load(jobs, 1) ? job : -1;
    },
    fail(job) {
      for (let end = Atomics.load(jobs, 1); job < end; ) {
        const seen = Atomics.compareExchange(jobs, 1, end, job);
        if (seen === end) return;
        end = seen;
      }
    },
  };
}
