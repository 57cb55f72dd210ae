import { expect, test } from "vitest";
import { formatBytes, formatNumber, formatSeconds, formatSigned } from "./format.js";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [99_440, "99.4 kB"],
  [999_499, "999 kB"],
  [999_500, "1.0 MB"],
  [3_300_000_000, "3.3 GB"],
])("%d bytes read %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0.4, "0 s"],
  [59.6, "1 min 00 s"],
  [125, "2 min 05 s"],
  [3599.7, "1 h 00 min"],
  [7_500, "2 h 05 min"],
])("%d seconds read %s", (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

test.each([
  [2.104, "+2.10"],
  [-0.626, "−0.63"],
  [-0.001, "0.00"],
  [null, "–"],
])("%s percent reads %s", (gain, text) => {
  expect(formatSigned(gain)).toBe(text);
});

test.each([
  [0, "0.000"],
  [0.41234, "0.412"],
  [12.7512, "12.75"],
  [1234.5, "1.2e+3"],
  [0.00012, "1.2e-4"],
  [Number.NaN, "NaN"],
])("the number %d reads %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});
