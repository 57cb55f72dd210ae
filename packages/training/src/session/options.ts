/** What callers ask of a session, checked: it may come from JavaScript or from a file. */
import { KumiaiError } from "@kumiai/params";
import type { OptimizerSpec, SessionOptions, StepInput } from "../types.js";

const GROUP_NAMES = ["encoder", "decoder", "head", "stem"] as const;

/** Groups that a step can leave as they are. */
export type GroupName = (typeof GROUP_NAMES)[number];

/** Throws MODEL_INVALID for an unknown optimizer, INVALID_CONFIG for a value out of range. */
export function checkSessionOptions({ batchSize, optimizer, clipNorm, threadCount = 1 }: SessionOptions): void {
  if (!isCount(batchSize)) refuse("session option batchSize", "an integer of 1 or more", batchSize);
  if (!isCount(threadCount)) refuse("session option threadCount", "an integer of 1 or more", threadCount);
  if (clipNorm !== undefined && !(clipNorm > 0)) refuse("session option clipNorm", "a number above 0", clipNorm);
  checkOptimizer(optimizer);
}

function checkOptimizer(optimizer: OptimizerSpec): void {
  const refuseOption = (name: string, expected: string, value: number): never =>
    refuse(`session option optimizer.${name}`, expected, value);
  const checkShare = (name: string, value: number): void => {
    if (!(value >= 0 && value < 1)) refuseOption(name, "a number of at least 0 and below 1", value);
  };
  switch (optimizer?.kind) {
    case "adamw": {
      const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = optimizer;
      checkShare("beta1", beta1);
      checkShare("beta2", beta2);
      if (!(epsilon > 0)) refuseOption("epsilon", "a number above 0", epsilon);
      break;
    }
    case "sgd":
      checkShare("momentum", optimizer.momentum ?? 0);
      break;
    default: {
      const { kind } = (optimizer ?? {}) as { kind?: unknown };
      throw new KumiaiError(
        "MODEL_INVALID",
        `session option optimizer: expected the kind to be adamw or sgd, received ${String(kind)}`,
      );
    }
  }
  const { weightDecay = 0 } = optimizer;
  if (!isAmount(weightDecay)) refuseOption("weightDecay", "0 or more", weightDecay);
}

/** Throws INVALID_CONFIG for a value out of range, DATA_MALFORMED for a step without a batch. */
export function checkStepInput({ batch, learningRate, proximalWeight = 0, frozen = [] }: StepInput): void {
  if (!isAmount(learningRate)) refuse("learningRate", "0 or more", learningRate);
  if (!isAmount(proximalWeight)) refuse("proximalWeight", "0 or more", proximalWeight);
  for (const group of frozen) {
    if (!GROUP_NAMES.includes(group)) refuse("frozen", `only ${GROUP_NAMES.join(", ")}`, group);
  }
  if (typeof batch !== "object" || batch === null) {
    throw new KumiaiError("DATA_MALFORMED", `batch: expected inputs by name, received ${String(batch)}`);
  }
}

/** The weights, if there is a finite one for each task. Throws INVALID_CONFIG. */
export function checkTaskWeights(weights: Float64Array, taskCount: number): Float64Array {
  if (weights.length !== taskCount || !weights.every(Number.isFinite)) {
    refuse("taskWeights", `${taskCount} finite numbers`, `[${weights.join(", ")}]`);
  }
  return weights;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function isAmount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function refuse(name: string, expected: string, received: unknown): never {
  throw new KumiaiError("INVALID_CONFIG", `${name}: expected ${expected}, received ${String(received)}`);
}
