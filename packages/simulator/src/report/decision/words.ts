/** What the decision page says, apart from its numbers: one `Words` a language, so that no language can lack a sentence. */
import type { LeftOutTask } from "../../left-out.js";
import type { CostFacts, DecisionFacts } from "./facts.js";
import type { Check, Judgement } from "./judge.js";
import type { Leak, SitePrivacy } from "./privacy.js";

export type Language = "en" | "ja";

export interface Words {
  readonly lang: Language;
  readonly title: string;
  /** Says what the page rests on: strategy, seeds, rounds. */
  basis(facts: DecisionFacts): string;
  /** That the strategy was picked by its result, in one sentence; null: it was not. */
  selection(facts: DecisionFacts): string | null;
  /** That runs are missing, and what the numbers rest on; null: none is. */
  unfinished(facts: DecisionFacts): string | null;
  readonly unmeasured: string;
  /** In place of a number that cannot be said. */
  readonly undefined: string;
  readonly decisions: Readonly<Record<Judgement["decision"], string>>;
  readonly checksTitle: string;
  readonly checkStates: Readonly<Record<Check["state"], string>>;
  /** One sentence with the number and the limit; where the check is not met, also what to do. */
  check(check: Check, facts: DecisionFacts): string;
  firstSites(sites: readonly string[], facts: DecisionFacts): string;

  readonly accuracyTitle: string;
  readonly accuracyCaption: string;
  readonly accuracyHeads: readonly [string, string, string, string, string];
  readonly siteMean: string;
  worst(site: string, gain: string): string;
  /** Why there is no Δ, and what to run; null: there is. */
  noGain(facts: DecisionFacts): string | null;
  /** In place of a Δ where training alone has no value. */
  readonly needsAlone: string;
  readonly notLearnedAlone: string;
  /** Why a task has no part in the gain, and in which seeds, if not in all. */
  leftOut(task: LeftOutTask, facts: DecisionFacts): string;
  /** Seeds in which a task has no finite score although training alone has one. */
  failed(seeds: readonly number[]): string;
  readonly higher: string;
  readonly lower: string;

  readonly costTitle: string;
  readonly costCaption: string;
  readonly costHeads: readonly [string, string, string, string, string];
  readonly costFacts: Readonly<
    Record<"traffic" | "roundsTo95" | "compute" | "elapsed" | "money" | "moneyParts", string>
  >;
  ofFull(percent: string): string;
  /** Bytes of the run, if common vectors went out once. */
  broadcast(once: string): string;
  roundsTo95(facts: DecisionFacts): string;
  computeAlone(seconds: string): string;
  /** `labels`: null where they have no price. */
  moneyParts(parts: { readonly traffic: string; readonly compute: string; readonly labels: string | null }): string;
  /** How many labels are paid for and how they were counted, in parentheses behind their price. */
  labelBasis(cost: Pick<CostFacts, "labelCount" | "areLabelsCounted">): string;
  moneyAlone(amount: string): string;
  readonly noPrices: string;
  readonly computeNote: string;

  readonly privacyTitle: string;
  readonly privacyCaption: string;
  readonly privacyHeads: readonly [string, string, string, string, string, string];
  readonly attacks: Readonly<Record<Leak["attack"], string>>;
  readonly nothingSent: string;
  /** In place of a number. */
  readonly tooFew: string;
  /** Of which sites the risk cannot be told, and what it takes. */
  tooFewToAttack(sites: readonly string[]): string;
  /** The site that gives most away by what it sends, in one line. */
  mostExposed(site: string, leak: Leak, risk: SitePrivacy): string;
  readonly notMeasured: string;
  readonly attackNotes: readonly string[];
  /** Between two parts of a line. */
  readonly comma: string;
}
