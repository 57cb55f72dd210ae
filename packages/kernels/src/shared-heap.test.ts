import { expect, test } from "vitest";
import { openSharedHeap } from "./shared-heap.js";

test("vectors lie in one shared memory, aligned and apart", () => {
  const heap = openSharedHeap(1000);
  const vectors = [5, 0, 1, 8, 0, 3].map((length) => heap.allocate(length));
  expect(heap.memory.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(vectors.every(({ buffer }) => buffer === heap.memory.buffer)).toBe(true);
  expect(vectors.every(({ byteOffset }) => byteOffset > 0 && byteOffset % 16 === 0)).toBe(true);
  expect(new Set(vectors.map(({ byteOffset }) => byteOffset)).size).toBe(vectors.length);
  vectors.forEach((vector, i) => {
    vector.fill(i);
  });
  expect(vectors.map((vector) => [...new Set(vector)])).toEqual([[0], [], [2], [3], [], [5]]);
});

test("released room is handed out again for the same size, and only once", () => {
  const heap = openSharedHeap(1000);
  const [first, second, third] = [4, 4, 8].map((length) => heap.allocate(length)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (const vector of [first, second, third]) heap.release(vector);
  const places = [3, 4, 4].map((length) => heap.allocate(length).byteOffset);
  expect(places.slice(0, 2).sort()).toEqual([first.byteOffset, second.byteOffset].sort());
  expect(places[2]).toBeGreaterThan(third.byteOffset);
});

test("rounds that ask for the same sizes again and again never use a heap up", () => {
  const heap = openSharedHeap(100_000);
  for (let round = 0; round < 1000; round++) {
    const vectors = [20_000, 1000, 500, 500].map((length) => heap.allocate(length));
    for (const vector of vectors) heap.release(vector);
  }
  expect(() => heap.allocate(20_000)).not.toThrow();
});

test("an empty vector that is released takes no other vector's room with it", () => {
  const heap = openSharedHeap(1000);
  const empty = heap.allocate(0);
  const other = heap.allocate(4).fill(1);
  heap.release(empty);
  heap.allocate(4).fill(2);
  expect([...other]).toEqual([1, 1, 1, 1]);
});

test("a vector that is released twice, or of another heap, is a RangeError", () => {
  const [heap, other] = [openSharedHeap(1000), openSharedHeap(1000)];
  const vector = heap.allocate(4);
  for (const foreign of [other.allocate(4), vector.slice(), vector.subarray(1)]) {
    expect(() => heap.release(foreign)).toThrow("shared heap: expected a vector of this heap that is not released yet");
  }
  heap.release(vector);
  expect(() => heap.release(vector)).toThrow(RangeError);
});

test("a heap that is used up says how much was left", () => {
  const heap = openSharedHeap(100_000);
  expect(heap.byteLength).toBeGreaterThanOrEqual(100_000);
  const whole = heap.allocate(heap.byteLength / 4 - 4);
  expect(() => heap.allocate(5)).toThrow("shared heap: expected at most 16 more bytes to be asked for, received 32");
  expect(heap.allocate(4)).toHaveLength(4);
  heap.release(whole);
  expect(heap.allocate(whole.length)).toHaveLength(whole.length);
});

test.each([0, -1, Number.NaN, 2 ** 32])("a heap of %d bytes is a RangeError", (byteLength) => {
  expect(() => openSharedHeap(byteLength)).toThrow(/^shared heap: expected 1 to 4294966272 bytes, received /);
});
