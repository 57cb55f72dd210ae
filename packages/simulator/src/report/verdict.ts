/**
 * The result in plain words, computed from the numbers. It claims a gain only where the 95 % interval lies wholly above
 * zero over at least two paired seeds, and it always says what speaks against the claim: few seeds, a task that is no
 * better than a constant prediction, a control that gains as much.
 */
import { describeFailed, describeLeftOut, failedTasks } from "../left-out.js";
import { formatGain, formatInterval, formatNumber, isNumber, listInWords, plural } from "./format.js";
import { hasNoWidth, type Spread, spreadOf } from "./statistics.js";
import { type FocusChoice, gainBySeed, overSeeds, type ReportStrategy, type ReportView } from "./view.js";

/** `tainted`: the interval lies above zero, but training alone did not learn every task. */
export type VerdictTone = "gain" | "loss" | "unclear" | "tainted";

export interface Verdict {
  readonly tone: VerdictTone;
  readonly headline: string;
  /** What qualifies or explains the headline, most important first. */
  readonly remarks: readonly string[];
}

/** Fewer paired seeds than this get a word of caution even when the interval is clear. */
const ENOUGH_SEEDS = 5;

export function makeVerdict(view: ReportView): Verdict {
  const { focus } = view;
  const headline = focus === null ? noFocus(view) : headlineOf(view, focus);
  const remarks = [
    ...(focus === null
      ? []
      : [...[selectionRemark(view.choice, focus)].flatMap((remark) => remark ?? []), ...seedRemarks(view, focus)]),
    ...constantRemarks(view),
    ...leftOutRemarks(view),
    ...(focus === null ? [] : taskRemarks(view, focus)),
    ...(focus === null
      ? []
      : [...controlRemarks(view, focus), ...pooledRemarks(view, focus), ...otherRemarks(view, focus)]),
  ];
  return { ...headline, remarks };
}

type Headline = Pick<Verdict, "tone" | "headline">;

function noFocus(view: ReportView): Headline {
  const names = listInWords(view.strategies.map(({ label }) => label));
  return {
    tone: "unclear",
    headline: `No federated method was run (only ${names}): nothing to compare with training alone.`,
  };
}

function headlineOf(view: ReportView, focus: ReportStrategy): Headline {
  const { relativeGainPercent: gain, relativeGainInterval95: interval } = focus.result;
  if (view.baseline === null) {
    const missing = Object.hasOwn(view.result.strategies, "local") ? "has no finished run" : "was not run";
    const headline = `Training alone ${missing}, so it cannot be said whether ${focus.label} is better than that.`;
    return { tone: "unclear", headline };
  }
  if (!isNumber(gain)) {
    return { tone: "unclear", headline: `${focus.label} has no gain to report: its runs did not finish with numbers.` };
  }
  const seedCount = gainBySeed(view, focus).size;
  const moved = movementOf(gain);
  if (seedCount < 2 || interval === null) {
    const headline = `With one seed ${focus.label} ${moved}: one seed proves little.`;
    return { tone: "unclear", headline };
  }
  if (hasNoWidth(interval)) {
    const headline = `Over ${plural(seedCount, "seed")} ${focus.label} ${moved}, the same with every seed: chance cannot be told from that.`;
    return { tone: "unclear", headline };
  }
  const weak = view.baseline.result.notAboveConstant.length;
  const settled = toneOf(interval);
  const conclusion =
    settled === "gain" && weak > 0
      ? `higher, but no clean win, because training alone did not learn ${plural(weak, "task")}`
      : conclude(settled, gain);
  const tone = settled === "gain" && weak > 0 ? "tainted" : settled;
  const headline = `Over ${plural(seedCount, "seed")} ${focus.label} ${moved} (95\u00a0% interval ${formatInterval(interval)}): ${conclusion}.`;
  return { tone, headline };
}

/** Nothing is said to be lost or gained that the shown digits do not show. */
function movementOf(gain: number): string {
  const size = formatNumber(Math.abs(gain), 1);
  if (Number(size) === 0) return "was level with training alone";
  return gain < 0 ? `lost ${size}\u00a0% against training alone` : `gained ${size}\u00a0% over training alone`;
}

