/** The decision page in Japanese. */

import { LEAST_CANDIDATES } from "@kumiai/algorithms";
import { formatAmount, formatCount, formatGain, formatNumber } from "../format.js";
import { LEFT_OUT_WORDS_JA, selectionJa } from "../sections/summary-ja.js";
import type { DecisionFacts } from "./facts.js";
import type { Check, Lack } from "./judge.js";
import { sitesWithTooFew } from "./privacy.js";
import type { Words } from "./words.js";

export const JAPANESE: Words = {
  lang: "ja",
  title: "判断のための三つの数字",
  basis: ({ strategy, seedCount, rounds, noGain, limits: { file, hasThresholds, hasPrices } }) => {
    const name =
      strategy.label.toLowerCase() === strategy.name ? strategy.label : `${strategy.label}（${strategy.name}）`;
    const about = noGain === null ? `、単独学習との比較、対応のあるシード ${seedCount} 個` : "";
    const scenario = file === null ? "実行時のシナリオ" : `${file} `;
    const limits = hasThresholds
      ? `${scenario}の thresholds`
      : `Kumiai の既定値（シード5個以上で改善が 0 を上回ること。${scenario}に thresholds がないため）`;
    const prices = hasPrices ? `${scenario}の prices` : `なし（${scenario}に prices がないため）`;
    return `対象：${name}${about}、${rounds} ラウンド。判定の規則は固定で、同じ数値からは必ず同じ判定になります。基準値：${limits}。単価：${prices}。`;
  },
  unfinished({ runs: { areComplete, finishedCount, plannedCount, missing }, noGain, seedCount, seeds }) {
    if (areComplete) return null;
    const which = missing.map((one) => `${one.strategy}（${seedList(one.seeds)}）`);
    const list = which.length === 0 ? "" : `未完了の実行：${which.join("、")}。`;
    return `未完了：予定した ${plannedCount} 件の実行のうち、完了したのは ${finishedCount} 件です。比較が中断されたか、失敗したか、まだ実行中です。${list}${noGain === null ? `Δ は ${seeds.length} 個中 ${seedCount} 個のシードによるものです。` : ""}同じコマンドを再実行すると、残りだけを学習します。`;
  },
  selection: ({ choice, strategy }) => (choice === null ? null : selectionJa(choice, strategy)),
  unmeasured: "未測定",
  undefined: "算出不可",
  decisions: { go: "継続", change: "条件を変えて再試行", stop: "中止" },
  checksTitle: "理由",
  checkStates: { met: "達成", missed: "未達", unknown: "未確定" },
  check,
  firstSites(sites, { gain }) {
    if (gain === null) return "Δ がないため、試行を始める拠点を挙げられません。";
    return sites.length === 0
      ? "平均して改善した拠点がないため、試行を始めるべき拠点はありません。"
      : `試行（PoC）は、改善が最も大きい ${sites.join("、")} から始めるのが適当です。`;
  },

  accuracyTitle: "1. 精度",
  accuracyCaption:
    "最終ラウンド後のテスト指標（シード平均）。Δ は単独学習に対する相対変化で、＋が改善。区間は対応のあるシードによる 95 % 信頼区間（Student の t）。塗りつぶした点は、区間が 0 を含まないことを示します。",
  accuracyHeads: ["拠点・タスク・指標", "単独", "連合", "Δ", "95 % 信頼区間"],
  siteMean: "全タスクの平均",
  worst: (site, gain) => `最も悪い拠点：${site}（タスク平均 ${gain}）`,
  noGain,
  needsAlone: "local が必要",
  notLearnedAlone: "単独学習が定数予測を上回らないため、増減に意味がありません",
  leftOut: ({ reason, seeds }, facts) =>
    `${LEFT_OUT_WORDS_JA[reason]}、Δ の計算から除外${seeds.length === facts.seeds.length ? "" : `（シード ${seeds.join("、")}）`}`,
  failed: (seeds) => `値が有限でないため Δ なし（${seedList(seeds)}）`,
  higher: "大きいほど良い",
  lower: "小さいほど良い",

  costTitle: "2. 通信量と費用",
  costCaption:
    "拠点ごと、参加した1ラウンドあたりの平均（ラウンド・シード平均）。モデル全体：全パラメータを f32 で片道送る場合。",
  costHeads: ["拠点", "送信", "受信", "モデル全体", "送受信の割合"],
  costFacts: {
    traffic: "全ラウンドの通信量",
    roundsTo95: "最終 Δ の 95 % に達したラウンド",
    compute: "全拠点の計算時間",
    elapsed: "所要時間（拠点は並行）",
    money: "全ラウンドの費用",
    moneyParts: "内訳",
  },
  ofFull: (percent) => `モデル全体を f32 で交換する場合の ${percent}`,
  broadcast: (once) => `共通の内容を一度だけ送る場合は ${once}`,
  roundsTo95({ roundsTo95, rounds, evaluatedRounds, gain }) {
    if (gain === null) return "Δ なし";
    return roundsTo95 === null
      ? "なし（最終 Δ が 0 以下）"
      : `${rounds} ラウンド中 ${roundsTo95}（評価したラウンド：${evaluatedRounds.join("、")}）`;
  },
  computeAlone: (seconds) => `単独学習：${seconds}`,
  moneyParts: ({ traffic, compute, labels }) =>
    `通信 ${traffic}、計算 ${compute}${labels === null ? "" : `、ラベル付け ${labels}`}`,
  labelBasis: ({ labelCount, areLabelsCounted }) =>
    areLabelsCounted
      ? `（学習用ラベル ${formatCount(labelCount)} 件、シード平均）`
      : `（学習用ラベル最大 ${formatCount(labelCount)} 件。旧形式の結果のため、ラベルの有無を区別できません）`,
  moneyAlone: (amount) => `単独学習：${amount}`,
  noPrices: "単価が未設定です。シナリオに prices: { currency, perGigabyte, perCoreHour } を加えてください",
  computeNote: "秒数はシミュレーションを行った計算機のスレッドによる実測です。拠点の計算機では異なります。",

  privacyTitle: "3. プライバシーリスク",
  privacyCaption:
    "メンバーシップ推論攻撃の優位性（真陽性率 − 偽陽性率、ポイント、シード平均）。0 は当て推量、100 は確実な判別。参加前後：最初の更新（他拠点の情報を含まない）、最後の更新、最終モデル。",
  privacyHeads: ["拠点", "偶然の水準", "単独：自拠点モデル", "最初の更新", "最後の更新", "連合：自拠点モデル"],
  attacks: {
    "loss-drop": "損失低下",
    "update-alignment": "更新との一致",
    "loss-threshold": "損失しきい値",
  },
  nothingSent: "送信なし",
  tooFew: "例が不足",
  tooFewToAttack: (sites) =>
    `${sites.join("、")} は、測定に必要な例が足りません。拠点ごとに、すべてのタスクのラベルを持つ例が学習用・テスト用とも ${LEAST_CANDIDATES} 件以上必要です。`,
  mostExposed: (site, { advantagePercent, attack, seedCount }, { untrained }) =>
    `送信内容から最も見分けられる拠点は ${site}、${formatNumber(advantagePercent, 1)} ポイント（${JAPANESE.attacks[attack]}${
      untrained === null ? "" : `、偶然の水準 ${formatNumber(untrained.advantagePercent, 1)}`
    }、シード ${seedCount} 個）`,
  notMeasured:
    "未測定です。シナリオに privacy: { membership: true } を加えるか、コマンドに --privacy を付けて再実行してください。拠点が送る情報から、学習に使った例と使っていない例をどれだけ見分けられるかを測ります。",
  attackNotes: [
    "損失しきい値（Yeom ら 2018）：損失の小さい例を学習済みとみなす。損失低下（Watson ら 2022）：更新によって損失が下がる例を学習済みとみなす。更新との一致（Nasr ら 2019）：その例の勾配が更新と同じ向きの例を学習済みとみなす。複数の攻撃のうち最も強いものを示します。",
    "偶然の水準：データを知り得ない学習前のパラメータに対する同じ攻撃の結果。学習用とテスト用の例がもともと異なる場合、0 にはなりません。",
    "限界：シャドーモデルを使わない、1ラウンドごとの単純な攻撃です。優位性が小さいことは、これらの攻撃が失敗したことを示すだけで、安全の保証ではありません。平均値は、一部の例だけが露出していることを隠す場合があります。保証には勾配クリッピングとノイズ付加（差分プライバシー）が必要です。",
  ],
  comma: "、",
};

