import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { parseCount, parseNames, parseSeed, parseSeeds } from "./parse.js";

test("seeds are single numbers and ranges, in the order given", () => {
  expect(parseSeeds("7,1-3, 10")).toEqual([7, 1, 2, 3, 10]);
});

test.each(["", "1,", "a", "-1", "1.5", "3-1", "1,1", "1-3,2", "99999999999", "0-99999"])(
  "refuses the seeds %j",
  (text) => {
    expect(() => parseSeeds(text)).toThrow(InvalidArgumentError);
  },
);

test("one seed is one seed", () => {
  expect(parseSeed("4")).toBe(4);
  expect(() => parseSeed("4,5")).toThrow(InvalidArgumentError);
});

test("names are separated by commas; blanks around them do not count", () => {
  expect(parseNames("local, fedavg")).toEqual(["local", "fedavg"]);
});

test.each(["", "a,,b", "a,a"])("refuses the names %j", (text) => {
  expect(() => parseNames(text)).toThrow(InvalidArgumentError);
});

test.each(["0", "-2", "1.5", "two", ""])("refuses the count %j", (text) => {
  expect(() => parseCount(text)).toThrow(InvalidArgumentError);
});
