/**
 * `sweep.html` and `sweep.svg`: the plot of Δ% against the degree, and the numbers behind it. One file each, without script; the picture
 * stands alone, so that a text can show it. Same input, same bytes.
 */
import { drawLineChart, type LineSeries } from "../report/charts/line-chart.js";
import { formatGain, formatInterval, isNumber } from "../report/format.js";
import { escapeHtml, type Html, html, raw } from "../report/html.js";
import { gainTint, legend, tableFigure } from "../report/sections/parts.js";
import { COLOR_VARIABLES, STYLE, seriesColor, seriesDash } from "../report/styles.js";
import { type DegreeGain, notesOf, type SweepResult } from "./summarize.js";
import { positionsOf } from "./sweep.js";

const WIDTH = 760;
const HEIGHT = 340;

export interface SweepPageInput {
  readonly sweep: SweepResult;
  /** The command that makes this result again. */
  readonly command: string;
}

/** The whole page as text. */
export function renderSweepPage({ sweep, command }: SweepPageInput): string {
  const { name, description, complete, seeds, axis } = sweep;
  const [lines, notes] = [linesOf(sweep), notesOf(sweep)];
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${name}: gain over ${axis.label} – Kumiai sweep</title><style>${raw(STYLE)}</style></head>
<body><main><h1>${name}</h1>${description === "" ? null : html`<p>${description}</p>`}
${complete ? null : html`<p class="banner">Not finished: degrees or seeds are missing. The same command goes on where it ended.</p>`}
<figure><figcaption>Δ over training alone against ${axis.label}, mean over ${seeds.length === 1 ? "one seed" : `${seeds.length} seeds`}${
    seeds.length > 1 ? "; pale: ± one standard deviation over seeds" : ""
  }. Dotted: training alone at the same degree.</figcaption>
${legend(lines.map(({ name: label, color, dash }) => ({ label, color, dash })))}${chartOf(sweep, lines)}</figure>
<h2>Numbers</h2>${gainTable(sweep)}
<p class="small soft">Every column has a yardstick of its own: training alone at that degree. A gain that grows may mean that learning together got better, or
that training alone got worse; the reports of the degrees have the metrics themselves.</p>
${notes.length === 0 ? null : html`<ul class="small">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
<h2>How it was measured</h2><p>Seeds ${seeds.join(", ")}, the same for every strategy and degree. Base: <code>${sweep.base}</code>. Kumiai ${sweep.kumiaiVersion}. To reproduce:</p>
<pre><code>${command}</code></pre></main></body></html>`;
  return `${page.text}\n`;
}

/** The plot with its legend as a picture of its own; colors follow the reader's scheme. */
export function renderSweepSvg(sweep: SweepResult): string {
  const lines = linesOf(sweep);
  const entries = lines.map(({ name, color, dash }, index) => {
    const [x, y] = [
      12 + (index % LEGEND_COLUMNS) * (WIDTH / LEGEND_COLUMNS),
      18 + Math.floor(index / LEGEND_COLUMNS) * 18,
    ];
    const dashes = dash.length === 0 ? "" : ` stroke-dasharray="${dash.join(" ")}"`;
    return `<path d="M${x} ${y - 4}h24" stroke="${color}" stroke-width="2.5"${dashes}/><text x="${x + 30}" y="${y}">${escapeHtml(name)}</text>`;
  });
  const top = 18 * Math.ceil(lines.length / LEGEND_COLUMNS) + 8;
  const height = top + HEIGHT + 20;
  const title = `Δ % over training alone, by ${escapeHtml(sweep.axis.label)}`;
  const chart = chartOf(sweep, lines).text.replace("<svg ", `<svg y="${top}" width="${WIDTH}" height="${HEIGHT}" `);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui,sans-serif" font-size="12"><title>${title}</title>` +
    `<style>svg{${COLOR_VARIABLES.light}}@media (prefers-color-scheme:dark){svg{${COLOR_VARIABLES.dark}}}text{fill:var(--fg)}</style>` +
    `<rect width="${WIDTH}" height="${height}" fill="var(--bg)"/>${entries.join("")}${chart}` +
    `<text x="${WIDTH / 2}" y="${height - 6}" text-anchor="middle">${title}</text></svg>\n`
  );
}

