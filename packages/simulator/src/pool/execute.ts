/** Carries a job out on open sessions. Everything here is a function of the job and the examples. */
import { type GradientSurgery, surgeryWeights } from "@kumiai/algorithms";
import type { TaskId } from "@kumiai/params";
import type { OptimizerState, StepInput, StepResult } from "@kumiai/training";
import { TaskMetrics } from "../evaluation.js";
import { type Examples, inputBatch, labeledBatch } from "../examples.js";
import type { ModelSpec } from "../model.js";
import { gatherInto, scatterInto } from "../tied-store.js";
import type {
  EvaluateJob,
  EvaluateResult,
  Job,
  PredictJob,
  PredictResult,
  ResultOf,
  TrainJob,
  TrainPooledJob,
  TrainPooledResult,
  TrainResult,
} from "./jobs.js";
import { probe } from "./probe.js";
import type { SessionCache } from "./session-cache.js";

export type FindExamples = (key: string) => Examples;

export async function execute(job: Job, sessions: SessionCache, find: FindExamples): Promise<ResultOf<Job>> {
  switch (job.kind) {
    case "train":
      return train(job, sessions, find);
    case "trainPooled":
      return trainPooled(job, sessions, find);
    case "evaluate":
      return evaluate(job, sessions, find);
    case "predict":
      return predict(job, sessions, find);
    case "probe":
      return probe(job, sessions, find);
  }
}

async function train(job: TrainJob, sessions: SessionCache, find: FindExamples): Promise<TrainResult> {
  const session = await sessions.get(job.model, job.session);
  const examples = find(job.examples);
  const losses = new LossMeans();
  const { batchSize } = job.session;
  const proximal = job.proximalWeight > 0 ? { proximalWeight: job.proximalWeight, anchor: job.anchor } : {};
  const weighing = weighingOf(job.surgery);
  const optimizers: OptimizerState[] = [];
  let params = job.params;
  let step = 0;
  for (const { stepCount, frozen, optimizer } of job.phases) {
    session.load(params, optimizer ?? undefined);
    for (const end = step + stepCount; step < end; step++) {
      const rows = job.plan.order.subarray(step * batchSize, (step + 1) * batchSize);
      const batch = labeledBatch(tasksOf(job.model), examples, rows);
      const learningRate = job.plan.learningRates[step] ?? 0;
      losses.add(await session.step({ batch, learningRate, frozen, ...proximal, ...weighing }));
    }
    params = session.params();
    optimizers.push(session.optimizerState());
  }
  return { params, optimizers, taskLosses: losses.means() };
}

/**
 * Each turn: gather the member's params and moments from the store, one step, scatter them back. The step count of AdamW's bias
 * correction is that of the store, which for a slot that only every k-th turn visits is k times its own: the correction ends too early. Of
 * its moments the second is then too small for far longer than the first, so that its steps are too large. With k = 6 and the default
 * betas they are half of AdamW's at the first visit, 2.3 times after about 50 visits and within 10 % after about 1,800.
 */
async function trainPooled(
  job: TrainPooledJob,
  sessions: SessionCache,
  find: FindExamples,
): Promise<TrainPooledResult> {
  const store = job.store;
  let moments = job.optimizer?.moments ?? [];
  let stepCount = job.optimizer?.stepCount ?? 0;
  const nextStep = job.members.map(() => 0);
  const losses = job.members.map(() => new LossMeans());
  for (const turn of job.turns) {
    const member = job.members[turn];
    const step = nextStep[turn] ?? 0;
    if (member === undefined) continue;
    nextStep[turn] = step + 1;
    const session = await sessions.get(member.model, job.session);
    const size = session.model.layout.size;
    const gathered = (source: Float32Array): Float32Array => {
      const out = new Float32Array(size);
      gatherInto(out, source, member.pieces);
      return out;
    };
    const optimizer: OptimizerState | undefined =
      moments.length === 0 ? undefined : { stepCount, moments: moments.map(gathered) };
    session.load(gathered(store), optimizer);
    const { batchSize } = job.session;
    const rows = member.plan.order.subarray(step * batchSize, (step + 1) * batchSize);
    const batch = labeledBatch(tasksOf(member.model), find(member.examples), rows);
    const learningRate = member.plan.learningRates[step] ?? 0;
    losses[turn]?.add(await session.step({ batch, learningRate, ...weighingOf(member.surgery) }));
    scatterInto(store, session.params(), member.pieces);
    const after = session.optimizerState();
    if (moments.length === 0) moments = after.moments.map(() => new Float32Array(store.length));
    moments.forEach((moment, i) => {
      const own = after.moments[i];
      if (own !== undefined) scatterInto(moment, own, member.pieces);
    });
    stepCount++;
  }
  return { store, optimizer: { stepCount, moments }, taskLosses: losses.map((loss) => loss.means()) };
}

async function evaluate(job: EvaluateJob, sessions: SessionCache, find: FindExamples): Promise<EvaluateResult> {
  const session = await sessions.get(job.model, job.session);
  const examples = find(job.examples);
  session.load(job.params);
  const metrics = new TaskMetrics(job.model.tasks, examples);
  const { batchSize } = job.session;
  for (let first = 0; first < examples.count; first += batchSize) {
    const rows = rowsFrom(first, Math.min(first + batchSize, examples.count));
    const outputs = await session.predict(inputBatch(examples, rows));
    for (const task of tasksOf(job.model)) metrics.add(task, outputOf(outputs, task), rows);
  }
  return { metrics: metrics.results() };
}

async function predict(job: PredictJob, sessions: SessionCache, find: FindExamples): Promise<PredictResult> {
  const session = await sessions.get(job.model, job.session);
  session.load(job.params);
  const outputs = await session.predict(inputBatch(find(job.examples), Int32Array.from(job.rows)));
  return { outputs: Object.fromEntries(tasksOf(job.model).map((task) => [task, outputOf(outputs, task)])) };
}

function weighingOf(surgery: GradientSurgery | undefined): Pick<StepInput, "taskWeights"> {
  return surgery === undefined ? {} : { taskWeights: surgeryWeights(surgery) };
}

function tasksOf(model: ModelSpec): readonly TaskId[] {
  return model.tasks.map((task) => task.id);
}

function outputOf(outputs: Readonly<Record<string, Float32Array>>, task: TaskId): Float32Array {
  const output = outputs[task];
  if (output === undefined) throw new Error(`the model gave no output for ${task}`);
  return output;
}

function rowsFrom(first: number, end: number): Int32Array {
  return Int32Array.from({ length: end - first }, (_, i) => first + i);
}

/** Mean loss per task over steps, in f64. */
class LossMeans {
  readonly #sums = new Map<TaskId, number>();
  #count = 0;

  add(result: StepResult): void {
    this.#count++;
    for (const [task, loss] of result.taskLosses) this.#sums.set(task, (this.#sums.get(task) ?? 0) + loss);
  }

  means(): Readonly<Record<TaskId, number>> {
    return Object.fromEntries([...this.#sums].map(([task, sum]) => [task, sum / this.#count]));
  }
}
