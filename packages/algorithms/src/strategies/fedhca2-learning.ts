/**
 * Hyper-weight step of FedHCA² at the start of a client's second round and every later one.
 *
 * Notation — code name, symbol, shape:
 *   encoderDelta  Δ_i      [P]  the new update of client i, trained from the params that its last round gave it
 *   direction     Ũ        [P]  of the round in which the client last took part
 *   attended      M_k      [Q]  of that same round
 *
 *   ∂/∂α_i = ⟨Ũ, −Δ_i⟩,  ∂/∂β_{ℓ,k} = Σ_{p∈ℓ} ⟨M_k,p, −Δ_k,p⟩, where the hyper-weight is in [0, 1], else 0.
 *
 * A client that missed rounds trained from what its own last round gave it, so the Ũ and M_k of that round, not those of
 * rounds it missed, say how its hyper-weights entered its params. Missed rounds change neither values nor momentum.
 * A client without a past, or a task that it did not have then, starts with the initial values.
 */
import type { KernelBackend } from "@kumiai/kernels";
import { type ClientId, KumiaiError } from "@kumiai/params";
import type { DecoderPart, PresentClient } from "../cohort.js";
import {
  type HyperOptimizerOptions,
  type HyperWeight,
  initialHyperWeight,
  maskedGradient,
  stepHyperWeight,
} from "../hyper-weights.js";
import { type ClientMemory, type DecoderMemory, type FedHca2State, findOwn } from "./fedhca2-state.js";

export interface LearningOptions {
  readonly encoderAlpha: number;
  readonly decoderBeta: number;
  readonly learnHyperWeights: boolean;
  readonly projectHyperWeights: boolean;
  readonly hyperOptimizer: HyperOptimizerOptions;
}

/** The client's hyper-weights for `round`. Throws LAYOUT_MISMATCH if its model is not the one that it had before. */
export function learnHyperWeights(
  client: PresentClient,
  round: number,
  state: FedHca2State,
  options: LearningOptions,
  kernels: KernelBackend,
): ClientMemory {
  const past = findOwn(state.clients, client.spec.id);
  const decoders = client.decoders.map((decoder) => [
    decoder.task,
    { betas: learnBetas(decoder, findOwn(past?.decoders, decoder.task), options, kernels), attended: null },
  ]);
  return {
    lastRound: round,
    alpha: learnAlpha(client, past, state, options, kernels),
    decoders: Object.fromEntries(decoders),
  };
}

function learnAlpha(
  { spec, encoderDelta }: PresentClient,
  past: ClientMemory | undefined,
  { directions }: FedHca2State,
  options: LearningOptions,
  kernels: KernelBackend,
): HyperWeight {
  if (past === undefined) return initialHyperWeight(options.encoderAlpha);
  const direction = directions[past.lastRound];
  if (!options.learnHyperWeights || direction === undefined) return past.alpha;
  assertSameSize(`encoder of client ${spec.id}`, direction, encoderDelta, spec.id);
  const gradient = maskedGradient(past.alpha, kernels.dot(direction, encoderDelta));
  return stepHyperWeight(past.alpha, gradient, options.hyperOptimizer, options.projectHyperWeights);
}

function learnBetas(
  { key, client, slots, delta }: DecoderPart,
  past: DecoderMemory | undefined,
  options: LearningOptions,
  kernels: KernelBackend,
): Readonly<Record<string, HyperWeight>> {
  if (past?.attended) assertSameSize(`decoder ${key}`, past.attended, delta, client);
  const alignments = new Map<string, number>();
  let at = 0;
  for (const { size, layerKey } of slots) {
    const part = delta.subarray(at, at + size);
    const inner = past?.attended ? kernels.dot(past.attended.subarray(at, at + size), part) : 0;
    alignments.set(layerKey, (alignments.get(layerKey) ?? 0) + inner);
    at += size;
  }
  const betas = [...alignments].map(([layer, alignment]) => {
    const beta = findOwn(past?.betas, layer) ?? initialHyperWeight(options.decoderBeta);
    if (!options.learnHyperWeights || !past?.attended) return [layer, beta];
    const gradient = maskedGradient(beta, alignment);
    return [layer, stepHyperWeight(beta, gradient, options.hyperOptimizer, options.projectHyperWeights)];
  });
  return Object.fromEntries(betas);
}

function assertSameSize(what: string, past: Float32Array, now: Float32Array, client: ClientId): void {
  if (past.length !== now.length) {
    throw new KumiaiError(
      "LAYOUT_MISMATCH",
      `${what}: expected ${past.length} numbers as in its last round, received ${now.length}; a client keeps its model during a run`,
      { client, expected: past.length, received: now.length },
    );
  }
}
