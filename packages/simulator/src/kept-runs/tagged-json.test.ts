import { expect, test } from "vitest";
import { fromTagged, toTagged } from "./tagged-json.js";

test("what comes back from the file is what went in, in the same order", () => {
  const value = {
    numbers: [0, -0, 0.1 + 0.2, 1e-320, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    map: new Map<string, unknown>([
      ["line-b", { depth: Number.NaN }],
      ["line-a", new Map([["x", null]])],
    ]),
    bytes: Uint8Array.from({ length: 5000 }, (_, i) => i * i),
    empty: [{}, [], new Map(), new Uint8Array(0), "", null, true],
  };
  const back = fromTagged(JSON.parse(JSON.stringify(toTagged(value))));
  expect(back).toEqual(value);
  expect([...(back as typeof value).map.keys()]).toEqual(["line-b", "line-a"]);
  expect(Object.is((back as typeof value).numbers[1], -0)).toBe(true);
});

test("what it cannot hold is refused, not lost", () => {
  for (const value of [() => 1, Symbol("a"), 1n, { $map: 1 }, new Float32Array(1), new Set()]) {
    expect(() => toTagged({ value })).toThrow(/cannot be kept/);
  }
});
