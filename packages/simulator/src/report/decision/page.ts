/** The three figures and the decision as markup, in one language; several languages stand below each other. */
import { drawInterval, intervalScale } from "../charts/interval-plot.js";
import {
  formatAmount,
  formatBytes,
  formatGain,
  formatInterval,
  formatMetric,
  formatNumber,
  formatSeconds,
} from "../format.js";
import { type Html, html } from "../html.js";
import { gainTint, tableFigure } from "../sections/parts.js";
import type { Spread } from "../statistics.js";
import type { DecisionFacts, SiteFacts, TaskFacts } from "./facts.js";
import type { Judgement } from "./judge.js";
import { type Leak, sitesWithTooFew } from "./privacy.js";
import type { Words } from "./words.js";

export function decisionMarkup(facts: DecisionFacts, judgement: Judgement, words: Words): Html {
  return html`<div lang="${words.lang}" class="decision">${summary(facts, judgement, words)}
${accuracy(facts, words)}
${cost(facts, words)}
${privacy(facts, words)}</div>`;
}

const TONES: Readonly<Record<Judgement["decision"], string>> = { go: "gain", change: "unclear", stop: "loss" };

function summary(facts: DecisionFacts, { decision, checks, firstSites }: Judgement, words: Words): Html {
  const last = [
    ...(decision === "stop" ? [] : [words.firstSites(firstSites, facts)]),
    words.selection(facts) ?? [],
  ].flat();
  const unfinished = words.unfinished(facts);
  return html`<p class="soft">${words.basis(facts)}</p>
${unfinished === null ? null : html`<p class="banner" role="note">${unfinished}</p>`}
<div class="verdict tone-${TONES[decision]}" role="note"><p>${words.decisions[decision]}</p><ul>${checks.map(
    (check) => html`<li><b>${words.checkStates[check.state]}</b>: ${words.check(check, facts)}</li>`,
  )}${last.map((sentence) => html`<li>${sentence}</li>`)}</ul></div>`;
}

function accuracy(facts: DecisionFacts, words: Words): Html {
  const { sites, worst } = facts;
  const noGain = words.noGain(facts);
  const scale = intervalScale(sites.flatMap(({ gain, tasks }) => [gain, ...tasks.map((task) => task.gain)]));
  const [what, alone, together, change, interval] = words.accuracyHeads;
  const gainCells = (gain: Spread | null, saysNothing: boolean, missing: string) =>
    html`<td${saysNothing ? null : gainTint(gain?.mean ?? null)}>${gain === null ? missing : formatGain(gain.mean)}</td><td>${
      gain === null || gain.interval95 === null ? "–" : formatInterval(gain.interval95)
    }</td><td class="text">${drawInterval(gain, scale)}</td>`;
  const taskRow = (task: TaskFacts) =>
    html`<tr><th scope="row"><span class="sub">${task.id} · ${task.metric}${
      task.unit === "" ? "" : ` (${task.unit})`
    } <span role="img" aria-label="${task.higherIsBetter ? words.higher : words.lower}">${task.higherIsBetter ? "↑" : "↓"}</span>${
      task.learnedAlone ? null : html`<span class="sub flag">⚠ ${words.notLearnedAlone}</span>`
    }${task.leftOut.map((one) => html`<span class="sub flag">${words.leftOut(one, facts)}</span>`)}${
      task.failedSeeds.length === 0 ? null : html`<span class="sub flag">${words.failed(task.failedSeeds)}</span>`
    }</span></th><td>${metric(task.alone, task, words)}</td><td>${metric(task.together, task, words)}</td>${gainCells(task.gain, !task.learnedAlone, missingGainOf([task], words))}</tr>`;
  const siteRows = (site: SiteFacts) =>
    html`<tr class="focus"><th scope="row">${site.id}${
      site.id === worst?.id ? html` <span class="flag">▼</span>` : null
    }</th><td class="soft" colspan="2">${words.siteMean}</td>${gainCells(site.gain, false, missingGainOf(site.tasks, words))}</tr>${site.tasks.map(taskRow)}`;
  const table = html`<table class="stick"><thead><tr><th scope="col">${what}</th><th scope="col">${alone}</th><th scope="col">${together}</th><th scope="col">${change}</th><th scope="col">${interval}</th><th scope="col" class="text"><span class="sub">${formatGain(scale.low)} … ${formatGain(scale.high)}</span></th></tr></thead><tbody>${sites.map(siteRows)}</tbody></table>`;
  const note = worst === null ? null : html`<p>▼ ${words.worst(worst.id, formatGain(worst.gain?.mean))}</p>`;
  return html`<h3>${words.accuracyTitle}</h3>${noGain === null ? null : html`<p class="flag">${noGain}</p>`}${note}
${tableFigure(words.accuracyTitle, words.accuracyCaption, table)}`;
}

function metric(value: number | null, task: TaskFacts, words: Words): string {
  return value === null ? missingOf(task, words) : formatMetric(value, task.unit);
}

/** What stands in place of a number: it was not measured, or cannot be. */
function missingOf({ leftOut }: TaskFacts, words: Words): string {
  return leftOut.length === 0 ? words.unmeasured : words.undefined;
}