function everyTask({ sites }: DecisionFacts): string {
  const isScored = sites.every(({ tasks }) => tasks.every(({ together }) => together !== null));
  return isScored
    ? "すべてのタスクが定数予測を上回っています。"
    : "評価できるタスクはすべて定数予測を上回っています。評価できないタスクは表のとおりです。";
}

function noGain({ noGain: why, strategy }: DecisionFacts): string | null {
  switch (why?.kind) {
    case undefined:
      return null;
    case "notRun":
      return `Δ の算出には単独学習（local）が必要ですが、この比較には含まれていません。--strategies ${why.strategies.join(",")} を指定して再実行してください（完了済みの結果は再利用されます）。`;
    case "notFinished":
      return `local と ${strategy.name} の両方が完了したシードがないため、Δ を算出できません。同じコマンドを再実行してください（完了済みの結果は再利用されます）。`;
    case "failed":
      return `${why.tasks.map(({ client, task, seeds }) => `${client}/${task}（${seedList(seeds)}）`).join("、")}の値が有限でないため、Δ を算出できません。残りのシードだけでは ${strategy.name} が実際より良く見えます。`;
    case "leftOut":
      return "すべてのタスクが計算から除外されているため、Δ を算出できません（理由は各タスクに示します）。";
  }
}

function seedList(seeds: readonly number[]): string {
  return `シード ${seeds.join("、")}`;
}

