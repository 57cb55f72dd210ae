/** Training sessions on ONNX Runtime. */
import { createRng, KumiaiError, type ParamVector, type Rng } from "@kumiai/params";
import type {
  Batch,
  Model,
  OptimizerState,
  SessionOptions,
  StepInput,
  StepResult,
  TaskWeights,
  TrainingSession,
} from "../types.js";
import { checkBatch, exampleCount, fill } from "./feed.js";
import { checkSessionOptions, checkStepInput, checkTaskWeights, type GroupName } from "./options.js";
import {
  openPredictProgram,
  openStepProgram,
  openUpdateProgram,
  type PredictProgram,
  type StepProgram,
  type UpdateProgram,
} from "./programs.js";
import { bind, runGraph, type Tensor } from "./runtime.js";
import { createSide, isFinite32, type Side } from "./side.js";
import { momentCountOf, STEP_SCALARS } from "./step-graph.js";
import { isTrainedShared, openTaskGradients, type TaskGradients } from "./task-gradients.js";

/**
 * Opens a session: builds and compiles the step graph (about 0.1 to 1 s). Throws MODEL_INVALID for a
 * bad model or an unknown optimizer, INVALID_CONFIG for options out of range. Params are zeros until `load`.
 */
export async function openTrainingSession(model: Model, options: SessionOptions): Promise<TrainingSession> {
  checkSessionOptions(options);
  const session = new OnnxSession(model, options);
  await session.prepare();
  return session;
}

class OnnxSession implements TrainingSession {
  readonly model: Model;
  readonly #options: SessionOptions;
  readonly #noiseRng: Rng;
  #current: Side;
  #other: Side;
  #stepCount = 0;
  #closed = false;
  readonly #programs = new Map<boolean, Promise<StepProgram>>();
  readonly #updates = new Map<boolean, Promise<UpdateProgram>>();
  #taskGradients: Promise<TaskGradients> | undefined;
  #predictor: Promise<PredictProgram> | undefined;
  readonly #updateMask: Float32Array;
  readonly #proximal: Float32Array;
  readonly #anchor: Float32Array;
  readonly #scalars = new Float32Array(STEP_SCALARS.length);
  readonly #report: Float32Array;
  readonly #fixedInputs: Readonly<Record<string, Tensor>>;
  readonly #proximalInputs: Readonly<Record<string, Tensor>>;
  readonly #reportTensor: Tensor;
  #maskKey: string | undefined;
  #proximalWeight: number | undefined;

