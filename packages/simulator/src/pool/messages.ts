/** What passes between the pool and a worker. */
import { type ErrorCode, type ErrorDetails, KumiaiError } from "@kumiai/params";
import type { Examples } from "../examples.js";
import type { Job, ResultOf } from "./jobs.js";

export type ToWorker =
  | { readonly type: "examples"; readonly key: string; readonly examples: Examples }
  | { readonly type: "forget"; readonly key: string }
  | { readonly type: "job"; readonly job: Job }
  | { readonly type: "close" };

export type FromWorker =
  | { readonly type: "done"; readonly result: ResultOf<Job> }
  | { readonly type: "failed"; readonly error: SentError };

export interface SentError {
  /** Null: not one of ours. */
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly details: ErrorDetails;
}

export function toSentError(error: unknown): SentError {
  if (error instanceof KumiaiError) return { code: error.code, message: error.message, details: error.details };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: null, message, details: {} };
}

/** `what` names the work for the reader, e.g. `client line-a, round 3`. */
export function fromSentError(sent: SentError, what: string): KumiaiError {
  return sent.code === null
    ? new KumiaiError("WORKER_FAILED", `${what}: expected the work to finish, received ${sent.message}`)
    : new KumiaiError(sent.code, `${what}: ${sent.message}`, sent.details);
}
