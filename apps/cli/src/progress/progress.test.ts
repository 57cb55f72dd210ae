import type { ComparisonEvent, Progress } from "@kumiai/simulator";
import { createColors } from "picocolors";
import { expect, test } from "vitest";
import { memoryIo } from "../testing/memory-io.js";
import { blockLines } from "./block.js";
import { progressDisplay } from "./display.js";
import { lineFor } from "./lines.js";
import { advance, doneFraction, NO_PROGRESS, type ProgressState, remainingMs, runKey } from "./model.js";

const work = (finishedSteps: number, finishedRuns = 0): Progress => ({
  finishedSteps,
  totalSteps: 40,
  finishedRuns,
  totalRuns: 2,
});
const local = { strategy: "local", seed: 1 } as const;
const fedavg = { strategy: "fedavg", seed: 1 } as const;

/** Two sites, two runs of two rounds; one event a second. `fedavg` starts while `local` is in its first round. */
const EVENTS: readonly ComparisonEvent[] = [
  {
    type: "comparisonStarted",
    strategies: ["local", "fedavg"],
    seeds: [1],
    clients: ["line-a", "line-b"],
    threadCount: 2,
    progress: work(0),
  },
  { type: "seedPreparing", seed: 1, progress: work(0) },
  { type: "seedPrepared", seed: 1, seconds: 1, progress: work(0) },
  { type: "runStarted", ...local, roundCount: 2, progress: work(0) },
  {
    type: "roundStarted",
    ...local,
    round: 1,
    roundCount: 2,
    present: ["line-a", "line-b"],
    absent: [],
    progress: work(0),
  },
  {
    type: "clientTrained",
    ...local,
    round: 1,
    client: "line-b",
    loss: 0.5,
    stepCount: 5,
    seconds: 1,
    progress: work(5),
  },
  { type: "runStarted", ...fedavg, roundCount: 2, progress: work(5) },
  {
    type: "roundStarted",
    ...fedavg,
    round: 1,
    roundCount: 2,
    present: ["line-a"],
    absent: ["line-b"],
    progress: work(5),
  },
  {
    type: "clientTrained",
    ...local,
    round: 1,
    client: "line-a",
    loss: 1.5,
    stepCount: 5,
    seconds: 1,
    progress: work(10),
  },
  { type: "roundFinished", ...local, round: 1, roundCount: 2, loss: 1, seconds: 4, progress: work(10) },
  { type: "runFinished", ...local, seconds: 9, progress: work(20, 1) },
  { type: "comparisonFinished", seconds: 11, progress: work(20, 1) },
];

/** The state after the first `count` events, the i-th at i seconds. */
function stateAfter(count: number): ProgressState {
  return EVENTS.slice(0, count).reduce((state, event, i) => advance(state, event, i * 1000), NO_PROGRESS);
}

const block = (state: ProgressState, columns = 80, siteLimit = 12, rows = 24) =>
  blockLines(state, { nowMs: 9000, columns, rows, colors: createColors(false), siteLimit, stopping: false });

test("in a pipe there is a line for the start, each round and each run's end, and no more", () => {
  let state = NO_PROGRESS;
  const lines = EVENTS.flatMap((event, i) => {
    const line = lineFor(state, event, i * 1000);
    state = advance(state, event, i * 1000);
    return line ?? [];
  });
  expect(lines).toEqual([
    "2 sites; strategies local, fedavg; seed 1; 2 worker threads",
    "seed 1: preparing data",
    // The first run started at 3 s; 10 of 40 steps took 6 s.
    "[1/2] local, seed 1: round 1 of 2, mean loss 1.000, 4.0 s, about 18 s left",
    "[1/2] local, seed 1: done in 9 s",
  ]);
});

test("time left is counted from the first run, not from the preparation", () => {
  const state = stateAfter(9);
  expect(doneFraction(state)).toBe(0.25);
  expect(remainingMs(state, 8000)).toBe(15_000);
  expect(remainingMs(stateAfter(4), 5000)).toBeNull();
});

