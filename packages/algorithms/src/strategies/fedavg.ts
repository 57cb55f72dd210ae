/**
 * Federated averaging (McMahan et al. 2017, arXiv 1602.05629) of the groups that clients share.
 *
 * Notation — code name, symbol, shape:
 *   aggregation weight  p_i  [N]  sampleCount_i / Σ sampleCount over the clients present
 *
 *   encoder ← Σ_i p_i·local_i, the same for every client present; with share "all" likewise each decoder over its bucket:
 *   decoders "same-task": all decoders of one task, whatever the domain; "all": all decoders of all tasks, as in the FedAvg
 *   baseline of FedHCA² (p_i of the owner, normalized within the bucket). Heads and buffers stay the client's own.
 *
 * It averages params, not deltas: clients that start a round from one encoder get the same from both; one that was absent
 * and trained from an older encoder joins the mean with what it has, and leaves the round with the common encoder.
 * Traffic: encoder (and own decoders with share "all") once up and once down.
 *
 * Differs from the paper in: every client on the roster takes part unless it is absent; heads are never averaged.
 */
import { type KernelBackend, referenceKernels } from "@kumiai/kernels";
import type { ClientId, ParamSlot, ParamVector, TaskId } from "@kumiai/params";
import {
  assertFiniteParams,
  assertSameDecoders,
  assertSameEncoders,
  type Cohort,
  gather,
  openCohort,
  type PresentClient,
  scatterInto,
  sizeOf,
} from "../cohort.js";
import { diagnose } from "../diagnostics.js";
import { choiceOption, type OptionsOf, parseOptions } from "../options.js";
import { type Assignment, type ClientSpec, PLAIN_ASSIGNMENT, type Strategy } from "../strategy.js";
import type { StrategyDefinition } from "./definition.js";

const OPTIONS = {
  share: choiceOption("encoder", ["encoder", "all"]),
  decoders: choiceOption("same-task", ["same-task", "all"]),
};

export type FedAvgOptions = OptionsOf<typeof OPTIONS>;

export interface FedAvgVariant extends FedAvgOptions {
  readonly name: string;
  readonly assignment: Assignment;
}

/** Clients whose group is averaged into one. */
interface Bucket {
  readonly members: { readonly client: PresentClient; readonly slots: readonly ParamSlot[] }[];
}

export function createFedAvg(variant: FedAvgVariant, kernels: KernelBackend = referenceKernels): Strategy<null> {
  const bucketOf = (_client: ClientSpec, task: TaskId): string => (variant.decoders === "all" ? "all" : task);
  const check = (clients: readonly ClientSpec[]): void => {
    assertSameEncoders(clients);
    if (variant.share === "all") assertSameDecoders(clients, bucketOf);
  };
  return {
    name: variant.name,
    training: "sites",
    init(clients) {
      check(clients);
      return null;
    },
    assignment: () => variant.assignment,
    aggregate(_state, input) {
      check(input.clients);
      const cohort = openCohort(input, kernels);
      const params = new Map(cohort.present.map(({ spec, update }) => [spec.id, update.local.slice()]));
      averageInto(params, encoderBucket(cohort), kernels);
      if (variant.share === "all") {
        for (const bucket of decoderBuckets(cohort, bucketOf)) averageInto(params, bucket, kernels);
      }
      assertFiniteParams(params, cohort, kernels);
      const traffic = { encoder: true, decoders: variant.share === "all" };
      return { state: null, params, diagnostics: diagnose(cohort, kernels, traffic) };
    },
  };
}

function encoderBucket({ present }: Cohort): Bucket {
  return { members: present.map((client) => ({ client, slots: client.encoderSlots })) };
}

function decoderBuckets(
  { present }: Cohort,
  bucketOf: (client: ClientSpec, task: TaskId) => string,
): readonly Bucket[] {
  const buckets = new Map<string, Bucket>();
  for (const client of present) {
    for (const { task, slots } of client.decoders) {
      const name = bucketOf(client.spec, task);
      const bucket = buckets.get(name) ?? { members: [] };
      bucket.members.push({ client, slots });
      buckets.set(name, bucket);
    }
  }
  return [...buckets.values()];
}

/** Writes the members' mean, by sample count, over each member's slots in `params`. */
function averageInto(params: ReadonlyMap<ClientId, ParamVector>, { members }: Bucket, kernels: KernelBackend): void {
  const first = members[0];
  if (first === undefined) return;
  const total = members.reduce((sum, { client }) => sum + client.update.sampleCount, 0);
  const mean = new Float32Array(sizeOf(first.slots));
  kernels.weightedSumInto(
    mean,
    members.map(({ client }) => client.update.sampleCount / total),
    members.map(({ client, slots }) => gather(client.update.local, slots)),
  );
  for (const { client, slots } of members) {
    const own = params.get(client.spec.id);
    if (own !== undefined) scatterInto(own, slots, mean);
  }
}

const SOURCE = "McMahan et al. 2017, arXiv 1602.05629";

export const fedAvgDefinition: StrategyDefinition = {
  summary: "one encoder for all: the mean of the sites' encoders by sample count; decoders stay at home",
  source: SOURCE,
  defaults: parseOptions("fedavg", {}, OPTIONS),
  create: (options) =>
    createFedAvg({ ...parseOptions("fedavg", options, OPTIONS), name: "fedavg", assignment: PLAIN_ASSIGNMENT }),
};

export const fedAvgAllDefinition: StrategyDefinition = {
  summary: "as fedavg, and decoders of the same task are averaged too",
  source: SOURCE,
  defaults: parseOptions("fedavg-all", {}, { decoders: OPTIONS.decoders }),
  create: (options) =>
    createFedAvg({
      ...parseOptions("fedavg-all", options, { decoders: OPTIONS.decoders }),
      name: "fedavg-all",
      share: "all",
      assignment: PLAIN_ASSIGNMENT,
    }),
};
