/**
 * Every failure that a user can meet has a code, and every code has a page `docs/errors/<CODE>.md`.
 * `exitCode` is what the command line ends with.
 */
export const ERROR_CODES = {
  INVALID_USAGE: { exitCode: 2 },
  INVALID_ID: { exitCode: 2 },
  INVALID_CONFIG: { exitCode: 2 },
  UNKNOWN_TASK: { exitCode: 2 },
  UNKNOWN_STRATEGY: { exitCode: 2 },
  FILE_NOT_FOUND: { exitCode: 3 },
  FILE_UNREADABLE: { exitCode: 3 },
  WRITE_FAILED: { exitCode: 3 },
  FILE_LOCKED: { exitCode: 3 },
  SAFETENSORS_MALFORMED: { exitCode: 4 },
  STATE_MALFORMED: { exitCode: 4 },
  FRAME_MALFORMED: { exitCode: 4 },
  RESULT_MALFORMED: { exitCode: 4 },
  LAYOUT_MISMATCH: { exitCode: 4 },
  NON_FINITE: { exitCode: 4 },
  UNKNOWN_CLIENT: { exitCode: 4 },
  DATA_PACKAGE_MISSING: { exitCode: 5 },
  DATA_FOLDER_MISSING: { exitCode: 5 },
  DATA_MALFORMED: { exitCode: 5 },
  MODEL_INVALID: { exitCode: 6 },
  TRAINING_DIVERGED: { exitCode: 6 },
  WORKER_FAILED: { exitCode: 7 },
  CANCELLED: { exitCode: 130 },
} as const satisfies Record<string, { exitCode: number }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts that go with an error, for programs; never a site's data. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** An error with a code. The message says where, what was expected, what came, and what to do. */
export class KumiaiError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "KumiaiError";
    this.code = code;
    this.details = details;
  }
}

/** The compiler proves that `value` cannot exist; at run time this names the case that was forgotten. */
export function unreachable(value: never): never {
  throw new Error(`unreachable case: ${JSON.stringify(value)}`);
}
