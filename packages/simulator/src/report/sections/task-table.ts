/** Per site and task: the constant predictor, and each strategy's final test value and relative change. */
import { LEFT_OUT_WORDS } from "../../left-out.js";
import { formatMetric, isNumber } from "../format.js";
import { type Html, html } from "../html.js";
import { spreadOf } from "../statistics.js";
import {
  inResultOrder,
  leftOutOf,
  overSeeds,
  type ReportStrategy,
  type ReportTask,
  type ReportView,
  seedResults,
  taskKey,
} from "../view.js";
import { gainTint, gainWithStd, strategyName, tableFigure } from "./parts.js";

export function taskTableSection(view: ReportView): Html {
  const columns = columnOrder(view);
  const table = html`<table class="stick">
<thead><tr><th scope="col">Site, task, metric</th><th scope="col">Constant</th>${columns.map(
    (strategy) => html`<th scope="col">${strategyName(strategy)}</th>`,
  )}</tr></thead><tbody>${view.tasks.map((task) => row(view, task, columns))}</tbody></table>`;
  return html`<section id="tasks"><h2>Each site and task</h2>
${tableFigure("Table of sites and tasks", `Test values after the last round${overSeeds(view, ", mean over seeds ± standard deviation")}; below, the change against training alone. ⚠: at or below the constant prediction in some seed.`, table)}
<p class="small soft">Constant: what the best constant prediction, fitted on the site's own training labels, scores on the same test data. ↑ higher is better, ↓ lower is better. Tint and sign say the same: + (blue) is better than alone, − (orange) is worse. Without a tint: training alone did not learn the task, so a change says nothing.</p></section>`;
}

/** The two that the verdict compares first, then the others in the result's order. */
function columnOrder(view: ReportView): readonly ReportStrategy[] {
  const first = [view.baseline, view.focus].flatMap((strategy) => strategy ?? []);
  return [...first, ...inResultOrder(view).filter((strategy) => !first.includes(strategy))];
}

function row(view: ReportView, task: ReportTask, columns: readonly ReportStrategy[]): Html {
  const { metric, unit, higherIsBetter, id } = task.task;
  const constants = columns.flatMap((strategy) => taskResults(view, strategy, task).map(({ constant }) => constant));
  return html`<tr><th scope="row">${task.client}<span class="sub">${id} · ${metric}${unit === "" ? "" : ` (${unit})`} <span role="img" aria-label="${higherIsBetter ? "higher" : "lower"} is better">${higherIsBetter ? "↑" : "↓"}</span></span>${reasons(view, task)}</th>
<td>${formatMetric(spreadOf(constants)?.mean, unit)}</td>${columns.map((strategy) => cell(view, strategy, task))}</tr>`;
}

/** Why the task has no part in Δ, where it has none. */
function reasons(view: ReportView, { client, task }: ReportTask): readonly Html[] {
  return leftOutOf(view, client, task.id).map(
    ({ reason, seeds }) =>
      html`<span class="sub flag">not in Δ${seeds.length === view.result.seeds.length ? "" : ` of seed ${seeds.join(", ")}`}: ${LEFT_OUT_WORDS[reason]}</span>`,
  );
}

function cell(view: ReportView, strategy: ReportStrategy, task: ReportTask): Html {
  const results = taskResults(view, strategy, task);
  const value = spreadOf(results.map((result) => result.value));
  if (value === null) return html`<td>n/a</td>`;
  const { unit } = task.task;
  const gain = spreadOf(results.map((result) => result.relativeGainPercent));
  const weak = strategy.result.notAboveConstant.includes(taskKey(task));
  const isBaseline = strategy.kind === "baseline";
  const saysNothing = isBaseline || (view.baseline?.result.notAboveConstant.includes(taskKey(task)) ?? false);
  const std = isNumber(value.std) ? ` ± ${formatMetric(value.std, unit)}` : "";
  return html`<td${saysNothing ? null : gainTint(gain?.mean ?? null)}>${
    weak ? html`<span class="flag" title="at or below the constant prediction">⚠ </span>` : null
  }${formatMetric(value.mean, unit)}${std}${
    isBaseline || gain === null ? null : html`<span class="sub gain">${gainWithStd(gain.mean, gain.std)}</span>`
  }</td>`;
}

function taskResults(view: ReportView, strategy: ReportStrategy, { client, task }: ReportTask) {
  return seedResults(view, strategy).flatMap((seed) => seed.clients[client]?.tasks[task.id] ?? []);
}