  constructor(model: Model, options: SessionOptions) {
    this.model = model;
    this.#options = options;
    this.#noiseRng = createRng(options.seed ?? 0).split("noise");
    const { size } = model.layout;
    const momentCount = momentCountOf(options.optimizer);
    this.#current = createSide(size, momentCount);
    this.#other = createSide(size, momentCount);
    this.#updateMask = new Float32Array(size);
    this.#proximal = new Float32Array(size);
    this.#anchor = new Float32Array(size);
    this.#report = new Float32Array(2 + model.tasks.length);
    this.#reportTensor = bind(this.#report, [this.#report.length]);
    this.#fixedInputs = {
      updateMask: bind(this.#updateMask, [size]),
      scalars: bind(this.#scalars, [this.#scalars.length]),
    };
    this.#proximalInputs = { anchor: bind(this.#anchor, [size]), proximal: bind(this.#proximal, [size]) };
  }

  /** Compiles the plain step, so that a bad model fails when the session is opened. */
  async prepare(): Promise<void> {
    if (this.model.tasks.length > 0) await this.#program(false);
  }

  load(params: ParamVector, optimizer?: OptimizerState): void {
    this.#checkOpen();
    const { size } = this.model.layout;
    const { moments } = this.#current;
    if (params.length !== size) throw mismatch("params", size, params.length);
    if (optimizer !== undefined && optimizer.moments.length !== moments.length) {
      throw mismatch("moments of the optimizer", moments.length, optimizer.moments.length);
    }
    for (const moment of optimizer?.moments ?? []) {
      if (moment.length !== size) throw mismatch("a moment of the optimizer", size, moment.length);
    }
    this.#current.params.set(params);
    moments.forEach((moment, i) => {
      const source = optimizer?.moments[i];
      if (source === undefined) moment.fill(0);
      else moment.set(source);
    });
    this.#stepCount = optimizer?.stepCount ?? 0;
  }

  async step(input: StepInput): Promise<StepResult> {
    this.#checkOpen();
    checkStepInput(input);
    const isProximal = (input.proximalWeight ?? 0) > 0;
    const weigh = this.#sharesTrained(input) ? input.taskWeights : undefined;
    if (isProximal) this.#setProximal(input);
    this.#setUpdateMask(input.frozen ?? []);
    this.#setScalars(input.learningRate);
    const inputs = { ...this.#current.asInputs, ...this.#fixedInputs, ...(isProximal ? this.#proximalInputs : {}) };
    if (weigh === undefined) {
      const program = await this.#program(isProximal);
      const outputs = { ...this.#other.asOutputs, report: this.#reportTensor };
      await runGraph(program.session, { ...inputs, ...this.#feed(program, input.batch) }, outputs);
    } else {
      await this.#stepWeighed(input, weigh, inputs);
    }
    return this.#accept();
  }

  /** Both halves of a step in which tasks are weighed; what they give stands where the plain step leaves it. */
  async #stepWeighed(input: StepInput, weigh: TaskWeights, fixed: Readonly<Record<string, Tensor>>): Promise<void> {
    const { params } = this.#current.asInputs;
    const [tasks, update] = [await this.#tasks(), await this.#updateProgram((input.proximalWeight ?? 0) > 0)];
    await tasks.run({ ...(params === undefined ? {} : { params }), ...this.#feed(tasks, input.batch) });
    const [loss = Number.NaN, ...taskLosses] = tasks.report();
    const gram = tasks.gram(input.frozen ?? []);
    if (!gram.every(Number.isFinite)) throw this.#diverged(loss, Number.NaN);
    const { length } = taskLosses;
    tasks.combineInto(update.gradient.array, checkTaskWeights(weigh(gram, length), length));
    const { gradient, norm } = update;
    await runGraph(
      update.session,
      { ...fixed, gradient: gradient.tensor },
      { ...this.#other.asOutputs, norm: norm.tensor },
    );
    tasks.buffersInto(this.#other.params);
    this.#report.set([loss, norm.array[0] ?? Number.NaN, ...taskLosses]);
  }

  /** Fills the inputs of a batch, and fresh noise; the tensors by name. */
  #feed({ feeds, noises }: Pick<StepProgram, "feeds" | "noises">, batch: Batch): Readonly<Record<string, Tensor>> {
    const { batchSize } = this.#options;
    checkBatch(feeds, batch, batchSize);
    for (const feed of feeds) fill(feed, batch[feed.spec.name], 0, batchSize);
    const stepRng = this.#noiseRng.split(this.#stepCount);
    for (const { array, graphName } of noises) fillUniform(array, stepRng.split(graphName));
    return Object.fromEntries([
      ...feeds.map(({ spec, tensor }) => [spec.name, tensor] as const),
      ...noises.map(({ graphName, tensor }) => [graphName, tensor] as const),
    ]);
  }

  /** Do several tasks train the same params in this step? */
  #sharesTrained({ frozen = [] }: StepInput): boolean {
    const { layout, tasks } = this.model;
    return tasks.length > 1 && layout.slots.some((slot) => isTrainedShared(slot, frozen));
  }

  params(): ParamVector {
    this.#checkOpen();
    return this.#current.params.slice();
  }

  optimizerState(): OptimizerState {
    this.#checkOpen();
    return { stepCount: this.#stepCount, moments: this.#current.moments.map((moment) => moment.slice()) };
  }

  async predict(inputs: Batch): Promise<Readonly<Record<string, Float32Array>>> {
    this.#checkOpen();
    this.#predictor ??= openPredictProgram(this.model, this.#options);
    const { session, feeds, outputs } = await this.#predictor;
    const { batchSize } = this.#options;
    const count = exampleCount(feeds, inputs);
    checkBatch(feeds, inputs, count);
    const results = outputs.map(({ array }) => new Float32Array((array.length / batchSize) * count));
    const fixed: Record<string, Tensor> = {};
    for (const { spec, tensor } of feeds) fixed[spec.name] = tensor;
    const params = this.#current.asInputs.params;
    if (params !== undefined) fixed.params = params;
    const fetches = Object.fromEntries(outputs.map(({ graphName, tensor }) => [graphName, tensor]));
    for (let start = 0; start < count; start += batchSize) {
      const taken = Math.min(batchSize, count - start);
      for (const feed of feeds) fill(feed, inputs[feed.spec.name], start, taken);
      await runGraph(session, fixed, fetches);
      outputs.forEach(({ array }, i) => {
        const exampleSize = array.length / batchSize;
        results[i]?.set(array.subarray(0, taken * exampleSize), start * exampleSize);
      });
    }
    return Object.fromEntries(outputs.map(({ name }, i) => [name, results[i] ?? new Float32Array(0)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const program of [
      ...this.#programs.values(),
      ...this.#updates.values(),
      this.#taskGradients,
      this.#predictor,
    ]) {
      // One that could not be compiled has said so where it was asked for.
      await program?.then(
        ({ session }) => session.release(),
        () => undefined,
      );
    }
  }

  /** Swaps the sides if what the step gave is finite; otherwise everything stays as it was. */
  #accept(): StepResult {
    const [loss = Number.NaN, gradientNorm = Number.NaN, ...taskLosses] = this.#report;
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm) || !isFinite32(this.#other.params)) {
      throw this.#diverged(loss, gradientNorm);
    }
    [this.#current, this.#other] = [this.#other, this.#current];
    this.#stepCount++;
    return {
      loss,
      gradientNorm,
      taskLosses: new Map(this.model.tasks.map((task, i) => [task, taskLosses[i] ?? Number.NaN])),
    };
  }

  #diverged(loss: number, gradientNorm: number): KumiaiError {
    return new KumiaiError(
      "TRAINING_DIVERGED",
      `step ${this.#stepCount + 1}: loss ${loss}, gradient norm ${gradientNorm}; ${Number.isFinite(gradientNorm) ? "the step leaves the range of f32; " : ""}the params are as before the step; lower the learning rate or check the data`,
      { step: this.#stepCount + 1, loss, gradientNorm },
    );
  }

  #tasks(): Promise<TaskGradients> {
    this.#taskGradients ??= openTaskGradients(this.model, this.#options);
    return this.#taskGradients;
  }

  #updateProgram(proximal: boolean): Promise<UpdateProgram> {
    const known = this.#updates.get(proximal);
    if (known !== undefined) return known;
    const program = openUpdateProgram(this.model, this.#options, proximal);
    this.#updates.set(proximal, program);
    return program;
  }

  #program(proximal: boolean): Promise<StepProgram> {
    const known = this.#programs.get(proximal);
    if (known !== undefined) return known;
    const program = openStepProgram(this.model, this.#options, proximal);
    this.#programs.set(proximal, program);
    return program;
  }

  #setUpdateMask(frozen: readonly GroupName[]): void {
    const key = [...frozen].sort().join();
    if (key === this.#maskKey) return;
    this.#maskKey = key;
    for (const { role, offset, size } of this.model.layout.slots) {
      const moves = role.kind !== "buffer" && !frozen.includes(role.kind);
      this.#updateMask.fill(moves ? 1 : 0, offset, offset + size);
    }
  }

  #setProximal({ proximalWeight = 0, anchor }: StepInput): void {
    const { layout } = this.model;
    if (anchor === undefined) throw new KumiaiError("INVALID_CONFIG", "a proximal weight needs an anchor");
    if (anchor.length !== layout.size) throw mismatch("anchor", layout.size, anchor.length);
    this.#anchor.set(anchor);
    if (proximalWeight === this.#proximalWeight) return;
    this.#proximalWeight = proximalWeight;
    for (const { role, offset, size } of layout.slots) {
      const isShared = role.kind === "encoder" || role.kind === "decoder";
      this.#proximal.fill(isShared ? proximalWeight : 0, offset, offset + size);
    }
  }

  #setScalars(learningRate: number): void {
    const { optimizer } = this.#options;
    const step = this.#stepCount + 1;
    const [beta1, beta2] = optimizer.kind === "adamw" ? [optimizer.beta1 ?? 0.9, optimizer.beta2 ?? 0.999] : [0, 0];
    this.#scalars.set([learningRate, 1 - beta1 ** step, 1 - beta2 ** step]);
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error("the training session is closed");
  }
}

function fillUniform(array: Float32Array, rng: Rng): void {
  for (let i = 0; i < array.length; i++) array[i] = rng.uniform();
}

function mismatch(what: string, expected: number, received: number): KumiaiError {
  return new KumiaiError(
    "LAYOUT_MISMATCH",
    `${what}: expected ${expected}, received ${received}; is it from another model?`,
    {
      expected,
      received,
    },
  );
}
