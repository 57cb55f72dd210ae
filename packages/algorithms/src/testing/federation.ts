/** Small federations for tests: models of a few numbers, updates drawn from a seed. */
import {
  createLayout,
  createRng,
  type ParamSlot,
  type ParamSlotSpec,
  type ParamVector,
  parseClientId,
  parseTaskId,
  type Rng,
  slotsOfRole,
  type TaskId,
} from "@kumiai/params";
import { sizeOf } from "../cohort.js";
import type { ClientSpec, ClientUpdate, RoundOutput } from "../strategy.js";

/** `id: domain, tasks`, e.g. `{ id: "a", domain: "garments", tasks: ["edge"] }`. */
export interface TestClient {
  readonly id: string;
  readonly domain?: string;
  readonly tasks?: readonly string[];
  /** Columns of the encoder's weight, to make models that differ. */
  readonly width?: number;
}

/** Encoder of two tensors that do not touch (a buffer stands between), decoders of two layers, one head per task. */
export function specOf({ id, domain = "garments", tasks = ["semseg"], width = 3 }: TestClient): ClientSpec {
  const slots: ParamSlotSpec[] = [
    { name: "encoder.in.weight", shape: [2, width], layer: "encoder.in", role: { kind: "encoder" } },
    { name: "encoder.in.mean", shape: [2], layer: "encoder.in", role: { kind: "buffer" } },
    { name: "encoder.in.bias", shape: [2], layer: "encoder.in", role: { kind: "encoder" } },
    ...tasks.flatMap((raw): ParamSlotSpec[] => {
      const task = parseTaskId(raw);
      const decoder = { kind: "decoder", task } as const;
      return [
        { name: `decoders.${raw}.mix.weight`, shape: [2, 2], layer: `decoders.${raw}.mix`, role: decoder },
        { name: `decoders.${raw}.mix.bias`, shape: [2], layer: `decoders.${raw}.mix`, role: decoder },
        { name: `decoders.${raw}.out.weight`, shape: [3], layer: `decoders.${raw}.out`, role: decoder },
        { name: `heads.${raw}.weight`, shape: [raw.length], layer: `heads.${raw}`, role: { kind: "head", task } },
      ];
    }),
  ];
  return { id: parseClientId(id), domain, tasks: tasks.map(parseTaskId), layout: createLayout(slots) };
}

export function randomVector(rng: Rng, size: number, scale = 1): ParamVector {
  return Float32Array.from({ length: size }, () => scale * rng.normal());
}

/** One update per client; the same seed and client give the same numbers, whoever else takes part. */
export function updatesOf(clients: readonly ClientSpec[], seed: number | string, scale = 1): readonly ClientUpdate[] {
  return clients.map((spec) => {
    const rng = createRng(seed).split(spec.id);
    const base = randomVector(rng, spec.layout.size);
    const delta = randomVector(rng, spec.layout.size, scale);
    return updateOf(spec, base, delta, 1 + rng.int(50));
  });
}

export function updateOf(spec: ClientSpec, base: ParamVector, delta: ParamVector, sampleCount = 1): ClientUpdate {
  return { client: spec.id, base, local: base.map((value, i) => value + (delta[i] ?? 0)), sampleCount };
}

/** The client's encoder, end to end. */
export function encoderOf(spec: ClientSpec, params: ParamVector): Float32Array {
  return gather(params, slotsOfRole(spec.layout, "encoder"));
}

export function decoderOf(spec: ClientSpec, params: ParamVector, task: string): Float32Array {
  return gather(params, slotsOfRole(spec.layout, "decoder", parseTaskId(task) as TaskId));
}

/** Everything that never leaves a site. */
export function privateOf(spec: ClientSpec, params: ParamVector): Float32Array {
  return gather(params, [...slotsOfRole(spec.layout, "head"), ...slotsOfRole(spec.layout, "buffer")]);
}

export function paramsFor(output: RoundOutput<unknown>, spec: ClientSpec): ParamVector {
  const params = output.params.get(spec.id);
  if (params === undefined) throw new Error(`no params for ${spec.id}`);
  return params;
}

export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN)));
  return largest;
}

/** The slots' elements of `params`, end to end, as a fresh vector. */
function gather(params: ParamVector, slots: readonly ParamSlot[]): Float32Array {
  const out = new Float32Array(sizeOf(slots));
  let at = 0;
  for (const { offset, size } of slots) {
    out.set(params.subarray(offset, offset + size), at);
    at += size;
  }
  return out;
}
