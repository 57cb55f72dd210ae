/** Cosines between the sites' encoder updates: who pulls in the same direction. */
import type { RoundRecord } from "../../result.js";
import { formatNumber, formatSigned, isNumber } from "../format.js";
import { type Html, html } from "../html.js";
import { meanOf } from "../statistics.js";
import { inResultOrder, overSeeds, type ReportStrategy, type ReportView, seedResults } from "../view.js";
import { scrollBox, tint } from "./parts.js";

interface RoundCosines {
  readonly round: number;
  readonly matrix: NonNullable<RoundRecord["encoderCosines"]>;
}

export function cosinesSection(view: ReportView): Html {
  const strategy = [view.focus, ...inResultOrder(view)].find(
    (each) => each !== null && cosinesOf(view, each).length > 0,
  );
  if (strategy === undefined || strategy === null) {
    return html`<section id="cosines"><h2>Do updates agree?</h2><p>No update cosines were recorded.</p></section>`;
  }
  const records = cosinesOf(view, strategy);
  const rounds = records.map(({ round }) => round);
  const first = Math.min(...rounds);
  const last = Math.max(...rounds);
  const at = (round: number) => records.filter((record) => record.round === round);
  const maps = [heatMap(view, records, "Mean over all rounds", true)];
  if (last > first)
    maps.push(heatMap(view, at(first), `Round ${first}`, false), heatMap(view, at(last), `Round ${last}`, false));
  return html`<section id="cosines"><h2>Do updates agree?</h2>
<p class="small">Cosine between the encoder updates of two sites under ${strategy.label}${overSeeds(view, ", mean over seeds")}. +1: same direction; 0: nothing in common; −1: opposite. ${summary(view, records)}</p>
<div class="heats">${maps}</div></section>`;
}

function cosinesOf(view: ReportView, strategy: ReportStrategy): readonly RoundCosines[] {
  return seedResults(view, strategy).flatMap(({ rounds }) =>
    rounds.flatMap(({ round, encoderCosines }) => (encoderCosines === null ? [] : [{ round, matrix: encoderCosines }])),
  );
}

/** Mean over the records in which both sites were present. */
function meanCosine(records: readonly RoundCosines[], a: string, b: string): number | null {
  return meanOf(
    records.map(({ matrix }) => {
      const clients: readonly string[] = matrix.clients;
      return matrix.values[clients.indexOf(a)]?.[clients.indexOf(b)];
    }),
  );
}

function summary(view: ReportView, records: readonly RoundCosines[]): string {
  const ids = view.result.scenario.clients.map(({ id }) => id);
  const pairs = ids.flatMap((a, i) =>
    ids.slice(i + 1).flatMap((b) => {
      const value = meanCosine(records, a, b);
      return value === null ? [] : [{ a, b, value }];
    }),
  );
  const top = [...pairs].sort((x, y) => y.value - x.value)[0];
  if (top === undefined) return "";
  const mean = meanOf(pairs.map(({ value }) => value));
  return `Mean over all pairs ${formatSigned(mean, 2)}; closest are ${top.a} and ${top.b} (${formatSigned(top.value, 2)}).`;
}

function heatMap(view: ReportView, records: readonly RoundCosines[], title: string, named: boolean): Html {
  const ids = view.result.scenario.clients.map(({ id }) => id);
  const table = html`<table class="heat"><thead><tr><td></td>${ids.map(
    (id, index) => html`<th scope="col"><abbr title="${id}">${index + 1}</abbr></th>`,
  )}</tr></thead><tbody>${ids.map(
    (a, row) =>
      html`<tr><th scope="row">${named ? `${row + 1} ${a}` : html`<abbr title="${a}">${row + 1}</abbr>`}</th>${ids.map((b) => cell(a === b, meanCosine(records, a, b)))}</tr>`,
  )}</tbody></table>`;
  return html`<figure><figcaption><b>${title}</b></figcaption>${scrollBox(`Cosines: ${title}`, table)}</figure>`;
}

function cell(diagonal: boolean, value: number | null): Html {
  if (diagonal) return html`<td class="soft">1</td>`;
  if (!isNumber(value)) return html`<td class="soft" title="never present together">–</td>`;
  return html`<td${tint(value, 1)}>${formatNumber(value, 2)}</td>`;
}
