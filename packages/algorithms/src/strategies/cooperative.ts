/**
 * Cooperative: together first, then alone. Our own, put together from what helped and without what did not; the ablations are in
 * `docs/results.md`.
 *
 * Notation — code name, symbol, shape:
 *   group     S                 the encoders of all clients present; and for each (domain, task) that several of them have, their decoders
 *   momentum  m_S   [P] or [Q]  what the group moved by in the rounds before, fading; 0 at first
 *   β         `momentum`        0 (default): plain averaging
 *   μ         `proximalWeight`  of the term that holds local training near its start
 *   T         `togetherRounds`  rounds in which something is shared
 *
 *   while round ≤ T, for each group:   m_S ← β·m_S + (1/|S|)·Σ_{i∈S} Δ_i
 *                                      θ_i ← (1/|S|)·Σ_{j∈S} base_j + m_S     for every i ∈ S
 *   after T:   every site goes on alone, without the proximal term; nothing is sent.
 *
 * Why: averaging shortens steps. Updates of sites with other tasks are nearly orthogonal, so their mean is about 1/√N as long as one
 * of them, and what N sites agree on is learned N times slower than by one model on all data. Momentum (Hsu et al. 2019,
 * arXiv 1909.06335) gives back 1/(1 − β) of it where steps all count (series); where sites have few labels and overfit, the proximal
 * term (Li et al. 2020, arXiv 1812.06127) and a last stretch alone, in which heads, decoders and encoder find back to each other, help more.
 * Decoders are shared only where labels mean the same and inputs look alike: sharing over all domains lost a third of the gain.
 *
 * By another `encoderRule` than `mean`, the middle of the encoders' Δ_i takes the place of their mean, see `encoder-rule.ts`; decoders are averaged as ever.
 * `share: false` is the control for the claim that sites learn from each other: the same momentum, term and T without anybody else's updates.
 * Clients that share a start have one common θ in every round; one that was away counts in the mean with the start it came with.
 * Heads, stems and buffers stay the client's own. Traffic: encoder and shared decoders once up and once down until T, then none.
 */
import type { Operand } from "@kumiai/kernels";
import type { ClientId, ParamSlot } from "@kumiai/params";
import { assertSameDecoders, assertSameEncoders, type Cohort, decodersOf, sizeOf } from "../cohort.js";
import { defineStrategy } from "../define-strategy.js";
import { NO_TRAFFIC } from "../diagnostics.js";
import { type Center, chooseCenter, ENCODER_RULE_OPTIONS, measureFor } from "../encoder-rule.js";
import { booleanOption, choiceOption, numberOption, type OptionsOf, wholeNumberOption } from "../options.js";
import type { StateVector } from "../state-vector.js";
import {
  type ClientSpec,
  type GroupMix,
  type Keep,
  type Measurements,
  type MixRow,
  PLAIN_ASSIGNMENT,
  type Strategy,
} from "../strategy.js";
import { defineForRegistry } from "./definition.js";

const OPTIONS = {
  momentum: numberOption(0, { atLeast: 0, lessThan: 1 }, "β: share of the last common step in the next one"),
  proximalWeight: numberOption(0.01, { atLeast: 0 }, "μ: how strongly training is held near its start, while together"),
  togetherRounds: wholeNumberOption(10_000, { atLeast: 0 }, "T: rounds in which something is shared"),
  share: booleanOption(true, "off, a control: all of this, but every site for itself"),
  decoders: choiceOption("same-domain", ["same-domain", "same-task", "none"], "which decoders of one task are shared"),
  ...ENCODER_RULE_OPTIONS,
};

export type CooperativeOptions = OptionsOf<typeof OPTIONS>;

export interface CooperativeState {
  readonly version: 1;
  /** Rounds played. */
  readonly round: number;
  /** m_S by group; empty without momentum. */
  readonly momenta: Readonly<Record<string, StateVector>>;
}

interface Member {
  readonly client: ClientId;
  readonly slots: readonly ParamSlot[];
}

export function createCooperative(options: CooperativeOptions): Strategy<CooperativeState> {
  const { momentum, togetherRounds, decoders, share } = options;
  const bucketOf = bucketing(decoders);
  const check = (clients: readonly ClientSpec[]): void => {
    assertSameEncoders(clients);
    if (decoders !== "none") assertSameDecoders(clients, bucketOf);
  };
  return defineStrategy<CooperativeState>({
    name: "cooperative",
    training: "sites",
    init(clients) {
      check(clients);
      return { version: 1, round: 0, momenta: {} };
    },
    assignment: ({ round }) => ({
      ...PLAIN_ASSIGNMENT,
      proximalWeight: round < togetherRounds ? options.proximalWeight : 0,
    }),
    measure(_state, { roster }) {
      check(roster);
      return measureFor(options);
    },
    decide(state, cohort, measured, keep) {
      const { round } = cohort;
      if (cohort.present.length === 0) return { state, mixes: [], traffic: NO_TRAFFIC, diagnostics: {} };
      if (round > togetherRounds) {
        return { state: { version: 1, round, momenta: {} }, mixes: [], traffic: NO_TRAFFIC, diagnostics: {} };
      }
      const momenta: Record<string, StateVector> = {};
      const together = groupsOf(cohort, decoders === "none" ? undefined : bucketOf);
      const center = share ? encoderCenter(cohort, measured, options) : undefined;
      const mixes = [...(share ? together : alone(together))].map(([name, members]) => {
        const middle = name === ENCODER ? center : undefined;
        if (momentum === 0) return moveTogether(members, middle, undefined);
        const next = keepMomentum(keep, `momentum/${round}/${name}`, members);
        momenta[name] = next;
        const last = state.momenta[name];
        return moveTogether(members, middle, { next, last, momentum });
      });
      return {
        state: { version: 1, round, momenta },
        mixes,
        traffic: share ? { encoder: true, decoders: decoders !== "none" } : NO_TRAFFIC,
        diagnostics: center === undefined ? {} : { robustness: [center.robustness] },
      };
    },
  });
}

