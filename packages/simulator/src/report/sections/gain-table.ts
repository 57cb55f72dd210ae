/** The Δ table: one row per strategy, best first. */

import { dotScale, drawDotStrip } from "../charts/dot-strip.js";
import { bytesPerRound, shareText } from "../figures.js";
import { formatBytes, formatGain, formatInterval, formatNumber, isNumber, MISSING } from "../format.js";
import { type Html, html } from "../html.js";
import { gainBySeed, type ReportStrategy, type ReportView, seedResults } from "../view.js";
import { gainTint, strategyName, tableFigure } from "./parts.js";

export function gainTableSection(view: ReportView): Html {
  const scale = dotScale(view.strategies.flatMap((strategy) => [...gainBySeed(view, strategy).values()]));
  const table = html`<table class="stick">
<thead><tr><th scope="col">Strategy</th><th scope="col">Δ, mean ± std</th><th scope="col">95 % interval</th><th scope="col" class="text">Per seed<span class="sub">${formatGain(scale.low)} to ${formatGain(scale.high)}</span></th><th scope="col">Share of<br>pooled gain</th><th scope="col">Up<br>per round</th><th scope="col">Down<br>per round</th><th scope="col">Tasks not above<br>constant</th></tr></thead>
<tbody>${view.strategies.map((strategy) => row(view, strategy, scale))}</tbody></table>`;
  return html`<section id="gain"><h2>Gain over training alone</h2>
${view.baseline === null ? html`<p class="flag">Without a run of training alone no gain can be computed.</p>` : null}
${tableFigure("Table of gains by strategy", "Highest mean gain first. Dots: one per seed; bar: their mean; dashed line: training alone.", table)}
${columnNotes()}
<p class="small soft">What each did:</p><ul class="small">${view.strategies.map(
    ({ label, name, result }) => html`<li><b>${label}</b> (<code>${name}</code>): ${result.summary}</li>`,
  )}</ul></section>`;
}

function row(view: ReportView, strategy: ReportStrategy, scale: ReturnType<typeof dotScale>): Html {
  const { result, color, kind } = strategy;
  const { up, down } = bytesPerRound(view, strategy);
  const hasRuns = seedResults(view, strategy).length > 0;
  const isBaseline = kind === "baseline";
  const weak = result.notAboveConstant;
  return html`<tr${strategy.name === view.focus?.name ? html` class="focus"` : null}><th scope="row">${strategyName(strategy)}</th>
<td${isBaseline ? null : gainTint(result.relativeGainPercent)}>${isBaseline ? "0 (by definition)" : gainText(strategy)}</td>
<td>${isBaseline ? "" : formatInterval(result.relativeGainInterval95)}</td>
<td class="text">${isBaseline ? null : drawDotStrip([...gainBySeed(view, strategy).values()], scale, color)}</td>
<td>${isBaseline ? "" : shareText(strategy)}</td><td>${hasRuns ? formatBytes(up) : MISSING}</td><td>${hasRuns ? formatBytes(down) : MISSING}</td>
<td>${hasRuns ? html`${weak.length === 0 ? "0" : html`<span class="flag">⚠ ${weak.length}</span>`} of ${view.tasks.length}` : MISSING}</td></tr>`;
}

function gainText({ result }: ReportStrategy): string {
  const { relativeGainPercent: mean, relativeGainStdPercent: std } = result;
  return isNumber(std) ? `${formatGain(mean)} ± ${formatNumber(std, 1)}` : formatGain(mean);
}

function columnNotes(): Html {
  return html`<dl class="facts small">
<dt>Δ, mean ± std</dt><dd>Relative change of the test metric against training alone with the same seed, signed so that + is better; mean over each site's tasks, then over sites, then over seeds. ± is the standard deviation over seeds.</dd>
<dt>95 % interval</dt><dd>Of the mean over seeds (Student t). If it holds 0, the sign of the gain is not settled. It covers chance in training and data of these seeds, not other scenarios.</dd>
<dt>Share of pooled gain</dt><dd>Δ as a share of what one model trained on all sites' data gains. n/a where pooling was not run or did not gain.</dd>
<dt>Up, down per round</dt><dd>From all sites to the server and back, mean over rounds and seeds.</dd>
<dt>Tasks not above constant</dt><dd>Site–task pairs that in at least one seed scored no better than the best constant prediction. Their gains say nothing.</dd>
<dt>Reference, control</dt><dd>Pooled data: one model trained on everybody's data, which shows the headroom and cannot be deployed by sites that keep their data. Longer own steps: each site only lengthens its own step and learns from nobody.</dd>
</dl>`;
}