function lacking(lack: Lack = { kind: "clarity" }): string {
  switch (lack.kind) {
    case "gain":
      return "Δ を算出できません。";
    case "seeds":
      return `シードが ${lack.count} 個しかありません（${lack.least} 個以上必要）。`;
    case "spread":
      return `${lack.count} 個のシードの値がすべて同じで、偶然によるばらつきを見積もれません。別のシードで実行してください。`;
    case "clarity":
      return "シード、ラウンドまたは拠点を増やしてください。";
  }
}

function check({ id, state, value, limit, site, lack }: Check, facts: DecisionFacts): string {
  const one = (number: number | null): string => (number === null ? "未測定" : formatNumber(number, 1));
  const amount = (number: number | null): string => (number === null ? "未測定" : formatAmount(number));
  switch (id) {
    case "gain": {
      if (value === null) return `${noGain(facts) ?? ""}基準：${formatGain(limit)} 以上。`;
      const interval = facts.gain?.interval95 ?? null;
      const range =
        interval === null
          ? "区間は算出できません"
          : `95 % 信頼区間 ${formatGain(interval[0])} ～ ${formatGain(interval[1])}`;
      const measured = `平均改善 ${formatGain(value)}（${range}）。基準：${formatGain(limit)} 以上で、区間が 0 を上回ること。`;
      if (state === "met") return measured;
      if (state === "missed") return `${measured}基準に届かないことが確定しています。`;
      return `${measured}まだ確定していません。${lacking(lack)}`;
    }
    case "seeds": {
      const isEnough = (value ?? facts.seeds.length) >= limit;
      return `${value === null ? "Δ がないため、対応のあるシードはありません" : `対応のあるシード ${value} 個`}。基準：${limit} 個以上。${isEnough ? "" : `--seeds 1-${limit} で再実行してください。`}`;
    }
    case "runs":
      return `予定した ${limit} 件の実行のうち ${value ?? 0} 件が完了。${state === "met" ? "" : "同じコマンドを再実行すると、残りだけを学習します。"}`;
    case "worstSite":
      if (value === null)
        return `Δ がないため、最も悪い拠点を挙げられません。基準：どの拠点も ${formatGain(limit)} を下回らないこと。`;
      return `最も悪い拠点 ${site ?? "なし"} は ${formatGain(value)}。基準：${formatGain(limit)} を下回らないこと。${
        state === "met" ? "" : "この拠点を外すか、個別モデルを持つ手法に替えるか、自拠点のモデルを使い続けてください。"
      }`;
    case "learned":
      if (value === null) return "評価できるタスクがないため、定数予測と比較できません。";
      return state === "met"
        ? everyTask(facts)
        : `${value ?? 0} 件のタスクが定数予測を上回っていません（${facts.notLearned.join("、")}）。ラベルを増やすか、対象から外してください。`;
    case "traffic":
      return `通信量 ${amount(value)} GB。基準：${amount(limit)} GB 以下。${
        state === "met"
          ? ""
          : "フレームを小さくする（traffic の codec を int8 にすると約4分の1、topk ならさらに少ない）か、数ラウンドごとの交換にしてください。"
      }`;
    case "cost":
      return `費用 ${amount(value)} ${facts.cost?.currency ?? ""}。基準：${amount(limit)} 以下。${
        state === "met"
          ? ""
          : value === null
            ? "シナリオに prices を設定してください。"
            : "ラウンド数または通信量を減らしてください。"
      }`;
    case "hours":
      return `所要 ${amount(value)} 時間。基準：${amount(limit)} 時間以下。${state === "met" ? "" : "ラウンド数または通信量を減らしてください。"}`;
    case "privacy":
      if (value === null) {
        const few = sitesWithTooFew(facts.sites);
        return few.includes(site ?? "")
          ? `プライバシーリスクを判断できない拠点があります。基準：${one(limit)} ポイント以下。${JAPANESE.tooFewToAttack(few)}`
          : `プライバシーリスクは未測定です。基準：${one(limit)} ポイント以下。--privacy を付けて再実行してください。`;
      }
      return `${site === null ? "拠点" : `${site} `}が送る情報の優位性は ${one(value)} ポイント。基準：${one(limit)} ポイント以下。${
        state === "met"
          ? ""
          : "共有する範囲を減らす（エンコーダーのみ）、局所エポックを減らす、または更新のクリッピングとノイズ付加を検討してください。"
      }`;
  }
}
