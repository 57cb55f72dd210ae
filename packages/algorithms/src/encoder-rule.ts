/**
 * How several clients' encoders become one: the mean, or a rule that holds when some clients send anything at all. For every strategy that
 * averages encoders, over all clients or within groups; of strategies that combine updates Δ_i, the same of them (`chooseCenter`).
 *
 * Notation — code name, symbol, shape:
 *   encoders           θ_i   [n, P]  params after training, of the members of the group
 *   trim               k             left out on each side
 *   byzantine          f             members that may send anything
 *   squaredDistances   D_ij  [n, n]  ‖θ_i − θ_j‖²
 *
 *   mean          Σ_i p_i·θ_i, p_i by sample count or equal, as the strategy has it
 *   median        element by element, the middle of the n values, of an even number the mean of the two in the middle   (Yin et al. 2018, arXiv 1803.01498)
 *   trimmed-mean  element by element, the mean without the k lowest and the k highest                                     (the same)
 *   krum          the θ_i of the least score, the sum of its n − f − 2 smallest D_ij, j ≠ i; `krumCount` m > 1: the plain mean of the m of the least scores
 *                 (multi-Krum); equal scores: the first id                                         (Blanchard et al. 2017, arXiv 1703.02757)
 *
 * What is held: as many members out of line as `tolerated` says in the diagnostics: ⌊(n − 1)/2⌋ by the median, k by the trimmed mean, f by krum if n ≥ 2f + 3. A
 * group may be smaller than the options suppose, for members are absent or groups small. Then the trimmed mean leaves out what it can,
 * min(k, ⌊(n − 1)/2⌋), krum scores by at least one neighbor, and `tolerated` is what then holds: of two members, nothing does.
 *
 * Differs from the papers in: none but `mean` looks at sample counts, which a client could make up; it is params that are compared, not gradients: the
 * same thing as long as all start from one encoder.
 */
import type { BlockRule } from "@kumiai/kernels";
import { type ClientId, type ParamSlot, unreachable } from "@kumiai/params";
import { choiceOption, type OptionsOf, parseOptions, wholeNumberOption } from "./options.js";
import {
  type GroupMix,
  type Measurements,
  type MeasureRequest,
  NOTHING_MEASURED,
  type RoundDiagnostics,
} from "./strategy.js";

export const ENCODER_RULE_OPTIONS = {
  encoderRule: choiceOption(
    "mean",
    ["mean", "median", "trimmed-mean", "krum"],
    "how encoders become one; all but mean hold against sites that send anything",
  ),
  trim: wholeNumberOption(1, { atLeast: 0 }, "trimmed-mean: values left out on each side"),
  byzantine: wholeNumberOption(1, { atLeast: 0 }, "krum: sites that may send anything"),
  krumCount: wholeNumberOption(1, { atLeast: 1 }, "krum: how many of the least scores are averaged"),
};

export type EncoderRule = OptionsOf<typeof ENCODER_RULE_OPTIONS>;

export const MEAN_RULE: EncoderRule = parseOptions("encoderRule", {}, ENCODER_RULE_OPTIONS);

/** What a rule has to know. */
export function measureFor({ encoderRule }: EncoderRule, others: MeasureRequest = NOTHING_MEASURED): MeasureRequest {
  return encoderRule === "krum" ? { ...others, encoderDistances: "exact" } : others;
}

export interface RuleMember {
  readonly client: ClientId;
  readonly slots: readonly ParamSlot[];
  /** p_i of the mean; the members' sum to 1. */
  readonly share: number;
  /** Place among all clients present, in the cohort's order. */
  readonly index: number;
}

export interface RuleOutcome {
  readonly mix: GroupMix;
  /** Undefined for the mean, which holds against nobody. */
  readonly robustness: Robustness | undefined;
}

type Robustness = NonNullable<RoundDiagnostics["robustness"]>[number];

/** The members' encoders as one, for each of them. `presentCount`: N of the measurements. One member or more. */
export function combineEncoders(
  members: readonly RuleMember[],
  rule: EncoderRule,
  measured: Pick<Measurements, "encoderDistances">,
  presentCount: number,
): RuleOutcome {
  const everybody = [members.map((_, row) => ({ row }))];
  if (rule.encoderRule === "mean") {
    const operands = members.map((_, row) => ({ after: row }));
    const factors = Float64Array.from(members, ({ share }) => share);
    return { mix: { rows: members, blocks: [{ operands, factors, results: everybody }] }, robustness: undefined };
  }
  const distances = rule.encoderRule === "krum" ? measured.encoderDistances() : undefined;
  const distanceOf = (a: number, b: number): number =>
    distances?.[at(members, a).index * presentCount + at(members, b).index] ?? 0;
  const { rows, by, robustness } = chooseCenter(
    members.map(({ client }) => client),
    { ...rule, encoderRule: rule.encoderRule },
    distanceOf,
  );
  const operands = rows.map((row) => ({ after: row }));
  return { mix: { rows: members, blocks: [{ operands, ...by, results: everybody }] }, robustness };
}

export type RobustRule = Omit<EncoderRule, "encoderRule"> & {
  readonly encoderRule: Exclude<EncoderRule["encoderRule"], "mean">;
};

/** The middle of several vectors: what is made of which of them. */
export interface Center {
  /** Indices of those that it is made of. */
  readonly rows: readonly number[];
  readonly by: BlockRule;
  readonly robustness: Robustness;
}

/** `distanceOf`: squared distance of two vectors by their indices, asked for by krum alone. One vector or more. */
export function chooseCenter(
  clients: readonly ClientId[],
  rule: RobustRule,
  distanceOf: (a: number, b: number) => number,
): Center {
  const { encoderRule } = rule;
  const most = Math.floor((clients.length - 1) / 2);
  switch (encoderRule) {
    case "median":
      return trimmed(clients, encoderRule, most);
    case "trimmed-mean":
      return trimmed(clients, encoderRule, Math.min(rule.trim, most));
    case "krum":
      return krum(clients, rule, distanceOf);
    default:
      return unreachable(encoderRule);
  }
}

function trimmed(clients: readonly ClientId[], rule: "median" | "trimmed-mean", trim: number): Center {
  return { rows: clients.map((_, row) => row), by: { trim }, robustness: { rule, clients, tolerated: trim } };
}

function krum(clients: readonly ClientId[], rule: RobustRule, distanceOf: (a: number, b: number) => number): Center {
  const count = clients.length;
  const scores = clients.map((_, i) => {
    const others = clients.flatMap((_, j) => (i === j ? [] : [distanceOf(i, j)]));
    return krumScore(others, Math.max(1, count - rule.byzantine - 2));
  });
  const best = scores
    .map((score, row) => ({ score, row }))
    .sort((a, b) => a.score - b.score || a.row - b.row)
    .slice(0, rule.krumCount)
    .map(({ row }) => row)
    .sort((a, b) => a - b);
  return {
    rows: best,
    by: { factors: new Float64Array(best.length).fill(1 / best.length) },
    robustness: {
      rule: "krum",
      clients,
      tolerated: Math.max(0, Math.min(rule.byzantine, Math.floor((count - 3) / 2))),
      selected: best.map((row) => at(clients, row)),
    },
  };
}

/** Sum of the smallest of the distances, added up in ascending order. */
function krumScore(distances: readonly number[], neighborCount: number): number {
  return [...distances]
    .sort((a, b) => a - b)
    .slice(0, neighborCount)
    .reduce((sum, distance) => sum + distance, 0);
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`expected an index below ${items.length}, received ${index}`);
  return item;
}
