/**
 * FedHCA² (Lu, Huang, Yang, Sirejiding, Ding, Lu, CVPR 2024, arXiv 2311.13250): personalized params for sites with
 * different tasks, from a conflict-averse encoder direction and cross attention between decoders, each taken in by
 * learned hyper-weights.
 *
 * Notation — code name, symbol, shape:
 *   encoderDelta  Δ_i      [P]  local − base of client i's encoder
 *   direction     Ũ        [P]  one for all clients, see `conflict-averse.ts`
 *   groupMean     Δ̄_i      [P]  mean Δ of the clients present with i's domain and task set, wherever they stand
 *   alpha         α_i           hyper-weight of Ũ for client i
 *   attended      M_k      [Q]  see `cross-attention.ts`
 *   betas         β_{ℓ,k}       hyper-weight of M_k for layer ℓ of decoder k; a weight and its bias share it
 *
 * One round, in this order:
 *   1. hyper-weights of every client present that took part before, see `fedhca2-learning.ts`;
 *   2. encoder:  θ_i ← base_i + Δ̄_i + clamp(α_i, 0, 1)·Ũ;
 *   3. decoders: φ_k ← base_k + Δ_k + clamp(β_{ℓ,k}, 0, 1)·M_k.  Heads and buffers stay the client's own.
 *
 * Missing and new clients: aggregation runs over the clients present. Who is absent keeps params, hyper-weights and
 * momentum untouched; a newcomer starts with the initial hyper-weights.
 *
 * Traffic: up the encoder and the decoders; down one vector of the encoder's size (Δ̄_i and Ũ mixed, or Ũ alone for a client
 * alone in its group) and M_k for its own decoders; a part that is switched off moves nothing.
 *
 * Differs from the paper in: the conflict-averse solve is exact and scale-free; groups need not be neighbors in the list;
 * the options `attention: "cosine"`, `projectHyperWeights` and the switches of parts, none of which is the default.
 */
import { type KernelBackend, referenceKernels } from "@kumiai/kernels";
import type { ClientId, ParamVector } from "@kumiai/params";
import {
  assertFiniteParams,
  assertSameDecoders,
  assertSameEncoders,
  compareText,
  gather,
  openCohort,
  type PresentClient,
  scatterInto,
} from "../cohort.js";
import { solveConflictAverse } from "../conflict-averse.js";
import { attendAll } from "../cross-attention.js";
import { byClient, diagnose } from "../diagnostics.js";
import { clamped, type HyperWeight } from "../hyper-weights.js";
import { booleanOption, choiceOption, nestedOption, numberOption, type OptionsOf, parseOptions } from "../options.js";
import { type ClientSpec, type HyperWeightValues, PLAIN_ASSIGNMENT, type Strategy } from "../strategy.js";
import type { StrategyDefinition } from "./definition.js";
import { learnHyperWeights } from "./fedhca2-learning.js";
import { type ClientMemory, EMPTY_STATE, type FedHca2State, neededDirections } from "./fedhca2-state.js";

const IN_UNIT_INTERVAL = { atLeast: 0, atMost: 1 };

const OPTIONS = {
  /** c of the conflict-averse step. */
  conflictRadius: numberOption(0.4, { atLeast: 0 }),
  /** Initial α. */
  encoderAlpha: numberOption(0.1, IN_UNIT_INTERVAL),
  /** Initial β. */
  decoderBeta: numberOption(0.1, IN_UNIT_INTERVAL),
  attention: choiceOption("dot", ["dot", "cosine"]),
  /** Of the cosine attention. */
  temperature: numberOption(0.25, { moreThan: 0 }),
  /** For ablation: off, encoders stay the clients' own. */
  encoderPart: booleanOption(true),
  /** For ablation: off, decoders stay the clients' own. */
  decoderPart: booleanOption(true),
  /** Off: hyper-weights keep their initial values. */
  learnHyperWeights: booleanOption(true),
  /** On: hyper-weights are put back into [0, 1] after each step, so that they cannot stick outside. */
  projectHyperWeights: booleanOption(false),
  hyperOptimizer: nestedOption({
    learningRate: numberOption(0.01, { atLeast: 0 }),
    momentum: numberOption(0.9, { atLeast: 0, lessThan: 1 }),
    weightDecay: numberOption(1e-4, { atLeast: 0 }),
  }),
};

