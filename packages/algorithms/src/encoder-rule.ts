/**
 * How several clients' encoders become one: the mean, or a rule that holds when some clients send anything at all. For every strategy that
 * averages encoders, over all clients or within groups.
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
  readonly robustness: NonNullable<RoundDiagnostics["robustness"]>[number] | undefined;
}

/** The members' encoders as one, for each of them. `presentCount`: N of the measurements. One member or more. */
export function combineEncoders(
  members: readonly RuleMember[],
  rule: EncoderRule,
  measured: Pick<Measurements, "encoderDistances">,
  presentCount: number,
): RuleOutcome {
  const all = members.map((_, row) => row);
  const { encoderRule } = rule;
  switch (encoderRule) {
    case "mean":
      return {
        mix: weighted(
          members,
          all,
          Float64Array.from(members, ({ share }) => share),
        ),
        robustness: undefined,
      };
    case "median":
      return trimmed(members, encoderRule, mostTrimmed(members.length));
    case "trimmed-mean":
      return trimmed(members, encoderRule, Math.min(rule.trim, mostTrimmed(members.length)));
    case "krum":
      return krum(members, rule, measured.encoderDistances(), presentCount);
    default:
      return unreachable(encoderRule);
  }
}

function mostTrimmed(memberCount: number): number {
  return Math.floor((memberCount - 1) / 2);
}

function trimmed(members: readonly RuleMember[], rule: "median" | "trimmed-mean", trim: number): RuleOutcome {
  const operands = members.map((_, row) => ({ after: row }));
  return {
    mix: { rows: members, blocks: [{ operands, trim, results: [members.map((_, row) => ({ row }))] }] },
    robustness: { rule, clients: members.map(({ client }) => client), tolerated: trim },
  };
}

function weighted(members: readonly RuleMember[], rows: readonly number[], factors: Float64Array): GroupMix {
  return {
    rows: members,
    blocks: [{ operands: rows.map((row) => ({ after: row })), factors, results: [members.map((_, row) => ({ row }))] }],
  };
}

function krum(
  members: readonly RuleMember[],
  rule: EncoderRule,
  squaredDistances: Float64Array,
  presentCount: number,
): RuleOutcome {
  const count = members.length;
  const scores = members.map(({ index: i }) => {
    const row = members.flatMap(({ index: j }) => (i === j ? [] : [squaredDistances[i * presentCount + j] ?? 0]));
    return krumScore(row, Math.max(1, count - rule.byzantine - 2));
  });
  const best = scores
    .map((score, row) => ({ score, row }))
    .sort((a, b) => a.score - b.score || a.row - b.row)
    .slice(0, rule.krumCount)
    .map(({ row }) => row)
    .sort((a, b) => a - b);
  const selected = best.flatMap((row) => members[row]?.client ?? []);
  return {
    mix: weighted(members, best, new Float64Array(best.length).fill(1 / best.length)),
    robustness: {
      rule: "krum",
      clients: members.map(({ client }) => client),
      tolerated: Math.max(0, Math.min(rule.byzantine, Math.floor((count - 3) / 2))),
      selected,
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
