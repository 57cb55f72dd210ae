import { expect, test } from "vitest";
import { parseBinary, parseNumber, parseTime } from "./cells.js";

test.each<[string, "." | ",", number | undefined]>([
  ["1.5", ".", 1.5],
  ["-.5e2", ".", -50],
  ["+3.", ".", 3],
  ["1,5", ",", 1.5],
  ["1,5", ".", undefined],
  ["1.234,5", ",", undefined],
  ["1,234,5", ",", undefined],
  ["0x10", ".", undefined],
  ["Infinity", ".", undefined],
  ["1e999", ".", undefined],
  ["", ".", undefined],
])("%s is the number it says, or none (decimal: %s)", (text, decimal, expected) => {
  expect(parseNumber(text, decimal)).toBe(expected);
});

test.each<[string, number | undefined]>([
  ["17.25", 17.25],
  ["1970-01-02", 86400],
  ["1970/1/2 1:00", 90000],
  ["1970-01-01T00:00:01.5Z", 1.5],
  ["1970-01-01 09:00:00+09:00", 0],
  ["1969-12-31T19:00:00-0500", 0],
  ["1972-02-29", 68169600],
  ["1970-02-29", undefined],
  ["2024-02-31", undefined],
  ["1970-01-00", undefined],
  ["1970-13-01", undefined],
  ["2024-02-29", Date.UTC(2024, 1, 29) / 1000],
  ["2023-02-29", undefined],
  ["2024-04-31", undefined],
  ["01.02.1970", undefined],
  ["noon", undefined],
])("%s is that many seconds since 1970, the same in every time zone", (text, expected) => {
  expect(parseTime(text, ".")).toBe(expected);
});

test("yes and no have several spellings; a stated word is the only yes", () => {
  expect(["1", "TRUE", "Yes", "0", "False", "n", "2"].map((text) => parseBinary(text))).toEqual([
    1,
    1,
    1,
    0,
    0,
    0,
    undefined,
  ]);
  expect(["NG", "OK", "ng"].map((text) => parseBinary(text, "NG"))).toEqual([1, 0, 0]);
});
