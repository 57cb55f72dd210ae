/**
 * A small line chart as SVG text, drawn by ECharts without a browser. The text is made independent of everything that
 * was drawn before it (ids), stripped of what only a live chart needs, and colored by the page's CSS variables, so the same
 * picture serves light and dark pages.
 */
import { CustomChart, LineChart, type LineSeriesOption } from "echarts/charts";
import { GridComponent, MarkLineComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { escapeHtml, type Html, raw } from "../html.js";

export interface LineSeries {
  readonly name: string;
  /** A CSS color, usually `seriesColor(i)`. */
  readonly color: string;
  readonly dash: readonly number[];
  /** [x, y], x ascending. */
  readonly points: readonly (readonly [number, number])[];
  /** [x, low, high]; absent or empty: no band. */
  readonly band?: readonly (readonly [number, number, number])[];
  /** Drawn thicker. */
  readonly strong?: boolean;
}

export interface LineChartSpec {
  /** Says what is drawn to those who do not see it. */
  readonly label: string;
  readonly series: readonly LineSeries[];
  /** Absent: 0. */
  readonly xMin?: number;
  readonly xMax: number;
  /** Absent: round whole numbers. */
  readonly xTicks?: readonly { readonly x: number; readonly label: string }[];
  readonly width: number;
  readonly height: number;
  /** A horizontal dotted line; null: none. */
  readonly level: { readonly value: number; readonly label: string } | null;
}

/** Up to this many points of a line are marked: they are far apart, and the line between them is a guess. */
const FEW_POINTS = 12;

let ready = false;

/** Draws the chart; "" series give an empty frame. Same spec, same bytes. */
export function drawLineChart(spec: LineChartSpec): Html {
  if (!ready) {
    use([LineChart, CustomChart, GridComponent, MarkLineComponent, SVGRenderer]);
    ready = true;
  }
  const chart = init(null, null, { renderer: "svg", ssr: true, width: spec.width, height: spec.height });
  try {
    chart.setOption(chartOption(spec));
    return raw(tidySvg(chart.renderToSVGString(), spec));
  } finally {
    chart.dispose();
  }
}

function chartOption(spec: LineChartSpec): EChartsCoreOption {
  const text = { color: "var(--soft)", fontSize: 11, fontFamily: "inherit" };
  const [low, high] = valueRange(spec);
  return {
    animation: false,
    grid: { left: 44, right: 10, top: 10, bottom: 24 },
    xAxis: {
      type: "value",
      min: spec.xMin ?? 0,
      max: spec.xMax,
      ...xLabels(spec, text),
      axisLine: { show: true, onZero: false, lineStyle: { color: "var(--line)" } },
      axisTick: { show: false },
      splitLine: { show: false },
    },
    yAxis: {
      type: "value",
      min: low,
      max: high,
      splitNumber: 4,
      axisLabel: { ...text, showMinLabel: false, showMaxLabel: false, formatter: axisNumber },
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: "var(--faint)" } },
    },
    series: [...spec.series.map(bandOption), ...spec.series.map(lineOption), ...levelOption(spec)],
  };
}

function xLabels({ xTicks }: LineChartSpec, text: Record<string, unknown>): Record<string, unknown> {
  if (xTicks === undefined) {
    return { minInterval: 1, splitNumber: 5, axisLabel: { ...text, showMaxLabel: true, hideOverlap: true } };
  }
  const labels = new Map(xTicks.map(({ x, label }) => [x, label]));
  const formatter = (value: number): string => labels.get(value) ?? "";
  return { axisLabel: { ...text, customValues: [...labels.keys()], formatter, hideOverlap: true } };
}

/** Axis that holds every line, band and level, with a little air. */
function valueRange({ series, level }: LineChartSpec): readonly [number, number] {
  const values = series.flatMap(({ points, band = [] }) => [
    ...points.map(([, y]) => y),
    ...band.flatMap(([, low, high]) => [low, high]),
  ]);
  if (level !== null) values.push(level.value);
  if (values.length === 0) return [0, 1];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const air = (high - low) * 0.06 || Math.max(Math.abs(high) * 0.1, 1e-6);
  return [low >= 0 && low - air < 0 ? 0 : low - air, high + air];
}

/** Short: "0.05", "−1.5", "120". */
function axisNumber(value: number): string {
  const text = Number(value.toPrecision(4)).toString();
  return text.replace("-", "\u2212");
}

function lineOption(series: LineSeries): LineSeriesOption {
  return {
    type: "line",
    name: series.name,
    data: series.points.map(([x, y]) => [x, y]),
    silent: true,
    showSymbol: series.points.length <= FEW_POINTS,
    symbol: "circle",
    symbolSize: series.strong === true ? 5 : 4,
    itemStyle: { color: series.color },
    lineStyle: {
      color: series.color,
      width: series.strong === true ? 2.5 : 1.5,
      type: series.dash.length === 0 ? "solid" : [...series.dash],
      join: "round",
    },
  };
}

interface CoordApi {
  coord(point: readonly [number, number]): number[];
}

function bandOption({ band = [], color }: LineSeries): Record<string, unknown> {
  return {
    type: "custom",
    silent: true,
    data: band.length < 2 ? [] : [[0, 0]],
    renderItem: (_params: unknown, api: CoordApi) => ({
      type: "polygon",
      shape: {
        points: [
          ...band.map(([x, low]) => api.coord([x, low])),
          ...[...band].reverse().map(([x, , high]) => api.coord([x, high])),
        ],
      },
      style: { fill: color, opacity: 0.13 },
    }),
  };
}

function levelOption({ level }: LineChartSpec): readonly LineSeriesOption[] {
  if (level === null) return [];
  return [
    {
      type: "line",
      data: [],
      silent: true,
      markLine: {
        silent: true,
        symbol: "none",
        lineStyle: { color: "var(--soft)", type: [2, 3], width: 1 },
        label: {
          position: "insideEndTop",
          formatter: level.label,
          color: "var(--soft)",
          fontSize: 10,
          fontFamily: "inherit",
          textBorderColor: "var(--bg)",
          textBorderWidth: 3,
        },
        data: [{ yAxis: level.value }],
      },
    },
  ];
}

/** Clip paths are not needed (the axes hold everything), ids and classes count what was drawn before, and name spaces look like links. */
function tidySvg(svg: string, { label, width, height }: LineChartSpec): string {
  return svg
    .replace(/<svg[^>]*>/, `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(label)}">`)
    .replace(/<style\s*>[\s\S]*?<\/style>/g, "")
    .replace(/<defs\s*>[\s\S]*?<\/defs>/g, "")
    .replace(/<rect [^>]*fill="none"[^>]*><\/rect>/, "")
    .replace(/ clip-path="[^"]*"/g, "")
    .replace(/ (class|pointer-events|ecmeta_\w+)="[^"]*"/g, "")
    .replace(/><\/(path|polygon|circle|rect)>/g, "/>")
    .replace(/<path d=""[^>]*\/>/g, "")
    .replace(/\n+/g, "")
    .replace(/<g><\/g>/g, "");
}
