import { expect, test } from "vitest";
import { contentHash } from "./content-hash.js";

test("neither the order of keys nor an absent value matters", () => {
  expect(contentHash({ a: 1, b: [{ c: "x" }], d: undefined })).toBe(contentHash({ b: [{ c: "x" }], a: 1 }));
});

test("every difference matters: values JSON cannot hold, kinds of arrays, nesting, order in lists", () => {
  const values = [
    null,
    0,
    "0",
    "",
    [],
    {},
    Number.NaN,
    Number.POSITIVE_INFINITY,
    [1, 2],
    [2, 1],
    [[1], 2],
    [[1, 2]],
    { a: 1 },
    { a: [1] },
    { b: 1 },
    Float32Array.of(1),
    Float64Array.of(1),
    Float32Array.of(2),
    Float32Array.of(1, 2).subarray(1),
  ];
  // The last is the same content as the one before it.
  expect(new Set(values.map(contentHash)).size).toBe(values.length - 1);
});

test("a map or a set is refused, for all of them would have one hash", () => {
  expect(() => contentHash({ a: new Map([[1, 2]]) })).toThrow("contentHash: expected plain values, received a Map");
});
