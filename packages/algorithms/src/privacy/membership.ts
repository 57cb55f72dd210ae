/**
 * Membership inference: can somebody who sees what a site shares tell whether an example was in its training data?
 *
 * Notation — code name, symbol, shape:
 *   example        (x, y)   one candidate with its labels
 *   loss           ℓ(θ; x)  the site's training loss of this one example (weighted sum over its tasks)
 *   base, update   θ, Δ     what the site started the round from, and after − before, over the groups that it sends
 *   gradient       g        ∇ℓ(θ; x) over the same groups
 *
 * Attacks, each a score per candidate, higher meaning "member":
 *   loss-threshold     −ℓ(θ'; x) on a whole model θ'. Yeom et al. 2018.
 *   loss-drop          ℓ(θ; x) − ℓ(θ + Δ; x): hard and easy examples are compared with themselves. Watson et al. 2022 (difficulty
 *                      calibration), with the round's own start as the reference model.
 *   update-alignment   ⟨−g, Δ⟩ / (‖g‖·‖Δ‖): does the step that this example asks for point where the update went? Nasr, Shokri,
 *                      Houmansadr 2019 (gradients seen by the server), without their shadow training.
 *
 * How strong it is: advantage = TPR − FPR (Yeom et al., definition 4), 0 for guessing, 100 % for certainty. The threshold is chosen on one half
 * of the candidates and the advantage measured on the other half, then the halves change places and the two are averaged: no candidate
 * is scored with a threshold that it helped to choose, so the expectation for an attack that knows nothing is 0, and
 * the number may be negative. The 95 % interval is a percentile bootstrap over candidates (members and non-members apart), thresholds held fixed.
 *
 * Limits. The attacks are simple: no shadow models, no attack network, one round at a time. A small advantage means that these attacks fail,
 * not that none succeeds. They are also generous: the attacker is given the example with its labels and the site's private parts (heads, stems),
 * which a server does not have; what a server can do is no stronger. An average over candidates may hide a few that are exposed. Members
 * and non-members must come from the same distribution: where held-out examples are from another time or other objects, part of the advantage is
 * that difference. `loss-threshold` on params that never saw the data measures it; read the others beside it.
 *
 * Sources: Yeom, Giacomelli, Fredrikson, Jha, "Privacy Risk in Machine Learning: Analyzing the Connection to Overfitting", CSF 2018. Watson, Guo,
 * Cormode, Sablayrolles, "On the Importance of Difficulty Calibration in Membership Inference Attacks", ICLR 2022. Nasr, Shokri, Houmansadr,
 * "Comprehensive Privacy Analysis of Deep Learning", S&P 2019.
 */
import { KumiaiError, type Rng } from "@kumiai/params";
import { areaUnderCurve } from "../metrics/auroc.js";

export const MEMBERSHIP_ATTACKS = {
  "loss-threshold": "says member where the model's loss on the example is low (Yeom et al. 2018)",
  "loss-drop": "says member where the update lowers the loss on the example (Watson et al. 2022)",
  "update-alignment": "says member where the example's own gradient step points along the update (Nasr et al. 2019)",
} as const;

export type MembershipAttack = keyof typeof MEMBERSHIP_ATTACKS;

/** Scores of candidates, higher meaning "member". */
export interface MembershipScores {
  readonly members: readonly number[];
  readonly nonMembers: readonly number[];
}

export interface MembershipAdvantage {
  /** Mean over both halves of 100·(TPR − FPR), at the threshold of the other half. */
  readonly advantagePercent: number;
  /** Percentile bootstrap of it. */
  readonly interval95: readonly [number, number];
  /** Chance that a member scores higher than a non-member, in percent; 50 is guessing. Needs no threshold. */
  readonly aurocPercent: number;
  readonly memberCount: number;
  readonly nonMemberCount: number;
}

/** Fewer candidates on a side than this have no halves to speak of. */
export const LEAST_CANDIDATES = 8;

const BOOTSTRAP_COUNT = 1000;

/**
 * Advantage of the attack that gave these scores. `rng` draws the halves and the bootstrap; the result does not depend on the order of candidates
 * beyond that. Throws DATA_MALFORMED with fewer than 8 candidates on a side, NON_FINITE for a score that is not a number.
 */
