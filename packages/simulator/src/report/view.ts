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
  readonly tasks: readonly ReportTask[];
  /** Tasks that have no part in Δ, with the reasons. */
  readonly leftOut: readonly LeftOutTask[];
  readonly pictures: readonly PictureSet[];
  /** The command that makes this result again. */
  readonly command: string;
  /** Names and versions of what the result was computed with, in the order to show them. */
  readonly environment: readonly (readonly [string, string])[];
}

const LABELS: ReadonlyMap<string, string> = new Map([
  ["local", "Training alone"],
  ["fedavg", "FedAvg"],
  ["fedprox", "FedProx"],
  ["fedhca2", "FedHCA²"],
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
  const [, base, variant] = /^([a-z0-9]+)[-:_/ (]+(.+?)\)?$/.exec(name) ?? [];
  const baseLabel = base === undefined ? undefined : LABELS.get(base);
  return baseLabel === undefined ? name : `${baseLabel} (${(variant ?? "").replaceAll(/[-_:]/g, " ")})`;
}

/** `registryKind`: what the strategy is, or its name where the result does not tell. */
export function strategyKind(registryKind: string, isBaseline: boolean): StrategyKind {
  if (isBaseline || registryKind === "local") return "baseline";
  if (registryKind.startsWith("pooled")) return "reference";
  if (registryKind.startsWith("self-extrapolation")) return "control";
  return "federated";
}

/**
 * `fedhca2` if it was run, whatever it scored: a method chosen because it came out best looks better than it is. Without
 * it, a variant of it; without any, the federated method with the best Δ%.
 */
export function chooseFocus<S extends Pick<ReportStrategy, "name" | "kind">>(strategies: readonly S[]): S | null {
  const federated = strategies.filter(({ kind }) => kind === "federated");
  const own =
    federated.find(({ name }) => name === "fedhca2") ?? federated.find(({ name }) => name.startsWith("fedhca2"));
  return own ?? federated[0] ?? null;
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
      kind: strategyKind(strategy.kind ?? name, name === result.baseline),
      result: strategy,
      index,
    }))
    .sort((a, b) => rank(b) - rank(a) || a.index - b.index);
  const strategies = withLines(plain);
  return {
    result,
    strategies,
    baseline: strategies.find(({ name }) => name === result.baseline) ?? null,
    focus: chooseFocus(strategies),
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
function withLines(plain: readonly PlainStrategy[]): readonly ReportStrategy[] {
  const focus = chooseFocus(plain);
  const others = plain.filter((each) => each !== focus && each.kind !== "baseline").sort((a, b) => a.index - b.index);
  return plain.map((each): ReportStrategy => {
    if (each.kind === "baseline") return { ...each, color: seriesColor(0), dash: [] };
    if (each === focus) return { ...each, color: seriesColor(1), dash: [] };
    const place = others.indexOf(each);
    return { ...each, color: seriesColor(2 + place), dash: seriesDash(1 + place) };
  });
}

function rank({ result }: PlainStrategy): number {
  return isNumber(result.relativeGainPercent) ? result.relativeGainPercent : -Number.MAX_VALUE;
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
