/** An Io that keeps what it is told, with a clock and signals that the test moves. */
import { createColors } from "picocolors";
import type { Io } from "../io.js";

export interface MemoryIo extends Io {
  /** What went to stdout. */
  outText(): string;
  /** What went to stderr. */
  errText(): string;
  readonly exitCodes: readonly number[];
  advanceMs(ms: number): void;
  /** One SIGINT. */
  interrupt(): void;
}

export interface MemoryIoOptions {
  readonly isTerminal?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with everything that goes to stderr. */
  readonly onErr?: (text: string) => void;
}

export function memoryIo({
  isTerminal = false,
  columns = 80,
  rows = 24,
  env = {},
  onErr,
}: MemoryIoOptions = {}): MemoryIo {
  const out: string[] = [];
  const err: string[] = [];
  const exitCodes: number[] = [];
  const handlers = new Set<() => void>();
  let nowMs = 0;
  return {
    out: (text) => void out.push(text),
    err: (text) => {
      err.push(text);
      onErr?.(text);
    },
    isTerminal,
    columns: () => columns,
    rows: () => rows,
    colors: createColors(false),
    now: () => nowMs,
    env,
    onInterrupt(handler) {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    exit: (code) => void exitCodes.push(code),
    outText: () => out.join(""),
    errText: () => err.join(""),
    exitCodes,
    advanceMs: (ms) => {
      nowMs += ms;
    },
    interrupt: () => {
      for (const handler of handlers) handler();
    },
  };
}
