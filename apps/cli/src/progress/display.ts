/** Shows progress: a redrawn block on a terminal, plain lines elsewhere. */
import type { ComparisonEvent, ComparisonResult } from "@kumiai/simulator";
import type { Io } from "../io.js";
import { blockLines } from "./block.js";
import { lineFor } from "./lines.js";
import { advance, NO_PROGRESS, withGains } from "./model.js";

const REDRAW_MS = 100;
const TICK_MS = 1000;
const SITE_LIMIT = 12;
/** Events whose line stays above the block, as the record of the session. */
const STAYING: ReadonlySet<ComparisonEvent["type"]> = new Set(["comparisonStarted", "runKept", "runFinished"]);
const ESC = "\u001b[";

export interface ProgressDisplay extends Disposable {
  show(event: ComparisonEvent): void;
  /** What is known so far of the result. */
  results(partial: ComparisonResult): void;
  /** A sentence that stays. */
  note(text: string): void;
  /** From now on the display says that the work is being ended early. */
  stopping(): void;
}

/** Disposing it takes the block off the terminal. */
export function progressDisplay(io: Io): ProgressDisplay {
  return io.isTerminal ? terminalDisplay(io) : lineDisplay(io);
}

function lineDisplay(io: Io): ProgressDisplay {
  let state = NO_PROGRESS;
  return {
    show(event) {
      const nowMs = io.now();
      const line = lineFor(state, event, nowMs);
      state = advance(state, event, nowMs);
      if (line !== null) io.err(`${line}\n`);
    },
    results: () => undefined,
    note: (text) => io.err(`${text}\n`),
    stopping: () => io.err("ending after the steps under way; a second signal ends at once\n"),
    [Symbol.dispose]: () => undefined,
  };
}

function terminalDisplay(io: Io): ProgressDisplay {
  let state = NO_PROGRESS;
  let drawnLineCount = 0;
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  let stopping = false;

  const erase = () => {
    const sequence = drawnLineCount === 0 ? "" : `${ESC}${drawnLineCount}A${ESC}0J`;
    drawnLineCount = 0;
    return sequence;
  };
  const draw = () => {
    const nowMs = io.now();
    const { colors } = io;
    const lines = blockLines(state, {
      nowMs,
      columns: io.columns(),
      rows: io.rows() - 1,
      colors,
      siteLimit: SITE_LIMIT,
      stopping,
    });
    io.err(erase() + lines.map((line) => `${line}\n`).join(""));
    drawnLineCount = lines.length;
    drawnAtMs = nowMs;
  };
  const ticking = setInterval(draw, TICK_MS);
  ticking.unref();

  return {
    show(event) {
      const nowMs = io.now();
      const line = lineFor(state, event, nowMs);
      state = advance(state, event, nowMs);
      if (STAYING.has(event.type)) {
        io.err(`${erase()}${io.colors.dim(line ?? "")}\n`);
        draw();
      } else if (nowMs - drawnAtMs >= REDRAW_MS || event.type === "seedPreparing") {
        draw();
      }
    },
    results(partial) {
      state = withGains(state, partial);
      draw();
    },
    note(text) {
      io.err(`${erase()}${io.colors.dim(text)}\n`);
      draw();
    },
    stopping() {
      stopping = true;
      draw();
    },
    [Symbol.dispose]() {
      clearInterval(ticking);
      io.err(erase());
    },
  };
}
