/** Bytes per round and strategy, against exchanging whole f32 models. */

import { bytesPerRound, fullModelBytes } from "../figures.js";
import { formatBytes, formatNumber } from "../format.js";
import { type Html, html, raw } from "../html.js";
import { inResultOrder, overSeeds, type ReportView } from "../view.js";
import { strategyName, tableFigure } from "./parts.js";

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
<p class="small soft">Counted as uncompressed f32, without envelopes. Heads and buffers never leave a site.</p></section>`;
}

function bar(up: number, down: number, most: number, color: string): Html {
  const wide = (bytes: number) => ((bytes / most) * WIDTH).toFixed(1);
  return raw(
    `<svg width="${WIDTH}" height="14" viewBox="0 0 ${WIDTH} 14" aria-hidden="true"><rect y="1" width="${wide(up)}" height="12" fill="${color}"/><rect x="${wide(up)}" y="1" width="${wide(down)}" height="12" fill="${color}" fill-opacity=".45"/></svg>`,
  );
}
