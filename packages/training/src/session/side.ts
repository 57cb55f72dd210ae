/** The vectors that a step reads, and those that it writes: two sets that change places when a step is accepted. */
import { bind, type Tensor } from "./runtime.js";

export interface Side {
  readonly params: Float32Array;
  readonly moments: readonly Float32Array[];
  readonly asInputs: Readonly<Record<string, Tensor>>;
  readonly asOutputs: Readonly<Record<string, Tensor>>;
}

export function createSide(size: number, momentCount: number): Side {
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
export function isFinite32(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * (values[i] ?? 0);
  return sum === 0;
}