function toneOf(interval: readonly [number, number]): Exclude<VerdictTone, "tainted"> {
  if (interval[0] > 0) return "gain";
  return interval[1] < 0 ? "loss" : "unclear";
}

function conclude(tone: VerdictTone, gain: number): string {
  if (tone === "gain") return "better than alone in this scenario";
  if (tone === "loss") return "worse than alone in this scenario";
  return gain < 0 ? "not clearly worse" : "not clearly better";
}

/** A method that is picked because it came out best looks better than it is. Null where there was nothing to pick from. */
export function selectionRemark(
  { how, candidateCount, passedOver }: FocusChoice,
  focus: ReportStrategy,
): string | null {
  const missing =
    passedOver === null
      ? ""
      : `The scenario names ${passedOver}, which is not among the federated methods that were run. `;
  if (how !== "best") return missing === "" ? null : missing.trimEnd();
  if (!isNumber(focus.result.relativeGainPercent)) {
    return `${missing}Of ${candidateCount} federated methods this page speaks of the first, ${focus.label}: without a Δ none is better than another. To choose another: thresholds: { strategy: NAME }.`;
  }
  const why = isNumber(focus.result.relativeGainInterval95?.[0])
    ? "the highest lower bound of the 95\u00a0% interval"
    : "the highest mean";
  return `${missing}Of ${candidateCount} federated methods this page speaks of the one with ${why}; it was picked on the very seeds that it is judged by, which flatters it: confirm it on other seeds, with thresholds: { strategy: ${focus.name} } set beforehand.`;
}

function seedRemarks(view: ReportView, focus: ReportStrategy): readonly string[] {
  const count = gainBySeed(view, focus).size;
  if (view.baseline === null || count === 0) return [];
  if (count === 1) {
    return ["Another seed can turn the sign. Run at least five seeds before you decide anything."];
  }
  if (count < ENOUGH_SEEDS) {
    return [
      `${count === 2 ? "Two" : count === 3 ? "Three" : "Four"} seeds are few: the interval is wide and may mislead. Five or more are better.`,
    ];
  }
  return [];
}

/** A gain over a baseline that has not learned a task is no win. */
function constantRemarks(view: ReportView): readonly string[] {
  const remarks: string[] = [];
  const flagged = (strategy: ReportStrategy | null) => strategy?.result.notAboveConstant ?? [];
  const alone = flagged(view.baseline);
  if (view.baseline !== null && alone.length > 0) {
    remarks.push(
      `Trained alone, ${countTasks(alone, view)} did no better than always predicting the same thing (${listInWords(alone)}). Gains there say nothing, and they count in the mean.`,
    );
  }
  const together = flagged(view.focus).filter((key) => !alone.includes(key));
  if (view.focus !== null && together.length > 0) {
    remarks.push(
      `With ${view.focus.label}, ${countTasks(together, view)} fell to the level of a constant prediction (${listInWords(together)}).`,
    );
  }
  return remarks;
}

function leftOutRemarks({ leftOut, result }: ReportView): readonly string[] {
  const clauses = leftOut.map((task) => describeLeftOut(task, result.seeds.length));
  return [
    ...(clauses.length === 0 ? [] : [`Left out of every gain, for all strategies alike: ${clauses.join("; ")}.`]),
    ...failedTasks(result).map((task) => `${describeFailed(task)}.`),
  ];
}

function countTasks(keys: readonly string[], view: ReportView): string {
  return `${keys.length} of ${plural(view.tasks.length, "task")}`;
}

function taskRemarks(view: ReportView, focus: ReportStrategy): readonly string[] {
  if (view.baseline === null) return [];
  const gains = view.tasks.flatMap((task) => {
    const values = view.result.seeds.map(
      (seed) => focus.result.perSeed[String(seed)]?.clients[task.client]?.tasks[task.task.id]?.relativeGainPercent,
    );
    return spreadOf(values) ?? [];
  });
  if (gains.length === 0) return [];
  const better = gains.filter(({ mean }) => mean > 0).length;
  const worse = gains.filter(({ mean }) => mean < 0).length;
  return [
    `Task by task${overSeeds(view, " (mean over seeds)")}: better than alone in ${better} of ${gains.length}, worse in ${worse}. The mean hides which site gains: see the table of sites and tasks.`,
  ];
}

