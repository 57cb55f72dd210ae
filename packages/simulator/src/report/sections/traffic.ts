/** Bytes per round and strategy, against exchanging whole f32 models. */

import { drawTrafficCurve } from "../charts/traffic-curve.js";
import { bytesPerRound, fullModelBytes } from "../figures.js";
import { formatBytes, formatNumber, isNumber, listInWords } from "../format.js";
import { type Html, html, raw } from "../html.js";
import { inResultOrder, overSeeds, type ReportView } from "../view.js";
import { strategyLegend, strategyName, tableFigure } from "./parts.js";

const WIDTH = 260;

export function trafficSection(view: ReportView): Html {
  const full = fullModelBytes(view);
  const rows = inResultOrder(view).map((strategy) => ({
    name: strategyName(strategy),
    color: strategy.color,
    note: strategy.kind === "reference" ? "moves the data instead" : null,
    ...bytesPerRound(view, strategy),
  }));
  rows.push({
    name: html`Whole models as f32<span class="sub">yardstick</span>`,
    color: "var(--soft)",
    note: null,
    up: full,
    down: full,
  });
  const most = Math.max(1, ...rows.map(({ up, down }) => up + down));
  const table = html`<table class="stick">
<thead><tr><th scope="col">Strategy</th><th scope="col" class="text"><span class="small">up + down</span></th><th scope="col">Up</th><th scope="col">Down</th><th scope="col">Of whole models</th></tr></thead>
<tbody>${rows.map(
    ({ name, color, note, up, down }) =>
      html`<tr><th scope="row">${name}</th><td class="text">${bar(up, down, most, color)}</td><td>${formatBytes(up)}</td><td>${formatBytes(down)}</td><td>${
        note ?? (full === 0 ? "n/a" : `${formatNumber((50 * (up + down)) / full, 0)}\u00a0%`)
      }</td></tr>`,
  )}</tbody></table>`;
  return html`<section id="traffic"><h2>Communication</h2>
${tableFigure("Table of bytes per round", `Bytes per round over all sites, mean over rounds${overSeeds(view, " and seeds")}. Stronger part: up (sites to server); paler part: down.`, table)}
${curve(view)}
<p class="small soft">${howCounted(view)} Heads and buffers never leave a site.</p></section>`;
}

/** Strategies that send nothing have no place on a logarithmic scale, and the pooled reference moves data, not params. */
function curve(view: ReportView): Html | null {
  const shown = inResultOrder(view).flatMap((strategy) => {
    const { trafficShare, relativeGainPercent: gain, relativeGainStdPercent: std } = strategy.result;
    if (!isNumber(trafficShare) || trafficShare <= 0 || !isNumber(gain)) return [];
    return [{ ...strategy, share: trafficShare, gain, std: isNumber(std) ? std : null }];
  });
  const chart = drawTrafficCurve(shown);
  if (chart === null) return null;
  return html`<h3>Traffic against gain</h3><figure><figcaption>Δ over training alone${overSeeds(view, " (± standard deviation over seeds)")} against the bytes moved in the whole run.</figcaption>${strategyLegend(shown)}${chart}</figure>`;
}

function howCounted(view: ReportView): string {
  const framed = view.strategies.filter(({ result }) => result.traffic !== undefined).map(({ label }) => label);
  const plain = "counted as uncompressed f32, without envelopes";
  if (framed.length === 0) return `Bytes are ${plain}.`;
  return `Bytes of ${listInWords(framed)} are those of the encoded frames; others are ${plain}.`;
}

function bar(up: number, down: number, most: number, color: string): Html {
  const wide = (bytes: number) => ((bytes / most) * WIDTH).toFixed(1);
  return raw(
    `<svg width="${WIDTH}" height="14" viewBox="0 0 ${WIDTH} 14" aria-hidden="true"><rect y="1" width="${wide(up)}" height="12" fill="${color}"/><rect x="${wide(up)}" y="1" width="${wide(down)}" height="12" fill="${color}" fill-opacity=".45"/></svg>`,
  );
}
