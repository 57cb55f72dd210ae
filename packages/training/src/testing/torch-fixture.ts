/** Reads fixtures/training/*.safetensors and repeats the ten-step training that one of them holds. For tests. */
import { readFileSync } from "node:fs";
import type { ParamLayout, ParamVector } from "@kumiai/params";
import { openTrainingSession } from "../session/open-session.js";
import type { Batch, InputArray, Model, SessionOptions, StepInput } from "../types.js";

type Values = Float64Array | Float32Array | Int32Array | Uint8Array;

/** What PyTorch's run is compared with. */
export interface Deviation {
  /** Largest |ours / theirs − 1| over ten steps, over the total loss and every task's. */
  readonly losses: number;
  /** Largest |ours / theirs − 1| over ten steps. */
  readonly gradientNorm: number;
  /** By slot: max |ours − theirs| / max |theirs − initial| after the step. The movement, not the value, is the scale. */
  readonly step1: ReadonlyMap<string, number>;
  readonly step10: ReadonlyMap<string, number>;
  /** Largest over outputs of max |ours − theirs| / max |theirs|, in evaluation mode. */
  readonly outputs: number;
}

export interface ParityRun {
  readonly model: Model;
  readonly options: SessionOptions;
  /** Names of the fixture's batch tensors by our input names. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Added to the input of step `step`, counted from 0. */
  readonly stepOptions?: (step: number, fixture: TorchFixture) => Partial<StepInput>;
}

const STEP_COUNT = 10;

/** One run of a fixture file; `prefix` chooses among several. */
export class TorchFixture {
  readonly #tensors: ReadonlyMap<string, Values>;
  readonly #prefix: string;

  constructor(name: string, prefix = "") {
    this.#tensors = readTensors(new URL(`../../../../fixtures/training/${name}.safetensors`, import.meta.url));
    this.#prefix = prefix;
  }

  values(name: string): Values {
    const found = this.#tensors.get(`${this.#prefix}${name}`) ?? this.#tensors.get(name);
    if (found === undefined) throw new Error(`the fixture has no tensor ${name}`);
    return found;
  }

  at(name: string, index: number): number {
    return this.values(name)[index] ?? Number.NaN;
  }

  /** The tensors `<group>/<slot>` as one vector in the layout's order. Every slot must be there. */
  vector(group: string, layout: ParamLayout): ParamVector {
    const params = new Float32Array(layout.size);
    for (const slot of layout.slots) params.set(this.values(`${group}/${torchName(slot.name)}`), slot.offset);
    return params;
  }

  /** How many tensors the group has: as many as the layout has slots, or the two models are not the same. */
  countIn(group: string): number {
    return [...this.#tensors.keys()].filter((name) => name.startsWith(`${this.#prefix}${group}/`)).length;
  }

  batch(step: number, inputs: Readonly<Record<string, string>>): Batch {
    return Object.fromEntries(
      Object.entries(inputs).map(([ours, theirs]) => {
        const all = this.values(`batches/${theirs}`);
        const size = all.length / STEP_COUNT;
        return [ours, all.subarray(step * size, (step + 1) * size) as InputArray];
      }),
    );
  }

  /** Ten steps of ours from the fixture's start, compared with its numbers. */
  async compare({ model, options, inputs, stepOptions }: ParityRun): Promise<Deviation> {
    await using session = await openTrainingSession(model, options);
    session.load(this.vector("initial", model.layout));
    const relative: number[] = [];
    const norms: number[] = [];
    const moved: ReadonlyMap<string, number>[] = [];
    for (let step = 0; step < STEP_COUNT; step++) {
      const learningRate = this.at("learningRate", step);
      const batch = this.batch(step, inputs);
      const result = await session.step({ batch, learningRate, ...stepOptions?.(step, this) });
      relative.push(result.loss / this.at("loss", step) - 1);
      for (const [task, loss] of result.taskLosses) relative.push(loss / this.at(`taskLoss/${task}`, step) - 1);
      norms.push(result.gradientNorm / this.at("gradientNorm", step) - 1);
      if (step === 0 || step === STEP_COUNT - 1) moved.push(this.#bySlot(step + 1, model.layout, session.params()));
    }
    const features = model.inputs.filter((input) => input.role === "feature").map((input) => input.name);
    const batch = this.batch(0, inputs);
    const outputs = await session.predict(
      Object.fromEntries(features.map((name) => [name, batch[name] ?? []]) as never),
    );
    return {
      losses: largest(relative),
      gradientNorm: largest(norms),
      step1: moved[0] ?? new Map(),
      step10: moved[1] ?? new Map(),
      outputs: largest(Object.entries(outputs).map(([name, values]) => this.#ofOutput(name, values))),
    };
  }

  #bySlot(step: number, layout: ParamLayout, params: ParamVector): ReadonlyMap<string, number> {
    return new Map(
      layout.slots.map((slot) => {
        const name = torchName(slot.name);
        const [start, theirs] = [this.values(`initial/${name}`), this.values(`step${step}/${name}`)];
        const ours = params.subarray(slot.offset, slot.offset + slot.size);
        return [slot.name, largestDifference(ours, theirs) / largestDifference(theirs, start)];
      }),
    );
  }

  #ofOutput(name: string, ours: Float32Array): number {
    const theirs = this.values(`eval/${name}`);
    return largestDifference(ours, theirs) / largest([...theirs]);
  }
}

/** The slot with the largest deviation, and how large it is: for a message worth reading. */
export function worstOf(bySlot: ReadonlyMap<string, number>): { readonly slot: string; readonly deviation: number } {
  const worst = [...bySlot].reduce((a, b) => (b[1] > a[1] || Number.isNaN(b[1]) ? b : a));
  return { slot: worst[0], deviation: worst[1] };
}

function torchName(slot: string): string {
  return slot.replace("runningMean", "running_mean").replace("runningVar", "running_var");
}

/** NaN if any of them is. */
function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function largestDifference(a: Values, b: Values): number {
  if (a.length !== b.length) return Number.NaN;
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN)));
  return most;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly data_offsets: readonly [number, number];
}

/** All tensors in their own types: the codec of packages/params gives float32, and the fixtures' float64 matters here. */
function readTensors(url: URL): ReadonlyMap<string, Values> {
  const { buffer } = new Uint8Array(readFileSync(url));
  const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(buffer.slice(8, start))) as Record<string, HeaderEntry>;
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== "__metadata__")
      .map(
        ([
          name,
          {
            dtype,
            data_offsets: [from, to],
          },
        ]) => [name, typed(dtype, buffer.slice(start + from, start + to))],
      ),
  );
}

function typed(dtype: string, bytes: ArrayBuffer): Values {
  switch (dtype) {
    case "F64":
      return new Float64Array(bytes);
    case "F32":
      return new Float32Array(bytes);
    case "I32":
      return new Int32Array(bytes);
    case "U8":
      return new Uint8Array(bytes);
    default:
      throw new Error(`the fixtures have no tensors of type ${dtype}`);
  }
}
