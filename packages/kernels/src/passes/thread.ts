/** Entry of a thread: takes jobs of the pass it is told of until there are none left. */
import { parentPort } from "node:worker_threads";
import type { KernelBackend, Kernels, SharedRegion } from "../backend.js";
import { backendNamed } from "../select.js";
import type { FailedFile, FromThread, SharedCounters, ToThread } from "./messages.js";
import { type MeasurePlan, type MixPlan, mapVectors } from "./plan.js";
import { type Claims, type Gate, measureSome, mixSome, type OpenKernels, type Share } from "./run.js";
import { TransferFailed } from "./transfer.js";
import { sharedTurns } from "./turns.js";
import { isInFile } from "./vector.js";

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

function take(message: ToThread): Share {
  const { counters, region } = message;
  const backend = backendNamed(message.backend);
  const open: OpenKernels =
    region === undefined ? (byteLength) => openAgain(backend, byteLength) : () => backend.openIn(region);
  const together = { claims: sharedClaims(counters), turns: sharedTurns(counters.turns), gate: sharedGate(counters) };
  if (message.pass === "mix") return mixSome(inHeap(message.plan, region), open, together);
  return measureSome(inHeap(message.plan, region), message.results, open, together);
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

/**
 * The plan with its vectors over the buffer that this thread's kernels know. What is sent to a thread arrives over another object for
 * the same memory.
 */
function inHeap<Plan extends MeasurePlan | MixPlan>(plan: Plan, region: SharedRegion | undefined): Plan {
  if (region === undefined) return plan;
  const { buffer } = region.memory;
  return mapVectors(plan, (vector) => ({
    ...vector,
    pieces: vector.pieces.map((piece) =>
      isInFile(piece) ? piece : { values: new Float32Array(buffer, piece.values.byteOffset, piece.values.length) },
    ),
  }));
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
