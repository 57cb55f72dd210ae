/**
 * FedHCA² (Lu, Huang, Yang, Sirejiding, Ding, Lu, CVPR 2024, arXiv 2311.13250): personalized params for sites with
 * different tasks, from a conflict-averse encoder direction and cross attention between decoders, each taken in by
 * learned hyper-weights.
 *
 * Notation — code name, symbol, shape:
 *   encoderDelta  Δ_i      [P]  local − base of client i's encoder
 *   direction     Ũ        [P]  one for all clients, see `conflict-averse.ts`; by another `encoderRule` the middle of the Δ_i, see `encoder-rule.ts`
 *   groupMean     Δ̄_i      [P]  mean Δ of the clients present with i's domain and task set, wherever they stand; by another `encoderRule` their middle
 *   pull          d_i      [P]  by `encoderRule: "pull"`, in place of Ũ: θ̄ − (base_i + Δ̄_i), with θ̄ the mean over the clients present of base_j + Δ_j
 *   alpha         α_i           hyper-weight of Ũ for client i; with `alphaPer: "layer"` one for each layer of the encoder
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
 * the options `attention: "cosine"`, `projectHyperWeights`, `encoderRule`, `normalizeUpdates`, `alphaPer` and the switches of parts, none of which is the
 * default. A rule holds for encoders alone: M_k still hears everybody.
 */
import type { BlockRule, Operand, SketchSpec } from "@kumiai/kernels";
import { type ClientId, KumiaiError, type ParamSlot } from "@kumiai/params";
import {
  assertSameDecoders,
  assertSameEncoders,
  type Cohort,
  compareText,
  decodersOf,
  type PresentClient,
  sizeOf,
} from "../cohort.js";
import { equalizeLengths, solveConflictAverse } from "../conflict-averse.js";
import { attentionOf } from "../cross-attention.js";
import { defineStrategy } from "../define-strategy.js";
import { byClient } from "../diagnostics.js";
import { chooseCenter } from "../encoder-rule.js";
import { clamped, type HyperWeight } from "../hyper-weights.js";
import type { StateVector } from "../state-vector.js";
import {
  type ClientSpec,
  type Destination,
  type GroupMix,
  type HyperWeightValues,
  type Keep,
  type Measurements,
  NOTHING_MEASURED,
  PLAIN_ASSIGNMENT,
  type RoundDiagnostics,
  type Strategy,
} from "../strategy.js";
import { alignmentsToMeasure, alphaKeys, learnHyperWeights } from "./fedhca2-learning.js";
import type { FedHca2Options } from "./fedhca2-options.js";
import { type ClientMemory, EMPTY_STATE, type FedHca2State, neededDirections } from "./fedhca2-state.js";

/** `name`: under which an ablation is registered. */
export function createFedHca2(options: FedHca2Options, name: string): Strategy<FedHca2State> {
  const isByLayer = options.encoderPart && options.alphaPer === "layer";
  if (isByLayer && options.weights === "sketch") {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `strategy option ${name}.weights: expected "exact" with alphaPer "layer", since a sketch does not tell layers apart; received "sketch"`,
      { option: `${name}.weights`, expected: "exact", received: "sketch" },
    );
  }
  const check = (clients: readonly ClientSpec[]): void => {
    if (options.encoderPart) assertSameEncoders(clients);
    if (options.decoderPart) assertSameDecoders(clients, () => "all");
  };
  return defineStrategy({
    name,
    training: "sites",
    init(clients) {
      check(clients);
      return EMPTY_STATE;
    },
    assignment: () => PLAIN_ASSIGNMENT,
    measure(state, cohort) {
      check(cohort.roster);
      const source = options.weights === "sketch" ? sketchOfRound(cohort.round, options) : "exact";
      return {
        ...NOTHING_MEASURED,
        encoderGram: options.encoderPart ? source : "any",
        encoderLayerGrams: isByLayer ? "exact" : "none",
        decoderGrams: options.decoderPart ? source : "none",
        ...alignmentsToMeasure(state, cohort, options),
      };
    },
    decide(state, cohort, measured, keep) {
      const { present, round } = cohort;
      const memories = new Map(
        present.map((client) => [client.spec.id, learnHyperWeights(client, round, state, measured, options)]),
      );
      const inputs = { cohort, measured, memories, keep, options };
      const encoder = options.encoderPart && present.length > 0 ? mixEncoders(inputs) : undefined;
      const decoders = options.decoderPart ? mixDecoders(inputs) : undefined;
      return {
        state: nextState(state, round, memories, { encoder: encoder?.kept, attended: decoders?.attended }),
        mixes: [...(encoder?.mixes ?? []), ...(decoders?.mixes ?? [])],
        traffic: { encoder: options.encoderPart, decoders: options.decoderPart },
        diagnostics: {
          ...encoder?.diagnostics,
          ...(decoders === undefined ? {} : { attention: decoders.attention }),
          hyperWeights: hyperWeightsOf(cohort, memories, options),
        },
      };
    },
  });
}

