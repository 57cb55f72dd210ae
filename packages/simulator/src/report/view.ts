/**
 * What the sections of the report read: the result with its strategies sorted, named and told apart (baseline,
 * federated method, reference, control), and each strategy's color and line pattern.
 */
import { type LeftOutTask, leftOutTasks } from "../left-out.js";
import type { ComparisonResult, PictureSet, ScenarioTask, SeedResult, StrategyResult } from "../result.js";
import { isNumber } from "./format.js";
import { seriesColor, seriesDash } from "./styles.js";

/**
 * `baseline`: what gains are relative to. `reference`: shows the headroom, cannot be deployed. `control`: shows what is
 * gained without learning from others. `federated`: a method one could deploy.
 */
export type StrategyKind = "baseline" | "federated" | "reference" | "control";

export interface ReportStrategy {
  readonly name: string;
  readonly label: string;
  readonly kind: StrategyKind;
  readonly result: StrategyResult;
  /** Position in result.json. */
  readonly index: number;
  /** CSS color and dash pattern of its lines, the same in every chart. */
  readonly color: string;
  readonly dash: readonly number[];
}

export interface ReportTask {
  readonly client: string;
  readonly domain: string;
  readonly task: ScenarioTask;
}

export interface ReportView {
  readonly result: ComparisonResult;
  /** Best Δ% first; those without one last, in the order of the result. */
  readonly strategies: readonly ReportStrategy[];
  readonly baseline: ReportStrategy | null;
  /** The strategy that the report is about, see `chooseFocus`; null where no federated method was run. */
  readonly focus: ReportStrategy | null;
  readonly choice: FocusChoice;
  readonly tasks: readonly ReportTask[];
  /** Tasks that have no part in Δ, with the reasons. */
  readonly leftOut: readonly LeftOutTask[];
  readonly pictures: readonly PictureSet[];
  /** The command that makes this result again. */
  readonly command: string;
  /** Names and versions of what the result was computed with, in the order to show them. */
  readonly environment: readonly (readonly [string, string])[];
}

/** How the report came to its focus. */
export interface FocusChoice {
  /**
   * `named`: before the results were there, in the scenario's thresholds. `best`: it came out best of several, which flatters it. `only`:
   * there was no other.
   */
  readonly how: "named" | "best" | "only";
  /** Federated methods of the comparison. */
  readonly candidateCount: number;
  /** The strategy that the thresholds name, though it was not run or is no federated method; null: none such. */
  readonly passedOver: string | null;
}

const LABELS: ReadonlyMap<string, string> = new Map([
  ["local", "Training alone"],
  ["fedavg", "FedAvg"],
  ["fedprox", "FedProx"],
  ["fedper", "FedPer"],
  ["fedrep", "FedRep"],
  ["ditto", "Ditto"],
  ["fedamp", "FedAMP"],
  ["mat-fl", "MaT-FL"],
  ["fedmtl", "FedMTL"],
  ["pcgrad", "PCGrad"],
  ["cagrad", "CAGrad"],
  ["coordinate-median", "Coordinate median"],
  ["trimmed-mean", "Trimmed mean"],
  ["krum", "Krum"],
  ["fedhca2", "FedHCA²"],
  ["cooperative", "Cooperative"],
  ["pooled", "Pooled data"],
  ["self-extrapolation", "Longer own steps"],
]);

export const KIND_NOTES: Readonly<Record<StrategyKind, string>> = {
  baseline: "baseline",
  federated: "",
  reference: "reference, not federated",
  control: "control",
};

/** `fedavg-all` becomes "FedAvg (all)"; a name that is not known stays as it is. */
export function strategyLabel(name: string): string {
  const known = LABELS.get(name);
  if (known !== undefined) return known;
  for (const [base, label] of LABELS) {
    const [, variant] = name.startsWith(base) ? (/^[-:_/ (]+(.+?)\)?$/.exec(name.slice(base.length)) ?? []) : [];
    if (variant !== undefined) return `${label} (${variant.replaceAll(/[-_:]/g, " ")})`;
  }
  return name;
}

/**
 * `registryKind`: what the strategy is, or its name where the result does not tell. A method under which no site ever sends anything is a
 * control, whatever it is called: nobody can have learned from anybody.
 */
export function strategyKind(registryKind: string, isBaseline: boolean, sendsNothing: boolean): StrategyKind {
  if (isBaseline || registryKind === "local") return "baseline";
  if (registryKind.startsWith("pooled")) return "reference";
  if (registryKind.startsWith("self-extrapolation") || sendsNothing) return "control";
  return "federated";
}

function sendsNothing({ upBytes, downBytes, perSeed }: StrategyResult): boolean {
  return upBytes + downBytes === 0 && Object.keys(perSeed).length > 0;
}

/**
 * The federated method that the scenario's thresholds name; without it, the one whose 95 % interval has the highest lower bound, which is
 * asking for a gain that is both large and sure; where no method has an interval, the highest mean. References and controls never.
 */
