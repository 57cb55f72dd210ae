import { describe, expect, it } from "vitest";
import { drawLineChart, type LineChartSpec, type LineSeries } from "./line-chart.js";

const LINE: LineSeries = {
  name: "a",
  color: "var(--s1)",
  dash: [4, 2],
  points: [
    [0, 1],
    [5, 3],
    [10, 2],
  ],
};
const SPEC: LineChartSpec = { label: "a chart", series: [LINE], xMax: 10, width: 300, height: 180, level: null };

describe("drawLineChart", () => {
  it("draws the same bytes whatever was drawn before, without ids, classes, styles or name spaces", () => {
    const first = drawLineChart(SPEC).text;
    drawLineChart({ ...SPEC, series: [LINE, { ...LINE, name: "b" }] });
    expect(drawLineChart(SPEC).text).toBe(first);
    expect(first.match(/ id=| class=|<style|xmlns|http|ecmeta|clip-path/g)).toBeNull();
  });

  it("keeps color and dashes of a line, and marks its points while they are few", () => {
    const svg = drawLineChart(SPEC).text;
    expect(svg).toContain('stroke="var(--s1)"');
    expect(svg).toContain('stroke-dasharray="4,2"');
    const points = Array.from({ length: 30 }, (_, x) => [x / 3, x] as const);
    const marks = (text: string) => text.match(/stroke="var\(--s1\)"|fill="var\(--s1\)"/g)?.length ?? 0;
    expect(marks(svg)).toBeGreaterThan(marks(drawLineChart({ ...SPEC, series: [{ ...LINE, points }] }).text));
  });

  it("places points where the axes say: left to right, larger values higher, inside the frame", () => {
    const svg = drawLineChart({ ...SPEC, series: [{ ...LINE, dash: [] }] }).text;
    const path = /<path d="M([^"]*)" fill="none" stroke="var\(--s1\)"/.exec(svg)?.[1] ?? "";
    const [first, second, third] = path.split("L").map((pair) => pair.split(" ").map(Number));
    expect(first?.[0]).toBeLessThan(second?.[0] ?? 0);
    expect(second?.[0]).toBeLessThan(third?.[0] ?? 0);
    expect(second?.[1]).toBeLessThan(third?.[1] ?? 0);
    expect(third?.[1]).toBeLessThan(first?.[1] ?? 0);
    for (const [x = -1, y = -1] of [first ?? [], second ?? [], third ?? []]) {
      expect(x >= 0 && x <= 300 && y >= 0 && y <= 180).toBe(true);
    }
  });

  it("draws a band under its line and a level with its label", () => {
    const band = [
      [0, 0.5, 1.5],
      [10, 1.5, 2.5],
    ] as const;
    const svg = drawLineChart({ ...SPEC, series: [{ ...LINE, band }], level: { value: 2, label: "constant" } }).text;
    expect(svg).toMatch(/<polygon points="[^"]+" fill="var\(--s1\)" fill-opacity="0.13"/);
    expect(svg.indexOf("<polygon")).toBeLessThan(svg.indexOf('stroke="var(--s1)"'));
    expect(svg).toContain(">constant</text>");
  });

  it("draws an empty frame for no series, a level line for equal values, and escapes its label", () => {
    const empty = drawLineChart({ ...SPEC, series: [], label: `"<&` }).text;
    expect(empty).toContain('aria-label="&quot;&lt;&amp;"');
    const flat = drawLineChart({
      ...SPEC,
      series: [{ ...LINE, points: LINE.points.map(([x]) => [x, 0] as const) }],
    }).text;
    expect((empty + flat).match(/NaN|Infinity|undefined/g)).toBeNull();
  });
});
