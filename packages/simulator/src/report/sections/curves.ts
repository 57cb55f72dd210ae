/** Learning curves per site and task: the test metric, and behind a fold the training loss. */
import { LEFT_OUT_WORDS } from "../../left-out.js";
import { drawLineChart, type LineSeries } from "../charts/line-chart.js";
import { formatMetric, formatNumber, isNumber } from "../format.js";
import { type Html, html } from "../html.js";
import { BANDS_FOR_ALL_UP_TO, lastValue, recordOf, strategySeries } from "../series.js";
import { meanOf } from "../statistics.js";
import { inResultOrder, leftOutOf, type ReportTask, type ReportView, seedResults } from "../view.js";
import { strategyLegend } from "./parts.js";

const CHART = { width: 340, height: 190 } as const;

export function curvesSection(view: ReportView): Html {
  const strategies = inResultOrder(view);
  const band =
    view.result.seeds.length > 1
      ? `Lines are means over seeds, bands${bandedWords(view)} one standard deviation. `
      : "One seed. ";
  return html`<section id="curves"><h2>Learning curves</h2>
<p class="small soft">${band}↑: higher is better, ↓: lower is better. The dotted level is the constant prediction. Vertical axes need not start at zero; round 0, with untrained heads, is left out.</p>
${strategyLegend(strategies)}
<div class="charts">${view.tasks.map((task) => metricChart(view, task))}</div>
${absenceNote(view)}
<details><summary>Training loss</summary><p class="small soft">Mean loss over the steps of each round, on each site's own training data. Low loss without a better test metric is overfitting.</p>
${strategyLegend(strategies)}
<div class="charts">${view.tasks.map((task) => lossChart(view, task))}</div></details></section>`;
}

/** Whose bands are drawn, where not everybody's are. */
function bandedWords({ strategies, focus }: ReportView): string {
  if (strategies.length <= BANDS_FOR_ALL_UP_TO) return "";
  return ` (of training alone${focus === null ? "" : ` and ${focus.label}`})`;
}

function metricChart(view: ReportView, task: ReportTask): Html {
  const { id, metric, unit, higherIsBetter } = task.task;
  const series = withoutStart(
    strategySeries(view, inResultOrder(view), (round) => recordOf(round, task.client)?.metrics?.[id]),
  );
  const heading = html`<figcaption><b>${task.client}</b> · ${id}: ${metric}${unit === "" ? "" : ` (${unit})`} ${higherIsBetter ? "↑" : "↓"}</figcaption>`;
  if (series.every(({ points }) => points.length === 0)) {
    const reasons = new Set(leftOutOf(view, task.client, id).map(({ reason }) => LEFT_OUT_WORDS[reason]));
    return html`<figure>${heading}<p class="small soft">n/a${reasons.size === 0 ? "" : `: ${[...reasons].join("; ")}`}</p></figure>`;
  }
  const constant = meanOf(
    inResultOrder(view).flatMap((strategy) =>
      seedResults(view, strategy).map((seed) => seed.clients[task.client]?.tasks[id]?.constant),
    ),
  );
  const inUnit = (value: number | null) => `${formatMetric(value, unit)}${unit}`;
  return html`<figure>${heading}
${drawLineChart({
  ...CHART,
  label: `${metric} of ${id} at ${task.client} over rounds. Last values: ${describe(series, inUnit)}.`,
  series,
  xMax: view.result.scenario.rounds,
  level: isNumber(constant) ? { value: constant, label: "constant" } : null,
})}</figure>`;
}

/** Untrained heads can be so far off that nothing else would be told apart; with a single later value they stay. */
function withoutStart(series: readonly LineSeries[]): readonly LineSeries[] {
  const later = series.map((line) => ({
    ...line,
    points: line.points.filter(([round]) => round > 0),
    band: (line.band ?? []).filter(([round]) => round > 0),
  }));
  return later.every(({ points }) => points.length > 1) ? later : series;
}

function lossChart(view: ReportView, task: ReportTask): Html {
  const { id } = task.task;
  const series = strategySeries(view, inResultOrder(view), (round) => recordOf(round, task.client)?.trainLoss[id]);
  return html`<figure><figcaption><b>${task.client}</b> · ${id}: training loss</figcaption>
${drawLineChart({
  ...CHART,
  label: `Training loss of ${id} at ${task.client} over rounds. Last values: ${describe(series, (value) => formatNumber(value, 3))}.`,
  series,
  xMax: view.result.scenario.rounds,
  level: null,
})}</figure>`;
}

function describe(series: readonly LineSeries[], format: (value: number | null) => string): string {
  if (series.length === 0) return "none";
  return series.map((line) => `${line.name} ${format(lastValue(line))}`).join(", ");
}

/** Sites that missed rounds, once for all strategies: who is absent does not depend on the strategy alone. */
function absenceNote(view: ReportView): Html | null {
  const missed = new Map<string, Set<number>>();
  for (const strategy of view.strategies) {
    for (const { rounds } of seedResults(view, strategy)) {
      for (const { round, clients } of rounds) {
        for (const [client, { absent }] of Object.entries(clients)) {
          if (absent) missed.set(client, (missed.get(client) ?? new Set()).add(round));
        }
      }
    }
  }
  if (missed.size === 0) return null;
  const items = [...missed].sort(([a], [b]) => (a < b ? -1 : 1));
  return html`<p class="small">Absent in some run: ${items.map(
    ([client, rounds], index) =>
      `${index === 0 ? "" : "; "}${client} in ${rounds.size === 1 ? "round" : "rounds"} ${[...rounds].sort((a, b) => a - b).join(", ")}`,
  )}. An absent site keeps its params and its hyper-weight.</p>`;
}