const LEGEND_COLUMNS = 4;

function chartOf(sweep: SweepResult, lines: readonly LineSeries[]): Html {
  const { axis, degrees } = sweep;
  const positions = positionsOf(axis.scale, degrees);
  const [first = 0, last = 1] = [positions[0], positions.at(-1)];
  const air = (last - first || 1) * 0.04;
  return drawLineChart({
    label: describe(sweep),
    series: lines,
    xMin: first - air,
    xMax: last + air,
    xTicks: degrees.map(({ label }, index) => ({ x: positions[index] ?? 0, label })),
    width: WIDTH,
    height: HEIGHT,
    level: { value: 0, label: "alone" },
  });
}

/** One line a strategy; a degree without its gain has no point. */
function linesOf({ strategies, baseline, degrees, axis }: SweepResult): readonly LineSeries[] {
  const positions = positionsOf(axis.scale, degrees);
  const compared = strategies.filter((name) => name !== baseline);
  return compared.map((name, index) => {
    const points: [number, number][] = [];
    const band: [number, number, number][] = [];
    degrees.forEach(({ strategies: gains }, degree) => {
      const x = positions[degree] ?? 0;
      const { relativeGainPercent: gain = null, relativeGainStdPercent: std = null } = gains[name] ?? {};
      if (!isNumber(gain)) return;
      points.push([x, gain]);
      if (isNumber(std)) band.push([x, gain - std, gain + std]);
    });
    return { name, color: seriesColor(index + 1), dash: seriesDash(index), points, band };
  });
}

function describe({ strategies, baseline, degrees, axis }: SweepResult): string {
  const parts = strategies
    .filter((name) => name !== baseline)
    .map((name) => {
      const gains = degrees.map(
        ({ label, strategies: all }) => `${label}: ${formatGain(all[name]?.relativeGainPercent ?? null)}`,
      );
      return `${name} ${gains.join(", ")}`;
    });
  return `Gain over training alone by ${axis.label}. ${parts.join("; ")}`;
}

function gainTable({ strategies, baseline, degrees, axis }: SweepResult): Html {
  const compared = strategies.filter((name) => name !== baseline);
  const table = html`<table class="stick"><thead><tr><th scope="col">Strategy</th>${degrees.map(
    ({ label, folder }) => html`<th scope="col"><a href="${folder}/report.html">${label}</a></th>`,
  )}</tr></thead><tbody>${compared.map(
    (name) =>
      html`<tr><th scope="row">${name}</th>${degrees.map(({ strategies: gains }) => gainCell(gains[name]))}</tr>`,
  )}<tr><th scope="row">${baseline}<span class="sub">tasks not above constant</span></th>${degrees.map(
    ({ strategies: gains, taskCount }) =>
      html`<td>${gains[baseline] === undefined ? "n/a" : `${gains[baseline].notAboveConstantCount} of ${taskCount}`}</td>`,
  )}</tr></tbody></table>`;
  return tableFigure(
    "Table of gains by degree",
    `Δ over training alone by ${axis.label}; below it the 95 % interval over seeds and the site that gains least. Headings lead to the degrees' reports.`,
    table,
  );
}

function gainCell(gain: DegreeGain | undefined): Html {
  if (gain === undefined) return html`<td>n/a</td>`;
  const { relativeGainPercent, relativeGainInterval95, worstSite } = gain;
  return html`<td${gainTint(relativeGainPercent)}><span class="gain">${formatGain(relativeGainPercent)}</span>${
    relativeGainInterval95 === null ? null : html`<span class="sub">${formatInterval(relativeGainInterval95)}</span>`
  }${worstSite === null ? null : html`<span class="sub">${worstSite.id} ${formatGain(worstSite.gainPercent)}</span>`}</td>`;
}