export function membershipAdvantage({ members, nonMembers }: MembershipScores, rng: Rng): MembershipAdvantage {
  check("members", members);
  check("non-members", nonMembers);
  const [membersA, membersB] = halves(members, rng.split("members"));
  const [othersA, othersB] = halves(nonMembers, rng.split("non-members"));
  const atB = bestThreshold(membersB, othersB);
  const atA = bestThreshold(membersA, othersA);
  const called: readonly CalledHalf[] = [
    { members: calls(membersA, atB), others: calls(othersA, atB) },
    { members: calls(membersB, atA), others: calls(othersB, atA) },
  ];
  return {
    advantagePercent: 100 * meanAdvantage(called),
    interval95: bootstrapInterval(called, rng.split("bootstrap")),
    aurocPercent: 100 * areaUnderCurve(nonMembers, members),
    memberCount: members.length,
    nonMemberCount: nonMembers.length,
  };
}

/**
 * The threshold with the greatest TPR − FPR where "score ≥ threshold" says member; the middle between two scores, or ∞ (nobody is called)
 * where nothing beats guessing. Of equal ones the highest.
 */
export function bestThreshold(members: readonly number[], nonMembers: readonly number[]): number {
  const all = [
    ...members.map((score) => ({ score, gain: 1 / members.length })),
    ...nonMembers.map((score) => ({ score, gain: -1 / nonMembers.length })),
  ].sort((a, b) => b.score - a.score);
  let best = { advantage: 1e-12, threshold: Number.POSITIVE_INFINITY };
  let advantage = 0;
  all.forEach(({ score, gain }, i) => {
    advantage += gain;
    const next = all[i + 1]?.score ?? Number.NEGATIVE_INFINITY;
    if (next === score || advantage <= best.advantage) return;
    best = { advantage, threshold: next === Number.NEGATIVE_INFINITY ? score : (score + next) / 2 };
  });
  return best.threshold;
}

/** ⟨−g, Δ⟩ / (‖g‖·‖Δ‖) in f64 over `ranges` of both; 0 where one of them is zero there. */
export function updateAlignment(
  gradient: Float32Array,
  update: Float32Array,
  ranges: readonly { readonly offset: number; readonly size: number }[],
): number {
  let dot = 0;
  let gradientSquares = 0;
  let updateSquares = 0;
  for (const { offset, size } of ranges) {
    for (let i = offset; i < offset + size; i++) {
      const [g, u] = [gradient[i] as number, update[i] as number];
      dot -= g * u;
      gradientSquares += g * g;
      updateSquares += u * u;
    }
  }
  return dot === 0 ? 0 : dot / Math.sqrt(gradientSquares * updateSquares);
}

interface CalledHalf {
  readonly members: CalledSide;
  readonly others: CalledSide;
}

/** How many of a side of a half were called members. */
interface CalledSide {
  readonly size: number;
  readonly calledCount: number;
}

function calls(scores: readonly number[], threshold: number): CalledSide {
  return { size: scores.length, calledCount: scores.filter((score) => score >= threshold).length };
}

function meanAdvantage(called: readonly CalledHalf[]): number {
  const share = ({ size, calledCount }: CalledSide): number => calledCount / size;
  return called.reduce((sum, { members, others }) => sum + share(members) - share(others), 0) / called.length;
}

function bootstrapInterval(called: readonly CalledHalf[], rng: Rng): readonly [number, number] {
  const replicates = Float64Array.from({ length: BOOTSTRAP_COUNT }, () =>
    called.reduce((sum, half) => sum + (redrawn(half.members, rng) - redrawn(half.others, rng)) / called.length, 0),
  ).sort();
  const at = (quantile: number): number => 100 * (replicates[Math.round(quantile * (BOOTSTRAP_COUNT - 1))] as number);
  return [at(0.025), at(0.975)];
}

/** Share of those called in a sample of `side` with replacement, as large as `side`. */
function redrawn({ size, calledCount }: CalledSide, rng: Rng): number {
  let count = 0;
  for (let i = 0; i < size; i++) if (rng.int(size) < calledCount) count++;
  return count / size;
}

function halves(scores: readonly number[], rng: Rng): readonly [readonly number[], readonly number[]] {
  const drawn = rng.shuffled(scores);
  const middle = Math.ceil(drawn.length / 2);
  return [drawn.slice(0, middle), drawn.slice(middle)];
}

function check(side: string, scores: readonly number[]): void {
  if (scores.length < LEAST_CANDIDATES) {
    throw new KumiaiError(
      "DATA_MALFORMED",
      `membership inference: expected at least ${LEAST_CANDIDATES} ${side}, received ${scores.length}; give more examples`,
    );
  }
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0) {
    throw new KumiaiError("NON_FINITE", `membership inference: score ${bad} of the ${side} is ${scores[bad]}`);
  }
}
