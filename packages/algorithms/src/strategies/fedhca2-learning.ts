/**
 * Hyper-weight step of FedHCA² at the start of a client's second round and every later one.
 *
 * Notation — code name, symbol, shape:
 *   encoderDelta  Δ_i      [P]  the new update of client i, trained from the params that its last round gave it
 *   direction     Ũ        [P]  of the round in which the client last took part; by `pull` its own, θ̄ − θ_i of that round
 *   attended      M_k      [Q]  of that same round
 *
 *   ∂/∂α_i = ⟨Ũ, −Δ_i⟩ (with an α for each layer, over that layer),  ∂/∂β_{ℓ,k} = Σ_{p∈ℓ} ⟨M_k,p, −Δ_k,p⟩, where the hyper-weight is in [0, 1], else 0.
 *
 * A client that missed rounds trained from what its own last round gave it, so the Ũ and M_k of that round, not those of
 * rounds it missed, say how its hyper-weights entered its params. Missed rounds change neither values nor momentum.
 * A client without a past, or a task that it did not have then, starts with the initial values.
 */
import { type ClientId, KumiaiError, type ParamSlot } from "@kumiai/params";
import { type Cohort, type DecoderPart, decodersOf, type PresentClient, sizeOf } from "../cohort.js";
import {
  type HyperOptimizerOptions,
  type HyperWeight,
  initialHyperWeight,
  maskedGradient,
  stepHyperWeight,
} from "../hyper-weights.js";
import type { StateVector } from "../state-vector.js";
import type { Measurements, MeasureRequest } from "../strategy.js";
import { type ClientMemory, type DecoderMemory, type FedHca2State, findOwn, WHOLE } from "./fedhca2-state.js";

export interface LearningOptions {
  readonly encoderAlpha: number;
  readonly alphaPer: "client" | "layer";
  readonly decoderBeta: number;
  readonly learnHyperWeights: boolean;
  readonly projectHyperWeights: boolean;
  readonly hyperOptimizer: HyperOptimizerOptions;
}

/** The vectors that this round's hyper-weight step compares the new updates with. Throws LAYOUT_MISMATCH for a model that is not what it was. */
export function alignmentsToMeasure(
  state: FedHca2State,
  cohort: Cohort,
  { learnHyperWeights: learns }: Pick<LearningOptions, "learnHyperWeights">,
): Pick<MeasureRequest, "encoderAlignments" | "decoderAlignments"> {
  const encoders = new Map<ClientId, StateVector>();
  const decoders = new Map<string, StateVector>();
  for (const { spec, encoderSlots } of learns ? cohort.present : []) {
    const past = findOwn(state.clients, spec.id);
    const direction = past === undefined ? undefined : (past.direction ?? state.directions[past.lastRound]);
    if (direction === undefined) continue;
    assertSameSize(`encoder of client ${spec.id}`, direction.length, sizeOf(encoderSlots), spec.id);
    encoders.set(spec.id, direction);
  }
  for (const { key, client, task, slots } of learns ? decodersOf(cohort) : []) {
    const attended = findOwn(findOwn(state.clients, client)?.decoders, task)?.attended;
    if (!attended) continue;
    assertSameSize(`decoder ${key}`, attended.length, sizeOf(slots), client);
    decoders.set(key, attended);
  }
  return { encoderAlignments: encoders, decoderAlignments: decoders };
}

/** The client's hyper-weights for `round`. */
export function learnHyperWeights(
  client: PresentClient,
  round: number,
  state: FedHca2State,
  measured: Measurements,
  options: LearningOptions,
): ClientMemory {
  const past = findOwn(state.clients, client.spec.id);
  const decoders = client.decoders.map((decoder) => [
    decoder.task,
    { betas: learnBetas(decoder, findOwn(past?.decoders, decoder.task), measured, options), attended: null },
  ]);
  return {
    lastRound: round,
    alphas: learnAlphas(client, past, measured, options),
    direction: null,
    decoders: Object.fromEntries(decoders),
  };
}

/** The key of each slot's hyper-weight, in the order of the slots. */
export function alphaKeys(
  slots: readonly ParamSlot[],
  { alphaPer }: Pick<LearningOptions, "alphaPer">,
): readonly string[] {
  return slots.map(({ layerKey }) => (alphaPer === "layer" ? layerKey : WHOLE));
}

function learnAlphas(
  { spec: { id }, encoderSlots }: PresentClient,
  past: ClientMemory | undefined,
  { encoderAlignments, encoderLayerAlignments }: Measurements,
  options: LearningOptions,
): ClientMemory["alphas"] {
  const whole = encoderAlignments.get(id);
  const alignments =
    options.alphaPer === "layer"
      ? encoderLayerAlignments.get(id)
      : whole === undefined
        ? undefined
        : new Map([[WHOLE, whole]]);
  const keys = new Set(alphaKeys(encoderSlots, options));
  return learnEach(keys, past?.alphas, alignments, options.encoderAlpha, options);
}

function learnBetas(
  { key, slots }: DecoderPart,
  past: DecoderMemory | undefined,
  { decoderAlignments }: Measurements,
  options: LearningOptions,
): DecoderMemory["betas"] {
  const byTensor = decoderAlignments.get(key);
  const alignments = new Map<string, number>();
  slots.forEach(({ layerKey }, tensor) => {
    alignments.set(layerKey, (alignments.get(layerKey) ?? 0) + (byTensor?.[tensor] ?? 0));
  });
  const learnable = byTensor === undefined ? undefined : alignments;
  return learnEach(alignments.keys(), past?.betas, learnable, options.decoderBeta, options);
}

/** `alignments`: of the direction with the new update, by layer; undefined if there is nothing to learn from. */
function learnEach(
  layers: Iterable<string>,
  past: Readonly<Record<string, HyperWeight>> | undefined,
  alignments: ReadonlyMap<string, number> | undefined,
  initial: number,
  { hyperOptimizer, projectHyperWeights }: LearningOptions,
): Readonly<Record<string, HyperWeight>> {
  const next = Array.from(layers, (layer) => {
    const weight = findOwn(past, layer) ?? initialHyperWeight(initial);
    if (alignments === undefined) return [layer, weight];
    const gradient = maskedGradient(weight, alignments.get(layer) ?? 0);
    return [layer, stepHyperWeight(weight, gradient, hyperOptimizer, projectHyperWeights)];
  });
  return Object.fromEntries(next);
}

function assertSameSize(what: string, past: number, now: number, client: ClientId): void {
  if (past !== now) {
    throw new KumiaiError(
      "LAYOUT_MISMATCH",
      `${what}: expected ${past} numbers as in its last round, received ${now}; a client keeps its model during a run`,
      { client, expected: past, received: now },
    );
  }
}
