import { expect, test } from "vitest";
import { interruptible } from "./interrupt.js";
import { memoryIo } from "./testing/memory-io.js";

test("the first signal aborts and tells once, the second ends the process with 130", () => {
  const io = memoryIo();
  let told = 0;
  using interrupt = interruptible(io, () => told++);
  io.interrupt();
  expect(interrupt.signal.aborted).toBe(true);
  expect(io.exitCodes).toEqual([]);
  io.advanceMs(1000);
  io.interrupt();
  expect(io.exitCodes).toEqual([130]);
  expect(told).toBe(1);
});

test("a key press that is delivered twice counts once", () => {
  const io = memoryIo();
  using _ = interruptible(io, () => undefined);
  io.interrupt();
  io.advanceMs(50);
  io.interrupt();
  expect(io.exitCodes).toEqual([]);
});

test("after disposal a signal has no effect", () => {
  const io = memoryIo();
  {
    using _ = interruptible(io, () => undefined);
  }
  io.interrupt();
  io.advanceMs(1000);
  io.interrupt();
  expect(io.exitCodes).toEqual([]);
});
