/** The decision page in English. */
import { LEAST_CANDIDATES } from "@kumiai/algorithms";
import { LEFT_OUT_WORDS } from "../../left-out.js";
import { formatAmount, formatCount, formatGain, formatNumber, listInWords, plural } from "../format.js";
import { selectionRemark } from "../verdict.js";
import type { DecisionFacts } from "./facts.js";
import type { Check, Lack } from "./judge.js";
import { sitesWithTooFew } from "./privacy.js";
import type { Words } from "./words.js";

export const ENGLISH: Words = {
  lang: "en",
  title: "Three figures for a decision",
  basis: ({ strategy, seedCount, rounds, noGain, limits: { file, hasThresholds, hasPrices } }) => {
    const about = noGain === null ? `, against training alone, ${plural(seedCount, "paired seed")}` : "";
    const scenario = file ?? "the scenario that was run";
    const limits = hasThresholds
      ? `those of ${scenario}`
      : `Kumiai's own (a gain above 0 over five seeds), as ${scenario} has no thresholds`;
    const prices = hasPrices ? `those of ${scenario}` : `none, as ${scenario} has no prices`;
    return `Decided on: ${nameOf(strategy)}${about}, ${plural(rounds, "round")}. The rules are fixed: the same numbers give the same answer. Limits: ${limits}. Prices: ${prices}.`;
  },
  unfinished({ runs: { areComplete, finishedCount, plannedCount, missing }, noGain, seedCount, seeds }) {
    if (areComplete) return null;
    const which = missing.map((one) => `${one.strategy} with ${seedList(one.seeds)}`);
    const list = which.length === 0 ? "" : ` Missing: ${which.join("; ")}.`;
    return `Not finished: the comparison has ${finishedCount} of ${plural(plannedCount, "planned run")}; it was interrupted, failed or still goes on.${list}${noGain === null ? ` Δ rests on ${seedCount} of ${plural(seeds.length, "seed")}.` : ""} The same command again trains what is missing.`;
  },
  selection: ({ choice, strategy }) => (choice === null ? null : selectionRemark(choice, strategy)),
  unmeasured: "not measured",
  undefined: "n/a",
  decisions: { go: "Go on", change: "Change, then try again", stop: "Stop" },
  checksTitle: "Why",
  checkStates: { met: "met", missed: "missed", unknown: "open" },
  check,
  firstSites(sites, { gain }) {
    if (gain === null) return "Without a Δ, no site can be named to begin a pilot with.";
    return sites.length === 0
      ? "No site gained on average, so there is none to begin a pilot with."
      : `A pilot would begin with ${listInWords(sites)}, which gained most.`;
  },

  accuracyTitle: "1. Accuracy",
  accuracyCaption:
    "Test metrics after the last round, mean over seeds. Δ: relative change against training alone, + is better; beside it its 95 % interval over paired seeds (Student t). A filled dot: the interval does not hold 0.",
  accuracyHeads: ["Site, task, metric", "Alone", "Together", "Δ", "95 % interval"],
  siteMean: "all its tasks",
  worst: (site, gain) => `Worst site: ${site}, ${gain} on average over its tasks.`,
  noGain,
  needsAlone: "needs local",
  notLearnedAlone: "alone no better than a constant: a change says nothing",
  leftOut: ({ reason, seeds }, facts) =>
    `not in Δ${seeds.length === facts.seeds.length ? "" : ` of seed ${seeds.join(", ")}`}: ${LEFT_OUT_WORDS[reason]}`,
  failed: (seeds) => `no Δ: no finite score with ${seedList(seeds)}`,
  higher: "higher is better",
  lower: "lower is better",

  costTitle: "2. Communication and cost",
  costCaption:
    "Per site and round in which it took part, mean over rounds and seeds. Whole model: all its params as f32, one way.",
  costHeads: ["Site", "Up", "Down", "Whole model", "Up + down, of whole models"],
  costFacts: {
    traffic: "Traffic of the run",
    roundsTo95: "Rounds to 95 % of the final Δ",
    compute: "Compute of all sites",
    elapsed: "Elapsed, sites side by side",
    money: "Money for the run",
    moneyParts: "of which",
  },
  ofFull: (percent) => `${percent} of exchanging whole models as f32`,
  broadcast: (once) => `${once} if what several sites get alike went out once`,
  roundsTo95({ roundsTo95, rounds, evaluatedRounds, gain }) {
    if (gain === null) return "there is no Δ";
    return roundsTo95 === null
      ? "none: the final Δ is not above 0"
      : `${roundsTo95} of ${rounds} (tested after rounds ${evaluatedRounds.join(", ")})`;
  },
  computeAlone: (seconds) => `alone: ${seconds}`,
  moneyParts: ({ traffic, compute, labels }) =>
    `traffic ${traffic}, compute ${compute}${labels === null ? "" : `, labels ${labels}`}`,
  labelBasis: ({ labelCount, areLabelsCounted }) =>
    areLabelsCounted
      ? ` (${formatCount(labelCount)} training labels, mean over seeds)`
      : ` (${formatCount(labelCount)} training labels at most: this older result does not say which examples have one)`,
  moneyAlone: (amount) => `training alone: ${amount}`,
  noPrices: "no prices: give prices: { currency, perGigabyte, perCoreHour } in the scenario",
  computeNote:
    "Seconds are those of worker threads on the machine that simulated; a site's own machine may be faster or slower.",

  privacyTitle: "3. Privacy risk",
  privacyCaption:
    "Advantage of a membership-inference attack (true minus false positive rate, in percent points, mean over seeds): 0 is guessing, 100 certainty. Before: the first update, in which is nothing of others; after: the last update and the model at the end.",
  privacyHeads: ["Site", "Chance level", "Alone: own model", "First update", "Last update", "Together: own model"],
  attacks: {
    "loss-drop": "loss drop",
    "update-alignment": "update alignment",
    "loss-threshold": "loss threshold",
  },
  nothingSent: "nothing sent",
  tooFew: "too few examples",
  tooFewToAttack: (sites) =>
    `Too few examples to tell of ${listInWords(sites)}: a site needs ${LEAST_CANDIDATES} training and ${LEAST_CANDIDATES} test examples with a label for each of its tasks.`,
  mostExposed: (site, { advantagePercent, attack, seedCount }, { untrained }) =>
    `${site} gives most away by what it sends, ${formatNumber(advantagePercent, 1)} points (${ENGLISH.attacks[attack]}${
      untrained === null ? "" : `; chance level ${formatNumber(untrained.advantagePercent, 1)}`
    }; ${plural(seedCount, "seed")})`,
  notMeasured:
    "Not measured. Add privacy: { membership: true } to the scenario, or --privacy to the command, and run again: each site's training examples are then told from its test examples by what it sends.",
  attackNotes: [
    "Loss threshold (Yeom et al. 2018): examples with a low loss are taken for members. Loss drop (Watson et al. 2022): those whose loss the update lowers. Update alignment (Nasr et al. 2019): those whose own gradient step points along the update. Of several, the strongest is shown.",
    "Chance level: the same attack on params from before training, which cannot know the data. It is not 0 where training and test examples differ by themselves.",
    "Limits: simple attacks, without shadow models and one round at a time. A small advantage says that these attacks fail, not that none can succeed; a mean may hide a few exposed examples. It is no guarantee: that takes clipping and noise (differential privacy).",
  ],
  comma: ", ",
};

