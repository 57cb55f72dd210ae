/** The decision and its key numbers as lines for a terminal. */
import { formatAmount, formatBytes, formatGain, formatNumber, formatSeconds } from "../format.js";
import type { DecisionFacts } from "./facts.js";
import type { Judgement } from "./judge.js";
import { senders, sentLeak, sitesWithTooFew } from "./privacy.js";
import type { Words } from "./words.js";

export function decisionText(facts: DecisionFacts, { decision, checks, firstSites }: Judgement, words: Words): string {
  const share = facts.fullModelBytes === 0 ? 0 : (100 * (facts.upBytes + facts.downBytes)) / facts.fullModelBytes;
  const { costFacts: names } = words;
  const money = facts.cost === null ? words.noPrices : `${formatAmount(facts.cost.total)} ${facts.cost.currency}`;
  const unfinished = words.unfinished(facts);
  const selection = words.selection(facts);
  const lines = [
    words.title,
    words.basis(facts),
    ...(unfinished === null ? [] : [`!! ${unfinished}`]),
    "",
    `=> ${words.decisions[decision]}`,
    ...checks.map((check) => `   [${words.checkStates[check.state]}] ${words.check(check, facts)}`),
    ...(decision === "stop" ? [] : [`   ${words.firstSites(firstSites, facts)}`]),
    ...(selection === null ? [] : [`   ${selection}`]),
    "",
    `${words.accuracyTitle}: ${words.noGain(facts) ?? formatGain(facts.gain?.mean)}${
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
    `${words.privacyTitle}: ${privacyLine(facts, words)}`,
  ];
  return `${lines.join("\n")}\n`.replaceAll("\u00a0", " ");
}

function privacyLine({ sites }: DecisionFacts, words: Words): string {
  if (sites.every(({ privacy }) => privacy === null)) return words.notMeasured;
  const sending = senders(sites);
  if (sending.length === 0) return words.nothingSent;
  const [most] = sending
    .flatMap(({ id, privacy }) => {
      const leak = privacy === null ? null : sentLeak(privacy);
      return privacy === null || leak === null ? [] : [{ id, privacy, leak }];
    })
    .sort((a, b) => b.leak.advantagePercent - a.leak.advantagePercent);
  const few = sitesWithTooFew(sites);
  return [
    ...(most === undefined ? [] : [words.mostExposed(most.id, most.leak, most.privacy)]),
    ...(few.length === 0 ? [] : [words.tooFewToAttack(few)]),
  ].join("\n   ");
}
