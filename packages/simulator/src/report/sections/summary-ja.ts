/** For managers who read Japanese: the same key figures as in English, and the same caution. */
import type { LeftOutTask } from "../../left-out.js";
import type { LeftOutReason } from "../../result.js";
import { bytesPerRound, shareText } from "../figures.js";
import { formatBytes, formatGain, formatInterval, isNumber } from "../format.js";
import { type Html, html } from "../html.js";
import { makeVerdict, type VerdictTone } from "../verdict.js";
import { type FocusChoice, gainBySeed, type ReportStrategy, type ReportView, scoredTasks } from "../view.js";

export function japaneseSummary(view: ReportView): Html | null {
  const { focus } = view;
  if (focus === null) return null;
  return html`<section class="summary-ja" lang="ja" aria-label="日本語要約"><h2>日本語要約</h2><ul>
<li>精度：${gain(view, focus)}</li>${selection(view, focus)}
<li>${share(focus)}</li>
<li>${traffic(view, focus)}</li>
<li>${learnedTasks(view)}</li>${view.leftOut.map((task) => html`<li>${leftOut(task, view)}</li>`)}</ul></section>`;
}

const CONCLUSIONS: Readonly<Record<VerdictTone, string>> = {
  gain: "この条件では、単独学習より良いといえます。",
  loss: "この条件では、単独学習より悪くなっています。",
  unclear: "単独学習との差は明確ではありません。",
  tainted: "数値は上回りますが、単独学習では学習できなかったタスクがあるため、明確な改善とはいえません。",
};

function gain(view: ReportView, focus: ReportStrategy): string {
  const { relativeGainPercent: mean, relativeGainInterval95: interval } = focus.result;
  if (view.baseline === null || !isNumber(mean)) return "単独学習と比べられないため、改善の有無は判断できません。";
  const count = gainBySeed(view, focus).size;
  const value = `${focus.label} は単独学習に対して平均 ${formatGain(mean)}`;
  if (count < 2 || interval === null) return `${value}（乱数シード1個のみ）。これだけでは判断できません。`;
  const measured = `${value}（乱数シード${count}個、95 % 信頼区間 ${formatInterval(interval)}）。`;
  return `${measured}${CONCLUSIONS[makeVerdict(view).tone]}`;
}

/** The same words as in the decision page. */
function selection({ choice }: ReportView, focus: ReportStrategy): Html | null {
  const text = selectionJa(choice, focus);
  return text === null ? null : html`<li>${text}</li>`;
}

/** Null where there was nothing to pick from. */
export function selectionJa(
  { how, candidateCount, passedOver }: FocusChoice,
  { label, name, result }: ReportStrategy,
): string | null {
  const missing = passedOver === null ? "" : `シナリオが指定する ${passedOver} は、実行した連合手法の中にありません。`;
  if (how !== "best") return missing === "" ? null : missing;
  if (!isNumber(result.relativeGainPercent)) {
    return `${missing}Δ がなく手法の優劣を比べられないため、連合手法 ${candidateCount} 件のうち最初の ${label} を対象としています。別の手法を対象にするには、thresholds: { strategy: 手法名 } を定めてください。`;
  }
  const why = isNumber(result.relativeGainInterval95?.[0]) ? "95 % 信頼区間の下限" : "平均";
  return `${missing}対象の選び方：連合手法 ${candidateCount} 件のうち、${why}が最も高い ${label} を、評価に使った同じシードの結果から選んでいるため、実際より良く見えます。thresholds: { strategy: ${name} } を先に定め、別のシードで確認してください。`;
}

function share(focus: ReportStrategy): string {
  const what = "全拠点のデータを一か所に集めて学習した場合の改善に対する割合：";
  return isNumber(focus.result.pooledGainShare)
    ? `${what}${shareText(focus)}`
    : `${what}算出できません（集約学習を実行していないか、集約しても改善がありません）。`;
}

function traffic(view: ReportView, focus: ReportStrategy): string {
  const { up, down } = bytesPerRound(view, focus);
  const sites = Math.max(1, view.result.scenario.clients.length);
  return `通信量：1ラウンド・1拠点あたり平均で送信 ${formatBytes(up / sites)}、受信 ${formatBytes(down / sites)}`;
}

/** Why a task has no part in the gain. */
export const LEFT_OUT_WORDS_JA: Readonly<Record<LeftOutReason, string>> = {
  noTestLabels: "テスト用のラベルがないため",
  oneClass: "テスト用のラベルが 1 種類しかないため",
  aloneZero: "単独学習の値が 0 で、相対変化を定義できないため",
  aloneNotFinite: "単独学習の値が有限でないため",
};

function leftOut({ client, task, metric, reason, seeds }: LeftOutTask, { result }: ReportView): string {
  const when = seeds.length === result.seeds.length ? "" : `、シード ${seeds.join("、")}`;
  return `改善率の計算から除いたタスク（全手法共通）：${client}/${task}（${metric}${when}）。${LEFT_OUT_WORDS_JA[reason]}です。`;
}

function learnedTasks(view: ReportView): string {
  if (view.baseline === null) return "単独学習（local）の完了した実行がないため、学習できたタスクの数は分かりません。";
  const weak = view.baseline.result.notAboveConstant.length;
  const scored = scoredTasks(view).length;
  const counted = `単独学習が定数予測（常に同じ答え）を上回ったタスク：${scored} 件中 ${scored - weak} 件`;
  return weak === 0 ? counted : `${counted}。残りのタスクの増減には意味がありません。`;
}
