/** How the server put encoders together, of strategies that say so: who got how much of whom, and what robust rules held against. */
import type { EncoderMixing, RoundRecord } from "../../result.js";
import { formatNumber, listInWords } from "../format.js";
import { type Html, html } from "../html.js";
import { meanOf } from "../statistics.js";
import { inResultOrder, overSeeds, type ReportStrategy, type ReportView, seedResults } from "../view.js";
import { scrollBox, tableFigure, tint } from "./parts.js";

type RobustGroup = NonNullable<RoundRecord["robustness"]>[number];

/** Null where no strategy says anything. */
export function combinationSection(view: ReportView): Html | null {
  const strategies = inResultOrder(view);
  const maps = strategies.flatMap((strategy) => {
    const mixings = recordsOf(view, strategy).flatMap(({ encoderMixing }) => encoderMixing ?? []);
    return mixings.length === 0 ? [] : [mixingMap(view, strategy, mixings)];
  });
  const rows = strategies.flatMap((strategy) => {
    const groups = recordsOf(view, strategy).flatMap(({ robustness }) => robustness ?? []);
    return groups.length === 0 ? [] : [robustRow(view, strategy, groups)];
  });
  if (maps.length === 0 && rows.length === 0) return null;
  return html`<section id="combination"><h2>How encoders were combined</h2>
${maps.length === 0 ? null : html`<p class="small">Row: who received; column: whose encoder it was made of; shares, mean over rounds${overSeeds(view, " and seeds")}.</p><div class="heats">${maps}</div>`}
${rows.length === 0 ? null : robustTable(rows)}</section>`;
}

function recordsOf(view: ReportView, strategy: ReportStrategy): readonly RoundRecord[] {
  return seedResults(view, strategy).flatMap(({ rounds }) => rounds);
}

function mixingMap(view: ReportView, { label }: ReportStrategy, mixings: readonly EncoderMixing[]): Html {
  const ids = view.result.scenario.clients.map(({ id }) => id);
  const share = (a: string, b: string) =>
    meanOf(mixings.map(({ clients, values }) => values[clients.indexOf(a)]?.[clients.indexOf(b)]));
  const cell = (value: number | null) =>
    value === null
      ? html`<td class="soft" title="never present together">–</td>`
      : html`<td${tint(value, 1)}>${formatNumber(value, 2)}</td>`;
  const table = html`<table class="heat"><thead><tr><td></td>${ids.map(
    (id, index) => html`<th scope="col"><abbr title="${id}">${index + 1}</abbr></th>`,
  )}</tr></thead><tbody>${ids.map(
    (a, row) => html`<tr><th scope="row">${row + 1} ${a}</th>${ids.map((b) => cell(share(a, b)))}</tr>`,
  )}</tbody></table>`;
  return html`<figure><figcaption><b>${label}</b></figcaption>${scrollBox(`Mixtures of ${label}`, table)}</figure>`;
}

function robustTable(rows: readonly Html[]): Html {
  const table = html`<table class="stick"><thead><tr><th scope="col">Strategy</th><th scope="col" class="text">Rule</th><th scope="col">Sites in a group</th><th scope="col">May send anything</th><th scope="col" class="text">Chosen</th></tr></thead><tbody>${rows}</tbody></table>`;
  const caption =
    "Rules that hold against bad updates, over all rounds and seeds. May send anything: so many sites of a group; with 0 the rule holds against nobody. Chosen: whose encoders krum took, in how many of its choices.";
  return tableFigure("Table of robust rules", caption, table);
}

function robustRow(view: ReportView, { label }: ReportStrategy, groups: readonly RobustGroup[]): Html {
  const chosen = new Map<string, number>();
  let choices = 0;
  for (const { selected = [] } of groups) {
    choices += selected.length;
    for (const id of selected) chosen.set(id, (chosen.get(id) ?? 0) + 1);
  }
  const shares = view.result.scenario.clients.flatMap(({ id }) => {
    const count = chosen.get(id) ?? 0;
    return count === 0 ? [] : [`${id} ${formatNumber((100 * count) / choices, 0)}\u00a0%`];
  });
  return html`<tr><th scope="row">${label}</th><td class="text">${listInWords([...new Set(groups.map(({ rule }) => rule))])}</td><td>${range(groups.map(({ clients }) => clients.length))}</td><td>${range(groups.map(({ tolerated }) => tolerated))}</td><td class="text">${shares.join(", ")}</td></tr>`;
}

function range(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? String(low) : `${low} to ${high}`;
}
