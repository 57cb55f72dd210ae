import { KumiaiError } from "./errors.js";

declare const brand: unique symbol;
/** A string (or number) that has been checked once; the type is the proof. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A participant in the mathematics: data, tasks, params. */
export type ClientId = Brand<string, "ClientId">;
/** A learning task (never a unit of work). */
export type TaskId = Brand<string, "TaskId">;

const ID_PATTERN = /^[a-z0-9](?:[a-z0-9._-]{0,62})$/i;

function parseId(kind: string, raw: unknown): string {
  if (typeof raw !== "string" || !ID_PATTERN.test(raw)) {
    throw new KumiaiError(
      "INVALID_ID",
      `${kind}: expected 1 to 63 letters, digits, ".", "_" or "-", starting with a letter or digit; received ${JSON.stringify(raw)}`,
      { kind },
    );
  }
  return raw;
}

/** Throws INVALID_ID unless `raw` is a well-formed client id. */
export function parseClientId(raw: unknown): ClientId {
  return parseId("client id", raw) as ClientId;
}

/** Throws INVALID_ID unless `raw` is a well-formed task id. */
export function parseTaskId(raw: unknown): TaskId {
  return parseId("task id", raw) as TaskId;
}