export type FedHca2Options = OptionsOf<typeof OPTIONS>;

export function createFedHca2(
  options: FedHca2Options,
  kernels: KernelBackend = referenceKernels,
): Strategy<FedHca2State> {
  const check = (clients: readonly ClientSpec[]): void => {
    if (options.encoderPart) assertSameEncoders(clients);
    if (options.decoderPart) assertSameDecoders(clients, () => "all");
  };
  return {
    name: "fedhca2",
    training: "sites",
    init(clients) {
      check(clients);
      return EMPTY_STATE;
    },
    assignment: () => PLAIN_ASSIGNMENT,
    aggregate(state, input) {
      check(input.clients);
      const cohort = openCohort(input, kernels);
      const { present } = cohort;
      const memories = new Map(
        present.map((client) => [client.spec.id, learnHyperWeights(client, input.round, state, options, kernels)]),
      );
      const params = new Map(present.map(({ spec, update }) => [spec.id, update.local.slice()]));
      const encoder = options.encoderPart ? mixEncodersInto(params, present, memories, options, kernels) : undefined;
      const attended = options.decoderPart
        ? mixDecodersInto(params, present, memories, options, kernels)
        : new Map<string, Float32Array>();
      assertFiniteParams(params, cohort, kernels);

      const traffic = { encoder: options.encoderPart, decoders: options.decoderPart };
      return {
        state: nextState(state, input.round, memories, encoder?.direction, attended, options),
        params,
        diagnostics: {
          ...diagnose(cohort, kernels, traffic, encoder?.gram),
          ...(encoder === undefined ? {} : { conflictWeights: encoder.conflictWeights }),
          hyperWeights: hyperWeightsOf(present, memories, options),
        },
      };
    },
  };
}

type Params = ReadonlyMap<ClientId, ParamVector>;
type Memories = ReadonlyMap<ClientId, ClientMemory>;

interface MixedEncoders {
  readonly gram: Float64Array;
  readonly direction: Float32Array;
  readonly conflictWeights: Readonly<Record<ClientId, number>>;
}

/** Step 2. Writes the encoder slots of `params`. */
function mixEncodersInto(
  params: Params,
  present: readonly PresentClient[],
  memories: Memories,
  { conflictRadius }: FedHca2Options,
  kernels: KernelBackend,
): MixedEncoders {
  const deltas = present.map(({ encoderDelta }) => encoderDelta);
  const gram = kernels.gram(deltas);
  const { weights, factors } = solveConflictAverse(gram, conflictRadius);
  const direction = new Float32Array(deltas[0]?.length ?? 0);
  kernels.weightedSumInto(direction, factors, deltas);

  for (const members of groupsOf(present)) {
    const groupMean = meanOf(members, kernels);
    for (const { spec, update, encoderSlots } of members) {
      const own = params.get(spec.id);
      const memory = memories.get(spec.id);
      if (own === undefined || memory === undefined) continue;
      const base = gather(update.base, encoderSlots);
      const mixed = new Float32Array(base.length);
      kernels.weightedSumInto(mixed, [1, 1, clamped(memory.alpha)], [base, groupMean, direction]);
      scatterInto(own, encoderSlots, mixed);
    }
  }
  let index = 0;
  return { gram, direction, conflictWeights: byClient(present, () => weights[index++] ?? 0) };
}

function groupsOf(present: readonly PresentClient[]): Iterable<readonly PresentClient[]> {
  const groups = new Map<string, PresentClient[]>();
  for (const client of present) {
    const key = groupKey(client.spec);
    groups.set(key, [...(groups.get(key) ?? []), client]);
  }
  return groups.values();
}