/** A label that only spells the name differently says it once. */
function nameOf({ label, name }: DecisionFacts["strategy"]): string {
  return label.toLowerCase() === name ? label : `${label} (${name})`;
}

function everyTask({ sites }: DecisionFacts): string {
  const isScored = sites.every(({ tasks }) => tasks.every(({ together }) => together !== null));
  return isScored
    ? "Every task is above a constant prediction."
    : "Every task that has a score is above a constant prediction; for the others see the table.";
}

function noGain({ noGain: why, strategy }: DecisionFacts): string | null {
  switch (why?.kind) {
    case undefined:
      return null;
    case "notRun":
      return `Δ needs training alone, and local is not in this comparison. Run it again with --strategies ${why.strategies.join(",")}: what has finished is kept.`;
    case "notFinished":
      return `There is no Δ: no seed has been finished by both local and ${strategy.name}. Run the same command again: what has finished is kept.`;
    case "failed":
      return `There is no Δ: ${why.tasks.map(({ client, task, seeds }) => `${client}/${task} has no finite score with ${seedList(seeds)}`).join("; ")}, and the other seeds alone would flatter ${strategy.name}.`;
    case "leftOut":
      return "There is no Δ: every task is left out, for the reason named with it.";
  }
}

function seedList(seeds: readonly number[]): string {
  return `${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}`;
}