/** Under a control no site learns from another: what it gains needs no federation. */
function controlRemarks(view: ReportView, focus: ReportStrategy): readonly string[] {
  return view.strategies
    .filter(({ kind }) => kind === "control")
    .flatMap((control) => controlRemark(view, focus, control));
}

function controlRemark(view: ReportView, focus: ReportStrategy, control: ReportStrategy): readonly string[] {
  if (!isNumber(control.result.relativeGainPercent)) return [];
  const difference = pairedDifference(view, focus, control);
  const [what, alone] = isExtrapolation(control)
    ? ["The control, which only lengthens each site's own steps,", "longer steps alone"]
    : [`The control ${control.label}, under which no site sends anything,`, "this way of training alone"];
  const opening = `${what} scored ${formatGain(control.result.relativeGainPercent)}`;
  if (difference?.interval95 === null || difference === null) return [`${opening}.`];
  const clear = difference.interval95[0] > 0;
  const gap = `${focus.label} minus control: ${formatDifference(difference)}`;
  return [
    clear
      ? `${opening}. ${gap}: the gain is not explained by ${alone}.`
      : `${opening}. ${gap}: these numbers do not show that sites learned from each other.`,
  ];
}

function isExtrapolation({ name, result }: ReportStrategy): boolean {
  return (result.kind ?? name).startsWith("self-extrapolation");
}

function pooledRemarks(view: ReportView, focus: ReportStrategy): readonly string[] {
  const pooled = view.strategies.find(({ kind }) => kind === "reference");
  const gain = pooled?.result.relativeGainPercent;
  if (pooled === undefined || !isNumber(gain)) return [];
  if (gain <= 0) {
    return [
      `One model trained on everybody's data scored ${formatGain(gain)}, no better than training alone: this scenario leaves little to win by learning together.`,
    ];
  }
  const share = focus.result.pooledGainShare;
  const part = isNumber(share) && share > 0 ? `${formatNumber(100 * share, 0)}\u00a0%` : "none";
  const interval = focus.result.relativeGainInterval95;
  const doubt =
    part !== "none" && (interval === null || interval[0] <= 0) ? ", a share as uncertain as its own gain" : "";
  const captured = `${focus.label} captured ${part} of that${doubt}`;
  return [
    `One model trained on everybody's data, which no federation could do, gained ${formatNumber(gain, 1)}\u00a0%: ${captured}.`,
  ];
}

/** Against the best of the other federated methods. */
function otherRemarks(view: ReportView, focus: ReportStrategy): readonly string[] {
  const other = view.strategies.find(({ kind, name }) => kind === "federated" && name !== focus.name);
  if (other === undefined || !isNumber(other.result.relativeGainPercent)) return [];
  const difference = pairedDifference(view, focus, other);
  const opening = `Best other federated method: ${other.label} with ${formatGain(other.result.relativeGainPercent)}`;
  if (difference === null) return [`${opening}.`];
  const { interval95 } = difference;
  if (interval95 === null) return [`${opening}, ${focus.label} minus it: ${formatGain(difference.mean)} (one seed).`];
  const tone = toneOf(interval95);
  const conclusion = {
    gain: `${focus.label} is ahead`,
    loss: `${focus.label} is behind`,
    unclear: "no clear difference",
  }[tone];
  return [`${opening}; ${focus.label} minus it: ${formatDifference(difference)}: ${conclusion}.`];
}

function formatDifference({ mean, interval95 }: Spread): string {
  return `${formatGain(mean)} (95\u00a0% interval ${formatInterval(interval95)})`;
}

/** Difference of Δ%, first minus second, over the seeds that both have; null where they share none. */
export function pairedDifference(view: ReportView, first: ReportStrategy, second: ReportStrategy): Spread | null {
  const others = gainBySeed(view, second);
  const differences = [...gainBySeed(view, first)].flatMap(([seed, gain]) => {
    const other = others.get(seed);
    return other === undefined ? [] : [gain - other];
  });
  return spreadOf(differences);
}
