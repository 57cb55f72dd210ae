/**
 * Checks an op three ways: its gradient (f64, from the interpreter) against central differences, and both its value and its
 * gradient as ONNX Runtime computes them (f32) against the interpreter's. For tests only.
 */
import { createRng, type Rng } from "@kumiai/params";
import { gradientsOf } from "../graph/autodiff.js";
import { emitOnnx } from "../graph/emit.js";
import { mul, sum } from "../graph/functions.js";
import { type DType, Graph, sizeOf, type Tensor } from "../graph/tensor.js";
import { bind, compile } from "../session/runtime.js";
import { interpret } from "./interpreter.js";

export interface CheckedInput {
  readonly shape: readonly number[];
  /** Default: standard normal. */
  readonly values?: (rng: Rng) => number;
  /** Default f32; the others get no gradient. */
  readonly dtype?: DType;
  /** Name in the graph; default by position. */
  readonly name?: string;
}

export interface Discrepancies {
  /** Largest |gradient − central difference| / (1 + |central difference|), f64. */
  readonly gradient: number;
  /** Largest |f32 − f64| / (1 + largest |f64|) over value and gradients. */
  readonly runtime: number;
}

const STEP = 1e-5;
/** Elements of an input that are perturbed, at most. */
const PROBE_COUNT = 24;

export async function discrepanciesOf(
  inputs: readonly CheckedInput[],
  build: (...tensors: Tensor[]) => Tensor,
  seed = 1,
): Promise<Discrepancies> {
  const rng = createRng(seed);
  const graph = new Graph();
  const tensors = inputs.map(({ shape, dtype = "f32", name }, i) => graph.input(name ?? `x${i}`, dtype, shape));
  const y = build(...tensors);
  const weights = graph.input("weights", "f32", y.shape);
  const loss = sum(mul(y, weights));
  const differentiable = tensors.filter((tensor) => tensor.dtype === "f32");
  const gradients = gradientsOf(loss, differentiable);

  const values: Record<string, Float32Array> = { weights: randomValues({ shape: y.shape }, rng) };
  inputs.forEach((input, i) => {
    values[input.name ?? `x${i}`] = randomValues(input, rng);
  });
  const exact = interpret([y, ...gradients], values);
  let gradientError = 0;
  differentiable.forEach((tensor, k) => {
    const name = String(tensor.attrs.name);
    for (const i of probes(sizeOf(tensor.shape), rng)) {
      const lossAt = (offset: number): number => {
        const moved = Float64Array.from(values[name] ?? []);
        moved[i] = (moved[i] ?? 0) + offset;
        return interpret([loss], { ...values, [name]: moved })[0]?.data[0] ?? Number.NaN;
      };
      const difference = (lossAt(STEP) - lossAt(-STEP)) / (2 * STEP);
      const error = Math.abs((exact[k + 1]?.data[i] ?? Number.NaN) - difference) / (1 + Math.abs(difference));
      gradientError = worse(gradientError, error);
    }
  });
  const actual = await runOnnx([y, ...gradients], tensors, values);
  const runtime = exact.reduce((worst, value, k) => worse(worst, distance(value.data, actual[k])), 0);
  return { gradient: gradientError, runtime };
}

/** NaN counts as the worst of all. */
function worse(a: number, b: number): number {
  return a <= b || Number.isNaN(b) ? (Number.isNaN(b) ? Number.POSITIVE_INFINITY : b) : a;
}

function randomValues({ shape, values = (rng) => rng.normal() }: CheckedInput, rng: Rng): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, () => values(rng));
}

function probes(size: number, rng: Rng): readonly number[] {
  const all = Array.from({ length: size }, (_, i) => i);
  return size <= PROBE_COUNT ? all : rng.shuffled(all).slice(0, PROBE_COUNT);
}

function distance(exact: Float64Array, actual: ArrayLike<number> | undefined): number {
  const scale = 1 + exact.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return exact.reduce((worst, value, i) => worse(worst, Math.abs(value - (actual?.[i] ?? Number.NaN)) / scale), 0);
}

async function runOnnx(
  outputs: readonly Tensor[],
  tensors: readonly Tensor[],
  values: Readonly<Record<string, Float32Array>>,
): Promise<readonly ArrayLike<number>[]> {
  const named = outputs.map((tensor, i) => ({ name: `y${i}`, tensor }));
  const session = await compile(emitOnnx("check", named), { threadCount: 1 });
  try {
    const used = new Set(session.inputNames);
    const all = [...tensors.map((t) => [t, String(t.attrs.name)] as const), [outputs[0] as Tensor, "weights"] as const];
    const feeds = all.flatMap(([tensor, name]) => {
      const array = values[name] ?? new Float32Array(0);
      const typed = tensor.dtype === "f32" ? array : (tensor.dtype === "i32" ? Int32Array : Uint8Array).from(array);
      return used.has(name) ? [[name, bind(typed, tensor.shape)] as const] : [];
    });
    const results = await session.run(Object.fromEntries(feeds));
    return named.map(({ name }) => results[name]?.data as Float32Array);
  } finally {
    await session.release();
  }
}
