/** Title, the scenario in two sentences, the verdict, key figures and the summary in Japanese. */
import { formatBytes, formatGain, formatInterval, formatNumber, isNumber, listInWords, plural } from "../format.js";
import { type Html, html } from "../html.js";
import { makeVerdict } from "../verdict.js";
import { gainBySeed, type ReportStrategy, type ReportView } from "../view.js";

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
  return html`<p class="banner" role="alert"><b>Not finished.</b> The comparison was cancelled or failed; only the runs that finished are shown, and strategies may rest on different seeds.</p>`;
}

function scenarioInWords(view: ReportView): Html {
  const { description, clients, rounds } = view.result.scenario;
  const domains = [...new Set(clients.map(({ domain }) => domain))];
  const examples = clients.map(({ trainCount }) => trainCount);
  const [low, high] = [Math.min(...examples), Math.max(...examples)];
  const range = clients.length === 0 ? "no" : low === high ? String(low) : `${low} to ${high}`;
  const opening = description.trim() === "" ? "" : `${description.trim().replace(/([^.!?。])$/, "$1.")} `;
  return html`${opening}${plural(clients.length, "site")} (${listInWords(domains)}) with ${plural(view.tasks.length, "task")} in all and ${range} training examples each, ${plural(rounds, "round")}, ${plural(view.result.seeds.length, "seed")}.`;
}

/** Bytes that one round moves, mean over rounds and seeds, all clients together. */
export function bytesPerRound(
  view: ReportView,
  { result }: ReportStrategy,
): { readonly up: number; readonly down: number } {
  const rounds = Math.max(1, view.result.scenario.rounds);
  return { up: result.upBytes / rounds, down: result.downBytes / rounds };
}

/** What a round would cost if every site sent and received its whole model as f32. */
export function fullModelBytes(view: ReportView): number {
  return view.result.scenario.clients.reduce((sum, { paramCount }) => sum + 4 * paramCount, 0);
}

function keyFigures(view: ReportView): Html | null {
  const { focus } = view;
  if (focus === null) return null;
  const { up, down } = bytesPerRound(view, focus);
  const full = 2 * fullModelBytes(view);
  const weak = view.baseline?.result.notAboveConstant.length;
  const tile = (term: string, value: string, note: string) =>
    html`<div><dt>${term}</dt><dd>${value}</dd><dd>${note}</dd></div>`;
  return html`<dl class="tiles">
${tile(`${focus.label} over training alone`, formatGain(focus.result.relativeGainPercent), intervalNote(view, focus))}
${tile("Share of what pooling all data gains", shareText(focus), poolingNote(view))}
${tile("Traffic per round, all sites", formatBytes(up + down), full > 0 ? `${formatNumber((100 * (up + down)) / full, 0)} % of exchanging whole models` : "")}
${tile("Tasks learned when alone", weak === undefined ? "n/a" : `${view.tasks.length - weak} of ${view.tasks.length}`, "better than a constant prediction")}
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

export function shareText({ result }: ReportStrategy): string {
  return isNumber(result.pooledGainShare) ? `${formatNumber(100 * result.pooledGainShare, 0)}\u00a0%` : "n/a";
}

/** For managers who read Japanese: the same key figures and the same caution. */
function japaneseSummary(view: ReportView): Html | null {
  const { focus, result } = view;
  if (focus === null) return null;
  const { tone } = makeVerdict(view);
  const { up, down } = bytesPerRound(view, focus);
  const clients = Math.max(1, result.scenario.clients.length);
  const weak = view.baseline?.result.notAboveConstant.length ?? null;
  return html`<section class="summary-ja" lang="ja" aria-label="日本語要約"><h2>日本語要約</h2><ul>
<li>精度:${japaneseGain(view, focus, tone)}</li>
<li>全データを一か所に集めた場合の改善のうち、${focus.label} で得られた割合:${
    isNumber(focus.result.pooledGainShare) ? shareText(focus) : "算出できません(参照学習が未実行、または改善なし)"
  }</li>
<li>通信量:1ラウンド・1拠点あたり平均 送信 ${formatBytes(up / clients)}、受信 ${formatBytes(down / clients)}</li>
<li>${
    weak === null
      ? "単独学習は未実行です。"
      : `単独学習で定数予測を上回ったタスク:${view.tasks.length} 件中 ${view.tasks.length - weak} 件${weak > 0 ? "(残りのタスクの増減には意味がありません)" : ""}`
  }</li></ul></section>`;
}

function japaneseGain(view: ReportView, focus: ReportStrategy, tone: string): string {
  const gain = focus.result.relativeGainPercent;
  if (view.baseline === null || !isNumber(gain)) return "単独学習と比べられないため、改善の有無は判断できません。";
  const count = gainBySeed(view, focus).size;
  const interval = focus.result.relativeGainInterval95;
  const value = `${focus.label} は単独学習に対して平均 ${formatGain(gain)}`;
  if (count < 2 || interval === null) return `${value}(シード1個のみ。判断材料としては不十分です)。`;
  const conclusion = { gain: "改善といえます", loss: "悪化しています", unclear: "明確な差があるとはいえません" }[tone];
  return `${value}(シード${count}個、95 % 信頼区間 ${formatInterval(interval)})。この条件では${conclusion ?? ""}。`;
}
