/**
 * Federated averaging (McMahan et al. 2017, arXiv 1602.05629) of the groups that clients share.
 *
 * Notation — code name, symbol, shape:
 *   aggregation weight  p_i  [N]  sampleCount_i / Σ sampleCount over the clients present
 *
 *   encoder ← Σ_i p_i·local_i, the same for every client present, or by another `encoderRule`, see `encoder-rule.ts`; with share "all" likewise each decoder over its bucket:
 *   decoders "same-task": all decoders of one task, whatever the domain; "all": all decoders of all tasks, as in the FedAvg
 *   baseline of FedHCA² (p_i of the owner, normalized within the bucket). Heads and buffers stay the client's own.
 *
 * It averages params, not deltas: clients that start a round from one encoder get the same from both; one that was absent
 * and trained from an older encoder joins the mean with what it has, and leaves the round with the common encoder.
 * Traffic: encoder (and own decoders with share "all") once up and once down.
 *
 * Differs from the paper in: every client on the roster takes part unless it is absent; heads are never averaged.
 */
import type { TaskId } from "@kumiai/params";
import { assertSameDecoders, assertSameEncoders, type Cohort, decodersOf, type PresentClient } from "../cohort.js";
import { defineStrategy } from "../define-strategy.js";
import {
  combineEncoders,
  ENCODER_RULE_OPTIONS,
  type EncoderRule,
  measureFor,
  type RuleMember,
} from "../encoder-rule.js";
import { choiceOption, type OptionsOf, optionsWithout } from "../options.js";
import { type Assignment, type ClientSpec, type GroupMix, PLAIN_ASSIGNMENT, type Strategy } from "../strategy.js";
import { defineForRegistry } from "./definition.js";

const OPTIONS = {
  share: choiceOption("encoder", ["encoder", "all"], "what is averaged: the encoder, or decoders too"),
  decoders: choiceOption("same-task", ["same-task", "all"], "which decoders are averaged with each other"),
  ...ENCODER_RULE_OPTIONS,
};

export type FedAvgOptions = OptionsOf<typeof OPTIONS>;

export interface FedAvgVariant extends EncoderRule {
  readonly share: FedAvgOptions["share"];
  readonly decoders: FedAvgOptions["decoders"];
  readonly name: string;
  readonly assignment: Assignment;
}

/** A client's part in a group that is averaged into one. */
type Member = GroupMix["rows"][number] & { readonly sampleCount: number };

export function createFedAvg(variant: FedAvgVariant): Strategy<null> {
  const bucketOf = (_client: ClientSpec, task: TaskId): string => (variant.decoders === "all" ? "all" : task);
  const check = (clients: readonly ClientSpec[]): void => {
    assertSameEncoders(clients);
    if (variant.share === "all") assertSameDecoders(clients, bucketOf);
  };
  return defineStrategy({
    name: variant.name,
    training: "sites",
    init(clients) {
      check(clients);
      return null;
    },
    assignment: () => variant.assignment,
    measure(_state, { roster }) {
      check(roster);
      return measureFor(variant);
    },
    decide(_state, cohort, measured) {
      const { present } = cohort;
      const encoder =
        present.length === 0 ? undefined : combineEncoders(ruleMembers(present), variant, measured, present.length);
      const decoders = variant.share === "all" ? decoderBuckets(cohort, bucketOf) : [];
      return {
        state: null,
        mixes: [...(encoder === undefined ? [] : [encoder.mix]), ...decoders.map(average)],
        traffic: { encoder: true, decoders: variant.share === "all" },
        diagnostics: encoder?.robustness === undefined ? {} : { robustness: [encoder.robustness] },
      };
    },
  });
}

function ruleMembers(present: readonly PresentClient[]): readonly RuleMember[] {
  const total = present.reduce((sum, { sampleCount }) => sum + sampleCount, 0);
  return present.map(({ spec, encoderSlots, sampleCount }, index) => ({
    client: spec.id,
    slots: encoderSlots,
    share: sampleCount / total,
    index,
  }));
}

function memberOf({ spec, sampleCount }: PresentClient, slots: Member["slots"]): Member {
  return { client: spec.id, slots, sampleCount };
}

function decoderBuckets(
  cohort: Cohort,
  bucketOf: (client: ClientSpec, task: TaskId) => string,
): readonly (readonly Member[])[] {
  const clients = new Map(cohort.present.map((client) => [client.spec.id, client]));
  const buckets = new Map<string, Member[]>();
  for (const { client: id, task, slots } of decodersOf(cohort)) {
    const client = clients.get(id);
    if (client === undefined) continue;
    const name = bucketOf(client.spec, task);
    buckets.set(name, [...(buckets.get(name) ?? []), memberOf(client, slots)]);
  }
  return [...buckets.values()];
}

/** The members' mean, by sample count, for each of them. */
function average(members: readonly Member[]): GroupMix {
  const total = members.reduce((sum, { sampleCount }) => sum + sampleCount, 0);
  return {
    rows: members,
    blocks: [
      {
        operands: members.map((_, row) => ({ after: row })),
        factors: Float64Array.from(members, ({ sampleCount }) => sampleCount / total),
        results: [members.map((_, row) => ({ row }))],
      },
    ],
  };
}

const SOURCE = "McMahan et al. 2017, arXiv 1602.05629";

export const fedAvgDefinition = defineForRegistry({
  name: "fedavg",
  summary: "one encoder for all: the mean of the sites' encoders by sample count; decoders stay at home",
  source: SOURCE,
  options: OPTIONS,
  create: (options) => createFedAvg({ ...options, name: "fedavg", assignment: PLAIN_ASSIGNMENT }),
});

export const fedAvgAllDefinition = defineForRegistry({
  name: "fedavg-all",
  summary: "as fedavg, and decoders of the same task are averaged too",
  source: SOURCE,
  options: optionsWithout(OPTIONS, ["share"]),
  create: (options) => createFedAvg({ ...options, name: "fedavg-all", share: "all", assignment: PLAIN_ASSIGNMENT }),
});