function lacking(lack: Lack = { kind: "clarity" }): string {
  switch (lack.kind) {
    case "gain":
      return "there is no Δ";
    case "seeds":
      return `${plural(lack.count, "seed")}, at least ${lack.least} needed`;
    case "spread":
      return `all ${plural(lack.count, "seed")} gave the same number, so chance cannot be told from the method; run other seeds`;
    case "clarity":
      return "run more seeds, more rounds or more sites";
  }
}

function check({ id, state, value, limit, site, lack }: Check, facts: DecisionFacts): string {
  const one = (number: number | null): string => formatNumber(number, 1);
  switch (id) {
    case "gain": {
      if (value === null) return `${noGain(facts) ?? ""} Asked for: at least ${formatGain(limit)}.`;
      const interval = facts.gain?.interval95 ?? null;
      const range =
        interval === null ? "no interval" : `95 % interval ${formatGain(interval[0])} to ${formatGain(interval[1])}`;
      const measured = `Mean gain ${formatGain(value)} (${range}); asked for: at least ${formatGain(limit)}, with the interval above 0.`;
      if (state === "met") return measured;
      if (state === "missed") return `${measured} It is settled that this is not reached.`;
      return `${measured} Not settled: ${lacking(lack)}.`;
    }
    case "seeds": {
      const isEnough = (value ?? facts.seeds.length) >= limit;
      return `${value === null ? "Without a Δ no seeds are paired" : plural(value, "paired seed")}; asked for: ${limit}.${isEnough ? "" : ` Run at least ${limit}: --seeds 1-${limit}.`}`;
    }
    case "runs":
      return `Finished runs: ${value ?? 0} of ${limit} planned.${state === "met" ? "" : " Run the same command again: it trains what is missing."}`;
    case "worstSite":
      if (value === null)
        return `Without a Δ there is no worst site; asked for: no site worse than ${formatGain(limit)}.`;
      return `The worst site, ${site ?? "none"}, has ${formatGain(value)}; asked for: no worse than ${formatGain(limit)}.${
        state === "met" ? "" : " Leave it out, give it a strategy with personal params, or let it keep its own model."
      }`;
    case "learned":
      if (value === null) return "No task has a score to compare with a constant prediction.";
      return state === "met"
        ? everyTask(facts)
        : `${plural(value ?? 0, "task")} no better than a constant prediction (${listInWords(facts.notLearned)}). Label more examples or leave these tasks out.`;
    case "traffic":
      return `Traffic of ${formatAmount(value)} GB; asked for: at most ${formatAmount(limit)} GB.${
        state === "met"
          ? ""
          : " Send smaller frames (traffic: codec int8 is a quarter, topk less) or exchange every n rounds."
      }`;
    case "cost":
      return `Cost of ${formatAmount(value)} ${facts.cost?.currency ?? ""}; asked for: at most ${formatAmount(limit)}.${
        state === "met"
          ? ""
          : value === null
            ? " Give prices in the scenario."
            : " Train fewer rounds or exchange less."
      }`;
    case "hours":
      return `${formatAmount(value)} hours; asked for: at most ${formatAmount(limit)}.${state === "met" ? "" : " Train fewer rounds, or exchange less."}`;
    case "privacy":
      if (value === null) {
        const few = sitesWithTooFew(facts.sites);
        const asked = `asked for: at most ${one(limit)} points.`;
        return few.includes(site ?? "")
          ? `Privacy risk of ${listInWords(few)} not known; ${asked} ${ENGLISH.tooFewToAttack(few)}`
          : `Privacy risk not measured; ${asked} Run again with --privacy.`;
      }
      return `What ${site ?? "sites"} send${site === null ? "" : "s"} gives membership away by ${one(value)} points; asked for: at most ${one(limit)}.${
        state === "met" ? "" : " Share less (encoder only), train fewer local epochs, or clip updates and add noise."
      }`;
  }
}
