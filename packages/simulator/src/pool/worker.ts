/** Entry of a worker thread: takes one message after the other, keeps examples and open sessions, knows nothing else. */
import { parentPort } from "node:worker_threads";
import type { Examples } from "../examples.js";
import { execute } from "./execute.js";
import { type Job, type ResultOf, transferablesOfResult } from "./jobs.js";
import { type FromWorker, type ToWorker, toSentError } from "./messages.js";
import { SessionCache } from "./session-cache.js";

const port = parentPort;
if (port === null) throw new Error("this file is the entry of a worker thread; it does nothing on its own");

const examples = new Map<string, Examples>();
const sessions = new SessionCache();
let busy: Promise<void> = Promise.resolve();

const findExamples = (key: string): Examples => {
  const found = examples.get(key);
  if (found === undefined) throw new Error(`examples ${key} were never handed to this worker`);
  return found;
};

const runJob = async (job: Job): Promise<void> => {
  try {
    const result: ResultOf<Job> = await execute(job, sessions, findExamples);
    port.postMessage({ type: "done", result } satisfies FromWorker, [...transferablesOfResult(result)]);
  } catch (error) {
    port.postMessage({ type: "failed", error: toSentError(error) } satisfies FromWorker);
  }
};

port.on("message", (message: ToWorker) => {
  switch (message.type) {
    case "examples":
      examples.set(message.key, message.examples);
      return;
    case "forget":
      examples.delete(message.key);
      return;
    case "job":
      busy = busy.then(() => runJob(message.job));
      return;
    case "close":
      busy = busy.then(() => sessions.close()).finally(() => port.close());
  }
});
