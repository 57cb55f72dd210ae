/** What the server learned: how much each site takes from the common direction, and the conflict-averse weights. */
import type { RoundRecord } from "../../result.js";
import { drawLineChart, type LineSeries } from "../charts/line-chart.js";
import { formatNumber } from "../format.js";
import { type Html, html } from "../html.js";
import { lastValue, roundSeries } from "../series.js";
import { meanOf } from "../statistics.js";
import { seriesColor, seriesDash } from "../styles.js";
import { inResultOrder, overSeeds, type ReportStrategy, type ReportView, seedResults, taskKey } from "../view.js";
import { legend } from "./parts.js";

const CHART = { width: 460, height: 230 } as const;

export function hyperWeightsSection(view: ReportView): Html | null {
  const strategy = [view.focus, ...inResultOrder(view)].find(
    (each) => each !== null && seedResults(view, each).some(({ rounds }) => rounds.some(hasWeights)),
  );
  if (strategy === undefined || strategy === null) return null;
  const clients = view.result.scenario.clients.map(({ id }) => id);
  const bySite = (pick: (record: RoundRecord, id: string) => number | null | undefined) =>
    clients.map((id, index) => line(view, strategy, id, index, index, (record) => pick(record, id)));
  const alpha = bySite(({ hyperWeights }, id) => hyperWeights?.encoderAlpha[id as never]);
  const conflict = bySite(({ conflictWeights }, id) => conflictWeights?.[id]);
  const beta = view.tasks.map((task, index) => {
    const site = clients.indexOf(task.client);
    const within = view.tasks.slice(0, index).filter(({ client }) => client === task.client).length;
    return line(view, strategy, taskKey(task), site, within, ({ hyperWeights }) =>
      meanOf(Object.values(hyperWeights?.decoderBeta[taskKey(task)] ?? {})),
    );
  });
  const even = clients.length === 0 ? null : { value: 1 / clients.length, label: "" };
  return html`<section id="hyper-weights"><h2>What the server learned (${strategy.label})</h2>
<p class="small soft">${overSeeds(view, "Mean over seeds.")}</p><div class="charts wide">
${chart(view, alpha, "Encoder hyper-weight α per site", "How much of the common direction each site takes on top of its own step.", null)}
${chart(view, beta, "Decoder hyper-weight β, mean over layers", "How much of the other decoders' steps each decoder takes.", null)}
${chart(view, conflict, "Conflict-averse weights over rounds", "How much each site's update counts in the common direction beyond the plain mean. Dotted: equal weights.", even)}
</div></section>`;
}

function hasWeights({ hyperWeights, conflictWeights }: RoundRecord): boolean {
  return hyperWeights !== null || conflictWeights !== null;
}

function line(
  view: ReportView,
  strategy: ReportStrategy,
  name: string,
  color: number,
  dash: number,
  pick: (record: RoundRecord) => number | null | undefined,
): LineSeries {
  const mean = roundSeries(view, strategy, pick, { name, color: seriesColor(color + 1), dash: seriesDash(dash) });
  return { ...mean, band: [] }; // A dozen bands over each other show nothing.
}

function chart(
  view: ReportView,
  all: readonly LineSeries[],
  title: string,
  note: string,
  level: { readonly value: number; readonly label: string } | null,
): Html | null {
  const series = all.filter(({ points }) => points.length > 0);
  if (series.length === 0) return null;
  const last = series.map((each) => `${each.name} ${formatNumber(lastValue(each), 3)}`).join(", ");
  return html`<figure><figcaption><b>${title}</b>. ${note}</figcaption>
${drawLineChart({ ...CHART, label: `${title}. Last values: ${last}.`, series, xMax: view.result.scenario.rounds, level })}
${legend(series.map(({ name, color, dash }) => ({ label: name, color, dash })))}</figure>`;
}