export function chooseFocus<S extends Pick<ReportStrategy, "name" | "kind" | "result">>(
  strategies: readonly S[],
  named: string | undefined,
): { readonly focus: S | null; readonly choice: FocusChoice } {
  const candidates = strategies.filter(({ kind }) => kind === "federated");
  const candidateCount = candidates.length;
  const own = candidates.find(({ name }) => name === named);
  if (own !== undefined) return { focus: own, choice: { how: "named", candidateCount, passedOver: null } };
  const [focus = null] = candidates.toSorted((a, b) => byBound(a.result, b.result));
  const how = candidateCount > 1 ? "best" : "only";
  return { focus, choice: { how, candidateCount, passedOver: named ?? null } };
}

/** Highest lower bound first; those with an interval before those without, those without a gain last. */
function byBound(a: StrategyResult, b: StrategyResult): number {
  const [low, other] = [a.relativeGainInterval95?.[0], b.relativeGainInterval95?.[0]];
  if (isNumber(low) && isNumber(other)) return other - low;
  if (isNumber(low) !== isNumber(other)) return isNumber(low) ? -1 : 1;
  return meanGain(b) - meanGain(a);
}

function meanGain({ relativeGainPercent: gain }: StrategyResult): number {
  return isNumber(gain) ? gain : -Number.MAX_VALUE;
}

export interface ViewInput {
  readonly result: ComparisonResult;
  readonly pictures: readonly PictureSet[];
  readonly command?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export function makeView(input: ViewInput): ReportView {
  const { result } = input;
  const plain = Object.entries(result.strategies)
    .map(([name, strategy], index) => ({
      name,
      label: strategyLabel(name),
      kind: strategyKind(strategy.kind ?? name, name === result.baseline, sendsNothing(strategy)),
      result: strategy,
      index,
    }))
    .sort((a, b) => meanGain(b.result) - meanGain(a.result) || a.index - b.index);
  const { focus, choice } = chooseFocus(plain, result.scenario.thresholds?.strategy);
  const strategies = withLines(plain, focus);
  return {
    result,
    strategies,
    baseline: strategies.find(({ name }) => name === result.baseline) ?? null,
    focus: strategies.find(({ name }) => name === focus?.name) ?? null,
    choice,
    tasks: result.scenario.clients.flatMap((client) =>
      client.tasks.map((task) => ({ client: client.id, domain: client.domain, task })),
    ),
    leftOut: leftOutTasks(result),
    pictures: input.pictures,
    command: input.command ?? defaultCommand(result),
    environment: Object.entries(input.environment ?? {}),
  };
}

type PlainStrategy = Omit<ReportStrategy, "color" | "dash">;

/** The baseline is a solid gray line, the focus a solid blue one; the others share what is left, in the result's order. */
function withLines(plain: readonly PlainStrategy[], focus: PlainStrategy | null): readonly ReportStrategy[] {
  const others = plain.filter((each) => each !== focus && each.kind !== "baseline").sort((a, b) => a.index - b.index);
  return plain.map((each): ReportStrategy => {
    if (each.kind === "baseline") return { ...each, color: seriesColor(0), dash: [] };
    if (each === focus) return { ...each, color: seriesColor(1), dash: [] };
    const place = others.indexOf(each);
    return { ...each, color: seriesColor(2 + place), dash: seriesDash(1 + place) };
  });
}

function defaultCommand({ scenario, strategies, seeds }: ComparisonResult): string {
  const names = Object.keys(strategies).join(",");
  return `kumiai compare ${scenario.name}.yaml --strategies ${names} --seeds ${seeds.join(",")} --out out`;
}

/** `words` where there is something to take a mean over, nothing with a single seed. */
export function overSeeds(view: ReportView, words: string): string {
  return view.result.seeds.length > 1 ? words : "";
}

/** Strategies in the order of the result, the same in every chart. */
export function inResultOrder(view: ReportView): readonly ReportStrategy[] {
  return [...view.strategies].sort((a, b) => a.index - b.index);
}

/** Results per seed in the order of the seeds; seeds that are missing (an interrupted run) are left out. */
export function seedResults(view: ReportView, { result }: ReportStrategy): readonly SeedResult[] {
  return view.result.seeds.flatMap((seed) => result.perSeed[String(seed)] ?? []);
}

/** One seed's Δ% by seed, paired by seed. */
export function gainBySeed(view: ReportView, { result }: ReportStrategy): ReadonlyMap<number, number> {
  const gains = new Map<number, number>();
  for (const seed of view.result.seeds) {
    const gain = result.perSeed[String(seed)]?.relativeGainPercent;
    if (isNumber(gain)) gains.set(seed, gain);
  }
  return gains;
}

/** Why the task has no part in Δ in some seed; none: it always has. */
export function leftOutOf(view: ReportView, client: string, task: string): readonly LeftOutTask[] {
  return view.leftOut.filter((one) => one.client === client && one.task === task);
}

/** Tasks with a score in some seed: the others can be neither learned nor missed. */
export function scoredTasks(view: ReportView): readonly ReportTask[] {
  return view.tasks.filter(({ client, task }) =>
    view.strategies.some((strategy) =>
      seedResults(view, strategy).some((seed) => isNumber(seed.clients[client]?.tasks[task.id]?.value)),
    ),
  );
}

/** Decoder and task key of `result.json`. */
export function taskKey({ client, task }: ReportTask): string {
  return `${client}/${task.id}`;
}
