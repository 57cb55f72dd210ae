/** Entry of a thread: takes jobs of the pass it is told of until there are none left. */
import { parentPort } from "node:worker_threads";
import { backendNamed } from "../select.js";
import type { FromThread, SharedCounters, ToThread } from "./messages.js";
import { type Claims, type Failure, measureSome, mixSome } from "./run.js";
import { sharedTurns } from "./turns.js";

const port = parentPort;
if (port === null) throw new Error("this file is the entry of a thread; it does nothing on its own");

port.on("message", (message: ToThread) => {
  try {
    port.postMessage({ type: "done", failure: take(message) } satisfies FromThread);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    const text = error instanceof Error ? error.message : String(error);
    port.postMessage({ type: "failed", message: text, code } satisfies FromThread);
  }
});

function take(message: ToThread): Failure | undefined {
  const backend = backendNamed(message.backend);
  const claims = sharedClaims(message.counters);
  if (message.pass === "mix") return mixSome(message.plan, backend, claims);
  return measureSome(message.plan, message.results, backend, { claims, turns: sharedTurns(message.counters.turns) });
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