/** Clients of one domain and one task set, whatever the order of their tasks. */
function groupKey({ domain, tasks }: ClientSpec): string {
  return JSON.stringify([domain, [...new Set(tasks)].sort(compareText)]);
}

function meanOf(members: readonly PresentClient[], kernels: KernelBackend): Float32Array {
  const deltas = members.map(({ encoderDelta }) => encoderDelta);
  const mean = new Float32Array(deltas[0]?.length ?? 0);
  kernels.weightedSumInto(mean, new Float64Array(deltas.length).fill(1 / deltas.length), deltas);
  return mean;
}

/** Step 3. Writes the decoder slots of `params`; returns M_k by decoder key. */
function mixDecodersInto(
  params: Params,
  present: readonly PresentClient[],
  memories: Memories,
  options: FedHca2Options,
  kernels: KernelBackend,
): ReadonlyMap<string, Float32Array> {
  const decoders = present.flatMap((client) => client.decoders);
  const tensorSizes = decoders[0]?.slots.map(({ size }) => size) ?? [];
  const attended = attendAll(
    decoders.map(({ delta }) => delta),
    tensorSizes,
    options,
    kernels,
  );
  const byKey = new Map<string, Float32Array>();
  decoders.forEach(({ key, client, task, slots }, k) => {
    const own = params.get(client);
    const mix = attended[k];
    const betas = memories.get(client)?.decoders[task]?.betas;
    if (own === undefined || mix === undefined || betas === undefined) return;
    byKey.set(key, mix);
    let at = 0;
    for (const { offset, size, layerKey } of slots) {
      const beta = betas[layerKey];
      if (beta !== undefined) {
        kernels.addScaledInto(own.subarray(offset, offset + size), clamped(beta), mix.subarray(at, at + size));
      }
      at += size;
    }
  });
  return byKey;
}

function nextState(
  state: FedHca2State,
  round: number,
  memories: Memories,
  direction: Float32Array | undefined,
  attended: ReadonlyMap<string, Float32Array>,
  { learnHyperWeights: learns }: FedHca2Options,
): FedHca2State {
  const clients: Record<ClientId, ClientMemory> = { ...state.clients };
  for (const [id, memory] of memories) {
    const decoders = Object.entries(memory.decoders).map(([task, { betas }]) => [
      task,
      { betas, attended: learns ? (attended.get(`${id}/${task}`) ?? null) : null },
    ]);
    clients[id] = { ...memory, decoders: Object.fromEntries(decoders) };
  }
  const directions =
    learns && direction !== undefined && memories.size > 0
      ? { ...state.directions, [round]: direction }
      : state.directions;
  return { version: 1, clients, directions: neededDirections(directions, clients) };
}

/** The values used in this round; of a part that is switched off, none. */
function hyperWeightsOf(
  present: readonly PresentClient[],
  memories: Memories,
  { encoderPart, decoderPart }: FedHca2Options,
): HyperWeightValues {
  const decoderBeta: Record<string, Record<string, number>> = {};
  for (const { key, client, task } of decoderPart ? present.flatMap(({ decoders }) => decoders) : []) {
    const betas = Object.entries<HyperWeight>(memories.get(client)?.decoders[task]?.betas ?? {});
    decoderBeta[key] = Object.fromEntries(betas.map(([layer, { value }]) => [layer, value]));
  }
  const encoderAlpha = byClient(encoderPart ? present : [], ({ spec }) => memories.get(spec.id)?.alpha.value ?? 0);
  return { encoderAlpha, decoderBeta };
}

export const fedHca2Definition: StrategyDefinition = {
  summary: "personal params: conflict-averse encoder direction, cross attention of decoders, learned hyper-weights",
  source: "Lu et al., CVPR 2024, arXiv 2311.13250",
  defaults: parseOptions("fedhca2", {}, OPTIONS),
  create: (options) => createFedHca2(parseOptions("fedhca2", options, OPTIONS)),
};
