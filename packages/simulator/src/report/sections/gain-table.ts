/** The Δ table: one row per strategy, best first. */

import type { StrategyDifference } from "../../statistics/against.js";
import { dotScale, drawDotStrip } from "../charts/dot-strip.js";
import { bytesPerRound, shareText } from "../figures.js";
import { formatBytes, formatGain, formatInterval, formatNumber, isNumber, MISSING } from "../format.js";
import { type Html, html } from "../html.js";
import { gainBySeed, type ReportStrategy, type ReportView, seedResults } from "../view.js";
import { gainTint, strategyName, tableFigure } from "./parts.js";

export function gainTableSection(view: ReportView): Html {
  const scale = dotScale(view.strategies.flatMap((strategy) => [...gainBySeed(view, strategy).values()]));
  const heads = [
    "Strategy",
    "Δ, mean ± std",
    "95 % interval",
    html`Bootstrap 95 %<br>(sign test)`,
    html`Minus FedAvg<br>(bootstrap 95 %)`,
    "Worst site",
    html`Share of<br>pooled gain`,
    html`Up, down<br>per round`,
    html`Not above<br>constant`,
  ].map((head) => html`<th scope="col">${head}</th>`);
  const strip = html`<th scope="col" class="text" data-fixed>Per seed<span class="sub">${formatGain(scale.low)} to ${formatGain(scale.high)}</span></th>`;
  const table = html`<table class="stick sortable">
<thead><tr>${heads.slice(0, 3)}${strip}${heads.slice(3)}</tr></thead>
<tbody>${view.strategies.map((strategy) => row(view, strategy, scale))}</tbody></table>`;
  return html`<section id="gain"><h2>Gain over training alone</h2>
${view.baseline === null ? html`<p class="flag">Without a run of training alone no gain can be computed.</p>` : null}
${tableFigure("Table of gains by strategy", "Highest mean gain first; click a heading to sort. Dots: one per seed; bar: their mean; dashed line: training alone.", table)}
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
  const { local = null, fedavg = null } = result.against ?? {};
  const worst = local?.worstClient ?? null;
  const worstGain = worst === null ? null : (local?.clients[worst]?.meanPercent ?? null);
  const gain = isBaseline ? 0 : result.relativeGainPercent;
  return html`<tr${strategy.name === view.focus?.name ? html` class="focus"` : null}><th scope="row" data-sort="${strategy.label}">${strategyName(strategy)}</th>
<td${sortKey(gain)}${isBaseline ? null : gainTint(result.relativeGainPercent)}>${isBaseline ? "0 (by definition)" : gainText(strategy)}</td>
<td${sortKey(isBaseline ? null : (result.relativeGainInterval95?.[0] ?? null))}>${isBaseline ? "" : formatInterval(result.relativeGainInterval95)}</td>
<td class="text">${isBaseline ? null : drawDotStrip([...gainBySeed(view, strategy).values()], scale, color)}</td>
<td${sortKey(local?.bootstrapInterval95?.[0] ?? null)}>${isBaseline ? "" : bootstrapText(local)}</td>
<td${sortKey(fedavg?.meanPercent ?? null)}>${fedavg === null ? "" : html`${formatGain(fedavg.meanPercent)}<span class="sub">${formatInterval(fedavg.bootstrapInterval95)}</span>`}</td>
<td${sortKey(worstGain)}>${worst === null ? "" : html`${formatGain(worstGain)}<span class="sub">${worst}</span>`}</td>
<td${sortKey(result.pooledGainShare)}>${isBaseline ? "" : shareText(strategy)}</td><td${sortKey(hasRuns ? up + down : null)}>${hasRuns ? html`${formatBytes(up)}<span class="sub">${formatBytes(down)}</span>` : MISSING}</td>
<td${sortKey(hasRuns ? weak.length : null)}>${hasRuns ? html`${weak.length === 0 ? "0" : html`<span class="flag">⚠ ${weak.length}</span>`} of ${view.tasks.length}` : MISSING}</td></tr>`;
}

/** What the sorting of tables goes by. */
function sortKey(value: number | null): Html | null {
  return isNumber(value) ? html` data-sort="${value}"` : null;
}

function bootstrapText(local: StrategyDifference | null): Html | string {
  if (local === null || local.bootstrapInterval95 === null) return MISSING;
  return html`${formatInterval(local.bootstrapInterval95)}<span class="sub">p ${formatNumber(local.signTestP, 3)}</span>`;
}

function gainText({ result }: ReportStrategy): string {
  const { relativeGainPercent: mean, relativeGainStdPercent: std } = result;
  return isNumber(std) ? `${formatGain(mean)} ± ${formatNumber(std, 1)}` : formatGain(mean);
}

function columnNotes(): Html {
  return html`<dl class="facts small">
<dt>Δ, mean ± std</dt><dd>Relative change of the test metric against training alone with the same seed, signed so that + is better; mean over each site's tasks, then over sites, then over seeds. ± is the standard deviation over seeds.</dd>
<dt>95 % interval</dt><dd>Of the mean over seeds (Student t). If it holds 0, the sign of the gain is not settled. It covers chance in training and data of these seeds, not other scenarios.</dd>
<dt>Bootstrap, sign test</dt><dd>Without assuming a distribution: the percentile interval of the mean over resampled seeds (too short with few seeds; read it beside the first interval) and the exact two-sided p of the signs over seeds (five seeds cannot give less than 0.0625).</dd>
<dt>Minus FedAvg</dt><dd>Difference of Δ to FedAvg in the same seed, in percentage points, where FedAvg was run.</dd>
<dt>Worst site</dt><dd>The site with the lowest mean Δ over seeds, and that Δ.</dd>
<dt>Share of pooled gain</dt><dd>Δ as a share of what one model trained on all sites' data gains. n/a where pooling was not run or did not gain.</dd>
<dt>Up, down per round</dt><dd>From all sites to the server and back, mean over rounds and seeds.</dd>
<dt>Not above constant</dt><dd>Site–task pairs that in at least one seed scored no better than the best constant prediction. Their gains say nothing.</dd>
<dt>Reference, control</dt><dd>Pooled data: one model trained on everybody's data, which shows the headroom and cannot be deployed by sites that keep their data. Longer own steps: each site only lengthens its own step and learns from nobody. Any other method under which no site sends anything is a control, too.</dd>
</dl>`;
}