/** The same in place of a Δ of these tasks: of one, or of all of a site. */
function missingGainOf(tasks: readonly TaskFacts[], words: Words): string {
  if (tasks.some(({ leftOut, failedSeeds }) => leftOut.length + failedSeeds.length > 0)) return words.undefined;
  return tasks.every(({ alone }) => alone === null) ? words.needsAlone : words.unmeasured;
}

function cost(facts: DecisionFacts, words: Words): Html {
  const { upBytes, downBytes, broadcastBytes, fullModelBytes } = facts;
  const [site, up, down, whole, share] = words.costHeads;
  const table = html`<table class="stick"><thead><tr><th scope="col">${site}</th><th scope="col">${up}</th><th scope="col">${down}</th><th scope="col">${whole}</th><th scope="col">${share}</th></tr></thead><tbody>${facts.sites.map(
    (one) =>
      html`<tr><th scope="row">${one.id}</th><td>${formatBytes(one.upBytesPerRound)}</td><td>${formatBytes(one.downBytesPerRound)}</td><td>${formatBytes(one.fullModelBytes)}</td><td>${percentOf(one.upBytesPerRound + one.downBytesPerRound, 2 * one.fullModelBytes)}</td></tr>`,
  )}</tbody></table>`;
  const { costFacts: names } = words;
  const tile = (term: string, value: string, note: string | null) =>
    html`<div><dt>${term}</dt><dd>${value}</dd><dd>${note}</dd></div>`;
  const ratio = percentOf(upBytes + downBytes, fullModelBytes);
  const broadcast = broadcastBytes === null ? null : words.broadcast(formatBytes(upBytes + broadcastBytes));
  const aloneTime =
    facts.aloneComputeSeconds === null ? null : words.computeAlone(formatSeconds(facts.aloneComputeSeconds));
  return html`<h3>${words.costTitle}</h3><dl class="tiles">
${tile(names.traffic, formatBytes(upBytes + downBytes), [words.ofFull(ratio), ...(broadcast === null ? [] : [broadcast])].join(" · "))}
${tile(names.roundsTo95, facts.roundsTo95 === null ? "–" : String(facts.roundsTo95), words.roundsTo95(facts))}
${tile(names.compute, formatSeconds(facts.computeSeconds), aloneTime)}
${tile(names.elapsed, formatSeconds(facts.elapsedSeconds), null)}
${moneyTile(facts, words, tile)}</dl>
${tableFigure(words.costTitle, words.costCaption, table)}<p class="small soft">${words.computeNote}</p>`;
}

function moneyTile(
  { cost: money }: DecisionFacts,
  words: Words,
  tile: (term: string, value: string, note: string | null) => Html,
): Html {
  if (money === null) return tile(words.costFacts.money, "–", words.noPrices);
  const amount = (value: number): string => `${formatAmount(value)} ${money.currency}`;
  const parts = words.moneyParts({
    traffic: amount(money.traffic),
    compute: amount(money.compute),
    labels: money.labels === null ? null : `${amount(money.labels)}${words.labelBasis(money)}`,
  });
  const alone = money.alone === null ? [] : [words.moneyAlone(amount(money.alone))];
  return tile(words.costFacts.money, amount(money.total), [parts, ...alone].join(" · "));
}

function privacy({ sites }: DecisionFacts, words: Words): Html {
  const measured = sites.filter((site) => site.privacy !== null);
  if (measured.length === 0) return html`<h3>${words.privacyTitle}</h3><p>${words.notMeasured}</p>`;
  const heads = words.privacyHeads.map((head) => html`<th scope="col">${head}</th>`);
  const cell = (leak: Leak | null | undefined, absent: string) =>
    leak === null || leak === undefined
      ? html`<td>${absent}</td>`
      : html`<td>${formatNumber(leak.advantagePercent, 1)}<span class="sub">${words.attacks[leak.attack]}</span></td>`;
  const table = html`<table class="stick"><thead><tr>${heads}</tr></thead><tbody>${sites.map(
    ({ id, privacy: risk, upBytesPerRound }) => {
      const none = risk === null ? words.unmeasured : words.tooFew;
      const update = risk === null || upBytesPerRound > 0 ? none : words.nothingSent;
      const alone = risk?.model === null ? none : words.unmeasured;
      return html`<tr><th scope="row">${id}</th>${cell(risk?.untrained, none)}${cell(risk?.alone, alone)}${cell(risk?.firstUpdate, update)}${cell(risk?.lastUpdate, update)}${cell(risk?.model, none)}</tr>`;
    },
  )}</tbody></table>`;
  const few = sitesWithTooFew(sites);
  const fewNote = few.length === 0 ? null : html`<p class="flag">${words.tooFewToAttack(few)}</p>`;
  return html`<h3>${words.privacyTitle}</h3>${fewNote}${tableFigure(words.privacyTitle, words.privacyCaption, table)}
<ul class="small soft">${words.attackNotes.map((note) => html`<li>${note}</li>`)}</ul>`;
}

function percentOf(part: number, whole: number): string {
  return whole === 0 ? "–" : `${formatNumber((100 * part) / whole, 0)}\u00a0%`;
}
