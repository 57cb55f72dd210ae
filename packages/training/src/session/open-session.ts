/** Training sessions on ONNX Runtime. */
import { createRng, KumiaiError, type ParamVector, type Rng } from "@kumiai/params";
import type { Batch, Model, OptimizerState, SessionOptions, StepInput, StepResult, TrainingSession } from "../types.js";
import { checkBatch, exampleCount, fill } from "./feed.js";
import { checkSessionOptions, checkStepInput, type GroupName } from "./options.js";
import { openPredictProgram, openStepProgram, type PredictProgram, type StepProgram } from "./programs.js";
import { bind, runGraph, type Tensor } from "./runtime.js";
import { momentCountOf, STEP_SCALARS } from "./step-graph.js";

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

/** One of the two sets of vectors that a step reads and writes in turn. */
interface Side {
  readonly params: Float32Array;
  readonly moments: readonly Float32Array[];
  readonly asInputs: Readonly<Record<string, Tensor>>;
  readonly asOutputs: Readonly<Record<string, Tensor>>;
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
    const { session, feeds, noises } = await this.#program(isProximal);
    if (isProximal) this.#setProximal(input);
    this.#setUpdateMask(input.frozen ?? []);
    this.#setScalars(input.learningRate);
    checkBatch(feeds, input.batch, this.#options.batchSize);
    for (const feed of feeds) fill(feed, input.batch[feed.spec.name], 0, this.#options.batchSize);
    const stepRng = this.#noiseRng.split(this.#stepCount);
    for (const { array, graphName } of noises) fillUniform(array, stepRng.split(graphName));

    const inputs: Record<string, Tensor> = { ...this.#current.asInputs, ...this.#fixedInputs };
    if (isProximal) Object.assign(inputs, this.#proximalInputs);
    for (const { spec, tensor } of feeds) inputs[spec.name] = tensor;
    for (const { graphName, tensor } of noises) inputs[graphName] = tensor;
    await runGraph(session, inputs, { ...this.#other.asOutputs, report: this.#reportTensor });
    return this.#accept();
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
    for (const program of [...this.#programs.values(), this.#predictor]) {
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
      throw new KumiaiError(
        "TRAINING_DIVERGED",
        `step ${this.#stepCount + 1}: loss ${loss}, gradient norm ${gradientNorm}; ${Number.isFinite(gradientNorm) ? "the step leaves the range of f32; " : ""}the params are as before the step; lower the learning rate or check the data`,
        { step: this.#stepCount + 1, loss, gradientNorm },
      );
    }
    [this.#current, this.#other] = [this.#other, this.#current];
    this.#stepCount++;
    return {
      loss,
      gradientNorm,
      taskLosses: new Map(this.model.tasks.map((task, i) => [task, taskLosses[i] ?? Number.NaN])),
    };
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

function createSide(size: number, momentCount: number): Side {
  const params = new Float32Array(size);
  const moments = Array.from({ length: momentCount }, () => new Float32Array(size));
  const asInputs: Record<string, Tensor> = { params: bind(params, [size]) };
  const asOutputs: Record<string, Tensor> = { newParams: bind(params, [size]) };
  moments.forEach((moment, i) => {
    asInputs[`moment.${i}`] = bind(moment, [size]);
    asOutputs[`newMoment.${i}`] = bind(moment, [size]);
  });
  return { params, moments, asInputs, asOutputs };
}

/** Are all numbers finite? One multiplication and addition each: 0·x is 0 unless x is not finite. */
function isFinite32(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * (values[i] ?? 0);
  return sum === 0;
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
