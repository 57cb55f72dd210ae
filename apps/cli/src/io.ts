/** What the command line needs from its surroundings. Tests give their own; `processIo` gives the real ones. */
import { createColors } from "picocolors";

export type Colors = ReturnType<typeof createColors>;

export interface Io {
  /** Results. */
  out(text: string): void;
  /** Progress and errors, so that results can be piped. */
  err(text: string): void;
  /** Whether `err` is a terminal: then progress is one block that is redrawn. */
  readonly isTerminal: boolean;
  /** Width of the terminal in characters. */
  columns(): number;
  /** Its height in lines. */
  rows(): number;
  readonly colors: Colors;
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls `handler` on every SIGINT or SIGTERM until the returned function is called. */
  onInterrupt(handler: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** The Io of a real process. */
export function processIo(): Io {
  const { env } = process;
  const isTerminal = process.stderr.isTTY === true && env.TERM !== "dumb";
  const colored = !env.NO_COLOR && isTerminal && process.stdout.isTTY === true;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal,
    columns: () => process.stderr.columns ?? 80,
    rows: () => process.stderr.rows ?? 24,
    colors: createColors(colored),
    now: () => performance.now(),
    env,
    onInterrupt(handler) {
      process.on("SIGINT", handler);
      process.on("SIGTERM", handler);
      return () => {
        process.off("SIGINT", handler);
        process.off("SIGTERM", handler);
      };
    },
    exit: (code) => process.exit(code),
  };
}