test("on a terminal each run has its place in the table, each run under way a column and each site a row", () => {
  expect(block(stateAfter(9), 60)).toEqual([
    "█████░░░░░░░░░░░░░░ 25 %, 0 of 2 runs done, about 18 s left",
    "Δ%      seed 1  ",
    // It started at 3 s and has one of its two rounds behind it.
    "local   1/2 ~6 s",
    "fedavg  1/2     ",
    "        local, seed 1  fedavg, seed 1",
    "round   1 of 2         1 of 2",
    "line-a  1.500 •",
    "line-b  0.500 •        absent",
  ]);
});

test("a finished run leaves the table of losses, and shows its gain in the table of runs once that is known", () => {
  expect(block(stateAfter(11)).join("\n")).not.toContain("local, seed 1");
  expect(block(stateAfter(11))[2]?.trim()).toBe("local   done");
  const fedavgDone = advance(
    stateAfter(11),
    { type: "runFinished", ...fedavg, seconds: 9, progress: work(40, 2) },
    12_000,
  );
  const gains = new Map([[runKey(fedavg), -1.234]]);
  expect(block({ ...fedavgDone, gains })[3]?.trim()).toBe("fedavg  −1.23");
});

test("runs kept from before, and those that wait, are told apart", () => {
  const plan = { strategies: ["local", "fedavg"], seeds: [1, 2] };
  const kept = advance({ ...NO_PROGRESS, plan }, { type: "runKept", ...fedavg, progress: work(0, 1) }, 0);
  expect(
    block({ ...kept, gains: new Map([[runKey(fedavg), 2]]) })
      .slice(0, 3)
      .map((line) => line.trimEnd()),
  ).toEqual(["Δ%      seed 1      seed 2", "local   waiting     waiting", "fedavg  +2.00 kept  waiting"]);
});

test("the block is never taller than the terminal: strategies under way are shown, the others counted", () => {
  const names = Array.from({ length: 20 }, (_, i) => `method-${i}`);
  let state: ProgressState = { ...NO_PROGRESS, plan: { strategies: names, seeds: [1, 2, 3] } };
  const run = { strategy: "method-17", seed: 1 };
  state = advance(state, { type: "runStarted", ...run, roundCount: 2, progress: work(5) }, 0);
  for (const rows of [10, 24, 60]) {
    const lines = block(state, 80, 12, rows);
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(lines.join("\n")).toContain("method-17");
    expect(lines.some((line) => /and \d+ strategies/.test(line))).toBe(rows < 25);
  }
});

test("many sites are summed up in one row", () => {
  expect(block(stateAfter(9), 80, 1).at(-1)).toBe("sites done  2 of 2         0 of 1");
});

test.each([20, 30, 40, 80, 200])("no line is wider than a terminal of %d columns", (columns) => {
  for (let count = 0; count <= EVENTS.length; count++) {
    for (const line of block(stateAfter(count), columns)) expect(line.length).toBeLessThan(columns);
  }
});

test("the block is erased before it is drawn again, and at the end", () => {
  const io = memoryIo({ isTerminal: true });
  {
    using display = progressDisplay(io);
    for (const event of EVENTS) {
      display.show(event);
      io.advanceMs(1000);
    }
    display.stopping();
    expect(io.errText()).toContain("Ctrl-C again ends at once");
  }
  expect(visible(io.errText())).toEqual([
    "2 sites; strategies local, fedavg; seed 1; 2 worker threads",
    "[1/2] local, seed 1: done in 9 s",
  ]);
});

test("in a pipe nothing moves the cursor", () => {
  const io = memoryIo();
  using display = progressDisplay(io);
  for (const event of EVENTS) display.show(event);
  expect(io.errText()).not.toContain("\u001b");
});

const MOVES = new RegExp(`(\\n|${"\u001b"}\\[\\d+[AJ])`);

/** What a terminal shows after `text`: knows newlines, cursor up and erase to the end. */
function visible(text: string): readonly string[] {
  const lines = [""];
  let row = 0;
  for (const part of text.split(MOVES)) {
    const move = part.startsWith("\u001b") ? part.slice(2) : "";
    if (part === "\n") row++;
    else if (move.endsWith("A")) row -= Number(move.slice(0, -1));
    else if (move.endsWith("J")) lines.splice(row);
    else lines[row] = (lines[row] ?? "") + part;
    lines[row] ??= "";
  }
  return lines.filter((line) => line !== "");
}
