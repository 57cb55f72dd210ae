import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatGain,
  formatInterval,
  formatMetric,
  formatNumber,
  formatSeconds,
  listInWords,
} from "./format.js";
import { html } from "./html.js";

describe("format", () => {
  it("writes a real minus, never minus zero, and n/a for what was not measured", () => {
    expect(formatNumber(-1.26, 1)).toBe("\u22121.3");
    expect(formatNumber(-0.04, 1)).toBe("0.0");
    expect(formatNumber(Number.NaN, 1)).toBe("n/a");
    expect(formatGain(0.04)).toBe("0.0\u00a0%");
    expect(formatGain(2)).toBe("+2.0\u00a0%");
    expect(formatGain(null)).toBe("n/a");
    expect(formatInterval([-0.3, 2.7])).toBe("\u22120.3\u00a0…\u00a0+2.7\u00a0%");
  });

  it("fits decimals to the unit", () => {
    expect([formatMetric(38.04, "%"), formatMetric(8.126, "°"), formatMetric(0.31234, "")]).toEqual([
      "38.0",
      "8.13",
      "0.312",
    ]);
  });

  it("counts bytes in decimal units with three digits", () => {
    expect([0, 999, 1000, 4_803_000, 12_345_678, 999_950_000].map(formatBytes)).toEqual(
      ["0 B", "999 B", "1.00 kB", "4.80 MB", "12.3 MB", "1.00 GB"].map((text) => text.replace(" ", "\u00a0")),
    );
  });

  it("writes times as people say them", () => {
    const plain = [0.84, 9.99, 61, 3725].map((seconds) => formatSeconds(seconds).replaceAll("\u00a0", " "));
    expect(plain).toEqual(["0.8 s", "10.0 s", "1 min 1 s", "1 h 2 min"]);
  });

  it("joins words", () => {
    expect([listInWords([]), listInWords(["a"]), listInWords(["a", "b", "c"])]).toEqual(["", "a", "a, b and c"]);
  });
});

describe("html", () => {
  it("escapes text and keeps markup, in arrays too", () => {
    expect(html`<p title="${`"`}">${["<b>", html`<i>${"&"}</i>`]}${null}${3}</p>`.text).toBe(
      '<p title="&quot;">&lt;b&gt;<i>&amp;</i>3</p>',
    );
  });
});
