/** Ctrl-C: the first ends the work cleanly, the second ends the process. */
import type { Io } from "./io.js";

/** npm and a terminal may deliver one key press twice; that must not count as two. */
const SAME_PRESS_MS = 400;
const INTERRUPTED = 130;

export interface Interrupt extends Disposable {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/** `onFirst` is called once, at the first signal. Disposing it restores the signals' usual meaning. */
export function interruptible(io: Io, onFirst: () => void): Interrupt {
  const controller = new AbortController();
  let firstAtMs = Number.NEGATIVE_INFINITY;
  const release = io.onInterrupt(() => {
    const nowMs = io.now();
    if (!controller.signal.aborted) {
      firstAtMs = nowMs;
      onFirst();
      controller.abort();
    } else if (nowMs - firstAtMs > SAME_PRESS_MS) {
      io.exit(INTERRUPTED);
    }
  });
  return { signal: controller.signal, [Symbol.dispose]: release };
}
