/** Lets threads do something in a fixed order: whoever holds chunk c of a segment waits until chunk c − 1 is through. */
export interface Turns {
  wait(segment: number, chunk: number): void;
  pass(segment: number, chunk: number): void;
}

/** `next`: one number per segment, zeros at first, over a SharedArrayBuffer. */
export function sharedTurns(next: Int32Array): Turns {
  return {
    wait(segment, chunk) {
      for (;;) {
        const now = Atomics.load(next, segment);
        if (now === chunk) return;
        Atomics.wait(next, segment, now);
      }
    },
    pass(segment, chunk) {
      Atomics.store(next, segment, chunk + 1);
      Atomics.notify(next, segment);
    },
  };
}

/** For one thread that takes jobs in order: it is always its turn. */
export const NO_TURNS: Turns = { wait: () => undefined, pass: () => undefined };