/** A new seed in every round, so that the errors of rounds are independent. */
function sketchOfRound(round: number, { sketchSize, sketchSeed }: FedHca2Options): SketchSpec {
  return { size: sketchSize, seed: sketchSeed * SEEDS_PER_RUN + round * SEEDS_PER_ROUND };
}

/** A round uses one seed for the encoder and one for each tensor of a decoder. */
const SEEDS_PER_ROUND = 2 ** 12;
const SEEDS_PER_RUN = 2 ** 32;

type Memories = ReadonlyMap<ClientId, ClientMemory>;

interface MixInputs {
  readonly cohort: Cohort;
  readonly measured: Measurements;
  readonly memories: Memories;
  readonly keep: Keep;
  readonly options: FedHca2Options;
}

interface EncoderMix {
  readonly mixes: readonly GroupMix[];
  readonly kept: KeptDirections;
  readonly diagnostics: Pick<RoundDiagnostics, "conflictWeights" | "robustness">;
}

/** What the next hyper-weight step compares updates with: one vector for all, or by client; nothing where nothing learns. */
interface KeptDirections {
  readonly common: StateVector | undefined;
  readonly own: ReadonlyMap<ClientId, StateVector>;
}

/** Step 2, in one piece or slot by slot. */
function mixEncoders(inputs: MixInputs): EncoderMix {
  const { cohort, measured, options } = inputs;
  const { present } = cohort;
  const slots = present[0]?.encoderSlots ?? [];
  const everybody = present.map((_, row) => row);
  const center = centering(present, measured, options);
  const common =
    options.encoderRule === "pull"
      ? { block: meanAfter(everybody), diagnostics: {} }
      : (center?.(everybody) ?? conflictAverse(present, measured, options));
  const groups = Array.from(groupsOf(present), (rows) => ({
    rows,
    mean: rows.length === 1 ? undefined : (center?.(rows).block ?? meanOf(rows)),
  }));
  const kept = keepDirections(inputs, sizeOf(slots));
  return {
    mixes: cutsOf(slots, options).map((cut) => ({
      rows: present.map(({ spec, encoderSlots }) => ({
        client: spec.id,
        slots: cut.end - cut.first === encoderSlots.length ? encoderSlots : encoderSlots.slice(cut.first, cut.end),
      })),
      blocks: encoderBlocks(cut, { common: common.block, groups, kept }, inputs),
    })),
    kept,
    diagnostics: common.diagnostics,
  };
}

/** Neighboring slots under one hyper-weight; `start`: where their numbers begin when all slots are taken end to end. */
interface Cut {
  readonly first: number;
  readonly end: number;
  readonly start: number;
  readonly key: string;
}

function cutsOf(slots: readonly ParamSlot[], options: FedHca2Options): readonly Cut[] {
  const cuts: Cut[] = [];
  let start = 0;
  for (const [first, key] of alphaKeys(slots, options).entries()) {
    const last = cuts.at(-1);
    if (last?.key === key) cuts[cuts.length - 1] = { ...last, end: first + 1 };
    else cuts.push({ first, end: first + 1, start, key });
    start += slots[first]?.size ?? 0;
  }
  return cuts;
}

function keepDirections({ cohort, keep, options }: MixInputs, length: number): KeptDirections {
  const { present, round } = cohort;
  if (!options.learnHyperWeights) return { common: undefined, own: new Map() };
  if (options.encoderRule !== "pull") return { common: keep(`direction/${round}`, length), own: new Map() };
  const own = present.map(({ spec: { id } }) => [id, keep(`pull/${round}/${id}`, length)] as const);
  return { common: undefined, own: new Map(own) };
}