/** Name of the group of encoders; those of decoders begin with another word. */
const ENCODER = "encoder";

/** The middle of the encoders' updates; undefined where they are averaged, or nobody else is there. */
function encoderCenter(
  { present }: Cohort,
  measured: Measurements,
  { encoderRule, ...rest }: CooperativeOptions,
): Center | undefined {
  if (encoderRule === "mean" || present.length < 2) return undefined;
  const distances = encoderRule === "krum" ? measured.encoderDistances() : undefined;
  const clients = present.map(({ spec }) => spec.id);
  return chooseCenter(clients, { ...rest, encoderRule }, (a, b) => distances?.[a * present.length + b] ?? 0);
}

type Bucketing = (client: Pick<ClientSpec, "domain">, task: string) => string;

function bucketing(decoders: CooperativeOptions["decoders"]): Bucketing {
  return ({ domain }, task) => (decoders === "same-task" ? task : JSON.stringify([domain, task]));
}

/** Members of every group that has something to share, by name. */
function groupsOf(cohort: Cohort, bucketOf: Bucketing | undefined): ReadonlyMap<string, readonly Member[]> {
  const { present } = cohort;
  const groups = new Map<string, Member[]>();
  groups.set(
    ENCODER,
    present.map(({ spec, encoderSlots }) => ({ client: spec.id, slots: encoderSlots })),
  );
  const specs = new Map(present.map(({ spec }) => [spec.id, spec]));
  for (const { client, task, slots } of bucketOf === undefined ? [] : decodersOf(cohort)) {
    const spec = specs.get(client);
    if (spec === undefined || bucketOf === undefined) continue;
    const name = `decoder ${bucketOf(spec, task)}`;
    groups.set(name, [...(groups.get(name) ?? []), { client, slots }]);
  }
  return new Map([...groups].filter(([, members]) => members.length > 1));
}

/** A group of one for each member. */
function alone(groups: ReadonlyMap<string, readonly Member[]>): ReadonlyMap<string, readonly Member[]> {
  return new Map([...groups].flatMap(([name, members]) => members.map((one) => [`${name} of ${one.client}`, [one]])));
}

function keepMomentum(keep: Keep, name: string, members: readonly Member[]): StateVector {
  return keep(name, sizeOf(members[0]?.slots ?? []));
}

interface Momentum {
  readonly next: StateVector;
  /** Undefined in the group's first round. */
  readonly last: StateVector | undefined;
  readonly momentum: number;
}

/** Results: with a center that first; then m_S, then the params of all members. */
function moveTogether(members: readonly Member[], center: Center | undefined, kept: Momentum | undefined): GroupMix {
  const share = 1 / members.length;
  const [first] = members;
  const last: MixRow | undefined =
    first === undefined || kept?.last === undefined ? undefined : { ...first, stored: { vector: kept.last, from: 0 } };
  const befores = members.map((_, row) => ({ before: row }));
  const news: readonly Operand[] = center === undefined ? members.map((_, row) => ({ delta: row })) : [{ result: 0 }];
  const shareOfNew = center === undefined ? share : 1;
  const moved = center === undefined ? 0 : 1;
  return {
    rows: last === undefined ? members : [...members, last],
    blocks: [
      ...(center === undefined
        ? []
        : [{ operands: center.rows.map((row) => ({ delta: row })), ...center.by, results: [[]] }]),
      {
        operands: last === undefined ? news : [...news, { after: members.length }],
        factors: Float64Array.from([
          ...news.map(() => shareOfNew),
          ...(last === undefined ? [] : [kept?.momentum ?? 0]),
        ]),
        results: [kept === undefined ? [] : [{ keep: kept.next, from: 0 }]],
      },
      {
        operands: [...befores, { result: moved }],
        factors: Float64Array.from([...befores.map(() => share), 1]),
        results: [members.map((_, row) => ({ row }))],
      },
    ],
  };
}

export const cooperativeDefinition = defineForRegistry({
  name: "cooperative",
  summary:
    "ours: encoders, and decoders of one domain and task, move together with momentum for some rounds, then sites go on alone",
  source: "this project; ablations in docs/results.md",
  options: OPTIONS,
  create: createCooperative,
});
