/** Title, the scenario in two sentences, the verdict, key figures and the summary in Japanese. */

import type { ScenarioClient } from "../../result.js";
import { bytesPerRound, fullModelBytes, shareText } from "../figures.js";
import { formatBytes, formatGain, formatInterval, formatNumber, isNumber, listInWords, plural } from "../format.js";
import { type Html, html } from "../html.js";
import { makeVerdict } from "../verdict.js";
import { gainBySeed, type ReportStrategy, type ReportView, scoredTasks } from "../view.js";
import { japaneseSummary } from "./summary-ja.js";

export function openingSection(view: ReportView): Html {
  const { scenario } = view.result;
  const verdict = makeVerdict(view);
  return html`<header>
<h1>Together or alone: ${scenario.name}</h1>
<p>${scenarioInWords(view)}</p>
${unfinished(view)}<div class="verdict tone-${verdict.tone}" role="note" aria-label="Verdict"><p>${verdict.headline}</p>${
    verdict.remarks.length === 0 ? null : html`<ul>${verdict.remarks.map((remark) => html`<li>${remark}</li>`)}</ul>`
  }</div>
${keyFigures(view)}
${japaneseSummary(view)}
</header>`;
}

/** What a reader must know before any number: some runs are missing. */
function unfinished({ result }: ReportView): Html | null {
  if (result.complete) return null;
  return html`<p class="banner" role="note"><b>Not finished.</b> The comparison was cancelled or failed; only the runs that finished are shown, and strategies may rest on different seeds.</p>`;
}

function scenarioInWords(view: ReportView): Html {
  const { description, clients, rounds } = view.result.scenario;
  const domains = [...new Set(clients.map(({ domain }) => domain))];
  const examples = clients.map(({ trainCount }) => trainCount);
  const [low, high] = [Math.min(...examples), Math.max(...examples)];
  const range = clients.length === 0 ? "no" : low === high ? String(low) : `${low} to ${high}`;
  const opening = description.trim() === "" ? "" : `${description.trim().replace(/([^.!?。])$/, "$1.")} `;
  return html`${opening}${plural(clients.length, "site")} (${listInWords(domains)}) with ${plural(view.tasks.length, "task")} in all and ${range} training examples each, ${plural(rounds, "round")}, ${plural(view.result.seeds.length, "seed")}.${differencesInWords(clients)}`;
}

/** How sites' scenes were made to differ, sites alike together; empty where they were not. */
function differencesInWords(clients: readonly ScenarioClient[]): string {
  const sitesOf = new Map<string, string[]>();
  for (const { id, classSkew, domainShift, flipTasks } of clients) {
    const words = [
      ...(classSkew === undefined ? [] : [`class skew ${classSkew}`]),
      ...(domainShift === undefined ? [] : [`domain shift ${domainShift}`]),
      ...(flipTasks === undefined ? [] : [`contradicting labels of ${listInWords(flipTasks)}`]),
    ].join(", ");
    if (words !== "") sitesOf.set(words, [...(sitesOf.get(words) ?? []), id]);
  }
  if (sitesOf.size === 0) return "";
  const groups = [...sitesOf].map(
    ([words, ids]) => `${ids.length === clients.length ? "all sites" : listInWords(ids)}: ${words}`,
  );
  return ` Made to differ: ${groups.join("; ")}.`;
}

function keyFigures(view: ReportView): Html | null {
  const { focus } = view;
  if (focus === null) return null;
  const { up, down } = bytesPerRound(view, focus);
  const full = 2 * fullModelBytes(view);
  const weak = view.baseline?.result.notAboveConstant.length;
  const scored = scoredTasks(view).length;
  const unscored = view.tasks.length - scored;
  const learned = "better than a constant prediction";
  const tile = (term: string, value: string, note: string) =>
    html`<div><dt>${term}</dt><dd>${value}</dd><dd>${note}</dd></div>`;
  return html`<dl class="tiles">
${tile(`${focus.label} over training alone`, formatGain(focus.result.relativeGainPercent), intervalNote(view, focus))}
${tile("Share of what pooling all data gains", shareText(focus), poolingNote(view))}
${tile("Traffic per round, all sites", formatBytes(up + down), full > 0 ? `${formatNumber((100 * (up + down)) / full, 0)} % of exchanging whole models` : "")}
${tile("Tasks learned when alone", weak === undefined ? "n/a" : `${scored - weak} of ${scored}`, unscored === 0 ? learned : `${learned}; ${plural(unscored, "task")} without a score`)}
</dl>`;
}

function poolingNote(view: ReportView): string {
  const pooled = view.strategies.find(({ kind }) => kind === "reference")?.result.relativeGainPercent;
  if (!isNumber(pooled)) return "pooling was not run";
  return pooled > 0 ? `pooling gains ${formatGain(pooled)}` : `pooling itself gains nothing (${formatGain(pooled)})`;
}

function intervalNote(view: ReportView, focus: ReportStrategy): string {
  const seeds = plural(gainBySeed(view, focus).size, "seed");
  const interval = focus.result.relativeGainInterval95;
  return interval === null ? `${seeds}: no interval` : `95 % interval ${formatInterval(interval)}, ${seeds}`;
}
