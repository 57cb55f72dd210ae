/**
 * Loss and gradient of single examples, exact: one training step on a batch of one, at learning rate 0, by SGD with momentum on fresh
 * moments, whose moment then is the gradient.
 */
import { updateAlignment } from "@kumiai/algorithms";
import type { SessionOptions } from "@kumiai/training";
import type { Examples } from "../examples.js";
import { labeledBatch } from "../examples.js";
import type { ProbeJob, ProbeResult } from "./jobs.js";
import type { SessionCache } from "./session-cache.js";

const PROBE_SESSION: SessionOptions = { batchSize: 1, optimizer: { kind: "sgd", momentum: 0.5 } };

export async function probe(
  { model, params, rows, alignWith, examples: key }: ProbeJob,
  sessions: SessionCache,
  find: (key: string) => Examples,
): Promise<ProbeResult> {
  const session = await sessions.get(model, PROBE_SESSION);
  const examples = find(key);
  const tasks = model.tasks.map((task) => task.id);
  const losses: number[] = [];
  const alignments: number[] = [];
  for (const row of rows) {
    session.load(params);
    const { loss } = await session.step({ batch: labeledBatch(tasks, examples, Int32Array.of(row)), learningRate: 0 });
    losses.push(loss);
    const [gradient] = session.optimizerState().moments;
    if (alignWith !== null && gradient !== undefined) {
      alignments.push(updateAlignment(gradient, alignWith.update, alignWith.ranges));
    }
  }
  return { losses, alignments: alignWith === null ? null : alignments };
}