interface EncoderRecipe {
  readonly common: Combined["block"];
  readonly groups: readonly { readonly rows: readonly number[]; readonly mean: Combined["block"] | undefined }[];
  readonly kept: KeptDirections;
}

/** Results: 0 is Ũ (θ̄ by `pull`), then the mean of each group of several, then the clients' params, then what is kept of each pull. */
function encoderBlocks(
  { key, start }: Cut,
  { common, groups, kept }: EncoderRecipe,
  { cohort: { present }, memories, options }: MixInputs,
): GroupMix["blocks"] {
  const blocks: GroupMix["blocks"][number][] = [{ ...common, results: [keptIn(kept.common, start)] }];
  const stepOf = new Map<number, Operand>();
  for (const { rows, mean } of groups) {
    for (const row of rows) stepOf.set(row, mean === undefined ? { delta: row } : { result: blocks.length });
    if (mean !== undefined) blocks.push({ ...mean, results: [[]] });
  }
  const made = present.map(({ spec: { id } }, row) => {
    const alpha = clamped(memories.get(id)?.alphas[key] ?? { value: 0, velocity: 0 });
    const own = options.encoderRule === "pull" ? 1 - alpha : 1;
    return { id, row, alpha, own, operands: [{ before: row }, stepOf.get(row) ?? { delta: row }, { result: 0 }] };
  });
  for (const { row, operands, own, alpha } of made) {
    blocks.push({ operands, factors: Float64Array.of(own, own, alpha), results: [[{ row }]] });
  }
  for (const { id, operands } of made) {
    const vector = kept.own.get(id);
    if (vector === undefined) continue;
    blocks.push({ operands, factors: Float64Array.of(-1, -1, 1), results: [keptIn(vector, start)] });
  }
  return blocks;
}

/** What several updates become: a block without the places of its result. */
interface Combined {
  readonly block: Pick<GroupMix["blocks"][number], "operands"> & BlockRule;
  readonly diagnostics: EncoderMix["diagnostics"];
}

function conflictAverse(
  present: readonly PresentClient[],
  { encoderGram }: Measurements,
  { conflictRadius, normalizeUpdates }: FedHca2Options,
): Combined {
  const { gram, scales } = normalizeUpdates ? equalizeLengths(encoderGram) : { gram: encoderGram, scales: undefined };
  const { weights, factors } = solveConflictAverse(gram, conflictRadius);
  let index = 0;
  return {
    block: {
      operands: present.map((_, row) => ({ delta: row })),
      factors: factors.map((factor, row) => factor * (scales?.[row] ?? 1)),
    },
    diagnostics: { conflictWeights: byClient(present, () => weights[index++] ?? 0) },
  };
}

function meanOf(rows: readonly number[]): Combined["block"] {
  const factors = new Float64Array(rows.length).fill(1 / rows.length);
  return { operands: rows.map((row) => ({ delta: row })), factors };
}

function meanAfter(rows: readonly number[]): Combined["block"] {
  const factors = new Float64Array(rows.length).fill(1 / rows.length);
  return { operands: rows.map((row) => ({ after: row })), factors };
}

/** The middle of some clients' updates by the rule of the options; undefined where they have none. Distances come from the Gram: ‖Δ_i − Δ_j‖². */
function centering(
  present: readonly PresentClient[],
  { encoderGram }: Measurements,
  { encoderRule, ...rest }: FedHca2Options,
): ((rows: readonly number[]) => Combined) | undefined {
  if (encoderRule === "conflict-averse" || encoderRule === "pull") return undefined;
  const gram = (i: number, j: number): number => encoderGram[i * present.length + j] ?? 0;
  return (members) => {
    const clients = members.flatMap((row) => present[row]?.spec.id ?? []);
    const { rows, by, robustness } = chooseCenter(clients, { ...rest, encoderRule }, (a, b) => {
      const [i, j] = [members[a] ?? 0, members[b] ?? 0];
      return Math.max(0, gram(i, i) + gram(j, j) - 2 * gram(i, j));
    });
    const operands = rows.map((row) => ({ delta: members[row] ?? 0 }));
    return { block: { operands, ...by }, diagnostics: { robustness: [robustness] } };
  };
}

