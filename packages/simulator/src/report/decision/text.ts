/** The decision and its key numbers as lines for a terminal. */
import { formatAmount, formatBytes, formatGain, formatNumber, formatSeconds } from "../format.js";
import type { DecisionFacts } from "./facts.js";
import type { Judgement } from "./judge.js";
import { sentAdvantage } from "./privacy.js";
import type { Words } from "./words.js";

export function decisionText(facts: DecisionFacts, { decision, checks, firstSites }: Judgement, words: Words): string {
  const share = facts.fullModelBytes === 0 ? 0 : (100 * (facts.upBytes + facts.downBytes)) / facts.fullModelBytes;
  const { costFacts: names, unmeasured } = words;
  const money = facts.cost === null ? words.noPrices : `${formatAmount(facts.cost.total)} ${facts.cost.currency}`;
  const sent = facts.sites.flatMap(({ privacy }) => (privacy === null ? [] : (sentAdvantage(privacy) ?? [])));
  const selection = words.selection(facts);
  const lines = [
    words.title,
    words.basis(facts),
    "",
    `=> ${words.decisions[decision]}`,
    ...checks.map((check) => `   [${words.checkStates[check.state]}] ${words.check(check, facts)}`),
    ...(decision === "stop" ? [] : [`   ${words.firstSites(firstSites)}`]),
    ...(selection === null ? [] : [`   ${selection}`]),
    "",
    `${words.accuracyTitle}: ${facts.gain === null ? unmeasured : formatGain(facts.gain.mean)}${
      facts.worst === null ? "" : ` · ${words.worst(facts.worst.id, formatGain(facts.worst.gain?.mean))}`
    }`,
    ...facts.sites.flatMap(({ id, tasks }) =>
      tasks.flatMap((task) =>
        task.leftOut.map((one) => `   ${id}/${task.id} (${task.metric}): ${words.leftOut(one, facts)}`),
      ),
    ),
    `${words.costTitle}: ${formatBytes(facts.upBytes + facts.downBytes)}${words.comma}${words.ofFull(`${formatNumber(share, 0)} %`)}`,
    `   ${names.roundsTo95}: ${words.roundsTo95(facts)}`,
    `   ${names.compute}: ${formatSeconds(facts.computeSeconds)}; ${names.elapsed}: ${formatSeconds(facts.elapsedSeconds)}`,
    `   ${names.money}: ${money}`,
    `${words.privacyTitle}: ${
      sent.length === 0 ? words.notMeasured : `${formatNumber(Math.max(...sent), 1)} ${words.percentPoints}`
    }`,
  ];
  return `${lines.join("\n")}\n`.replaceAll("\u00a0", " ");
}
