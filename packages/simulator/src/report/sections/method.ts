/** How it was measured, so that a reader can doubt it well and do it again. */
import { formatNumber, formatSeconds } from "../format.js";
import { type Html, html } from "../html.js";
import type { ReportView } from "../view.js";
import { tableFigure } from "./parts.js";

export function methodSection(view: ReportView): Html {
  const { result } = view;
  const { scenario } = result;
  return html`<section id="method"><h2>How it was measured</h2>
<dl class="facts">
<dt>Scenario</dt><dd>${scenario.name}</dd>
<dt>Rounds</dt><dd>${scenario.rounds}</dd>
<dt>Seeds</dt><dd>${result.seeds.join(", ")} (the same for every strategy, so gains are paired)</dd>
<dt>Config hash</dt><dd><code>${scenario.configHash}</code></dd>
<dt>Versions</dt><dd>Kumiai ${result.kumiaiVersion}, result schema ${result.schemaVersion}${view.environment.map(([name, version]) => `, ${name} ${version}`)}</dd>
<dt>Time</dt><dd>${formatSeconds(result.seconds)} for the whole comparison</dd>
</dl>
<p>To reproduce:</p><pre><code>${view.command}</code></pre>
<h3>Sites</h3>${siteTable(view)}
<h3>Metrics</h3>${metricList(view)}
<h3>Known limits</h3>${limits(view)}</section>`;
}

function siteTable(view: ReportView): Html {
  const table = html`<table class="stick">
<thead><tr><th scope="col">Site</th><th scope="col" class="text">Domain</th><th scope="col" class="text">Tasks</th><th scope="col">Train</th><th scope="col">Test</th><th scope="col">Params</th><th scope="col">Shared</th></tr></thead>
<tbody>${view.result.scenario.clients.map(
    ({ id, domain, tasks, trainCount, testCount, paramCount, sharedParamCount }) =>
      html`<tr><th scope="row">${id}</th><td class="text">${domain}</td><td class="text">${tasks.map((task) => task.id).join(", ")}</td><td>${trainCount}</td><td>${testCount}</td><td>${formatCount(paramCount)}</td><td>${formatCount(sharedParamCount)}</td></tr>`,
  )}</tbody></table>`;
  return tableFigure(
    "Table of sites",
    "Train, test: labeled examples. Params: all, and those that may be shared (encoder and decoders).",
    table,
  );
}

function formatCount(count: number): string {
  return formatNumber(count, 0).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Definitions by what a metric's name starts with; a metric that is not known is named without one. */
const DEFINITIONS: readonly (readonly [RegExp, string])[] = [
  [/^mIoU/i, "intersection over union, counted over all test pixels, mean over the classes that occur"],
  [
    /^F1.*ODS/i,
    "F1 of the positive pixels at one threshold for all test scenes, the one that is best on these very scenes (optimal dataset scale, ODS); without tolerance, so an edge that is one pixel off is wrong",
  ],
  [/^F1/i, "F1 of the positive pixels"],
  [/angular/i, "mean angle between predicted and true normal over all test pixels"],
  [
    /^macro-F1/i,
    "mean over the classes that occur of F1, the harmonic mean of precision and recall; rare classes count as much as common ones",
  ],
  [/^accuracy/i, "share of test examples with the right class"],
  [/^AUROC/i, "the chance that a positive example scores higher than a negative one; 50\u00a0% is guessing"],
  [/^RMSE/i, "root of the mean squared error over all that is tested"],
  [/^MAE/i, "mean absolute error over all that is tested"],
  [
    /^PHM08/i,
    "the asymmetric score of remaining life of the PHM 2008 challenge: late predictions cost more than early ones",
  ],
];

function metricList(view: ReportView): Html {
  const metrics = [...new Map(view.tasks.map(({ task }) => [task.metric, task])).values()];
  return html`<ul>${metrics.map(({ metric, unit, higherIsBetter }) => {
    const definition = DEFINITIONS.find(([pattern]) => pattern.test(metric))?.[1];
    return html`<li><b>${metric}</b>${unit === "" ? "" : ` (${unit})`}: ${definition === undefined ? "" : `${definition}; `}${higherIsBetter ? "higher" : "lower"} is better.</li>`;
  })}<li><b>Δ</b> (%): for each site the mean over its tasks of the relative change of the test metric after the last round against training alone with the same seed, signed so that + is better; then the mean over sites. Every site counts the same, whatever its number of tasks.</li></ul>`;
}

function limits(view: ReportView): Html {
  const { seeds } = view.result;
  return html`<ul>
<li>A simulation on one machine: bytes are counted, networks, delays and failures of real sites are not.</li>
<li>${seeds.length === 1 ? "One seed: no spread, no interval, no conclusion." : `The interval speaks for ${seeds.length} seeds of this scenario and of no other; it takes the seeds' gains as independent and roughly normal. With several strategies compared at once, one of them can look good by chance.`}</li>
<li>Values are those after the last round, not of the best round.</li>
<li>Params and updates leave a site, examples and labels do not. That alone is no privacy guarantee: without clipping and noise, updates can tell something about the data.</li>
<li>Relative change weighs tasks by their baseline: where the baseline is near zero, a small change counts as a large gain.</li>
</ul>`;
}