/** Rows of clients of one domain and one task set, whatever the order of their tasks. */
function groupsOf(present: readonly PresentClient[]): Iterable<readonly number[]> {
  const groups = new Map<string, number[]>();
  present.forEach(({ spec: { domain, tasks } }, row) => {
    const key = JSON.stringify([domain, [...new Set(tasks)].sort(compareText)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  });
  return groups.values();
}

function keptIn(vector: StateVector | undefined, from: number): readonly Destination[] {
  return vector === undefined ? [] : [{ keep: vector, from }];
}

interface DecoderMix {
  readonly mixes: readonly GroupMix[];
  /** M_k by decoder key; empty where nothing learns from it. */
  readonly attended: ReadonlyMap<string, StateVector>;
  readonly attention: {
    readonly decoders: readonly string[];
    readonly tensors: Readonly<Record<string, Float64Array>>;
  };
}

/** Step 3, tensor by tensor. Results: first M_k of every decoder, then their params. */
function mixDecoders({ cohort, measured, memories, keep, options }: MixInputs): DecoderMix {
  const decoders = decodersOf(cohort);
  const attended = new Map<string, StateVector>();
  if (options.learnHyperWeights) {
    for (const { key, slots } of decoders) attended.set(key, keep(`attended/${key}`, sizeOf(slots)));
  }
  const tensors: [string, Float64Array][] = [];
  let from = 0;
  const mixes = (decoders[0]?.slots ?? []).map(({ key, size }, tensor): GroupMix => {
    const start = from;
    from += size;
    const attention = attentionOf(measured.decoderGram(tensor), size, options);
    tensors.push([key, attention]);
    return {
      rows: decoders.map(({ client, slots }) => ({ client, slots: slots.slice(tensor, tensor + 1) })),
      blocks: [
        {
          operands: decoders.map((_, row) => ({ delta: row })),
          factors: attention,
          results: decoders.map((decoder) => keptIn(attended.get(decoder.key), start)),
        },
        ...decoders.map(({ client, task, slots }, row) => {
          const beta = memories.get(client)?.decoders[task]?.betas[slots[tensor]?.layerKey ?? ""];
          return {
            operands: [{ after: row }, { result: row }],
            factors: Float64Array.of(1, beta === undefined ? 0 : clamped(beta)),
            results: [[{ row }]],
          };
        }),
      ],
    };
  });
  return {
    mixes,
    attended,
    attention: { decoders: decoders.map(({ key }) => key), tensors: Object.fromEntries(tensors) },
  };
}

function nextState(
  state: FedHca2State,
  round: number,
  memories: Memories,
  {
    encoder,
    attended,
  }: { readonly encoder: KeptDirections | undefined; readonly attended: DecoderMix["attended"] | undefined },
): FedHca2State {
  const clients: Record<ClientId, ClientMemory> = { ...state.clients };
  for (const [id, memory] of memories) {
    const decoders = Object.entries(memory.decoders).map(([task, { betas }]) => [
      task,
      { betas, attended: attended?.get(`${id}/${task}`) ?? null },
    ]);
    const direction = encoder?.own.get(id) ?? null;
    clients[id] = { ...memory, direction, decoders: Object.fromEntries(decoders) };
  }
  const common = encoder?.common;
  const directions = common === undefined ? state.directions : { ...state.directions, [round]: common };
  return { version: 1, clients, directions: neededDirections(directions, clients) };
}

/** The values used in this round; of a part that is switched off, none. */
function hyperWeightsOf(
  cohort: Cohort,
  memories: Memories,
  { encoderPart, decoderPart }: FedHca2Options,
): HyperWeightValues {
  const decoderBeta: Record<string, Record<string, number>> = {};
  for (const { key, client, task } of decoderPart ? decodersOf(cohort) : []) {
    const betas = Object.entries<HyperWeight>(memories.get(client)?.decoders[task]?.betas ?? {});
    decoderBeta[key] = Object.fromEntries(betas.map(([layer, { value }]) => [layer, value]));
  }
  const encoderAlpha = byClient(encoderPart ? cohort.present : [], ({ spec }) => {
    const values = Object.values<HyperWeight>(memories.get(spec.id)?.alphas ?? {}).map(({ value }) => value);
    return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  });
  return { encoderAlpha, decoderBeta };
}
