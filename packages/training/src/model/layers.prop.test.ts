/** Gradients of whole layers, through the same scope that models use; their ops are checked in `graph/ops`. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { sameShape, type Tensor } from "../graph/tensor.js";
import { type CheckedInput, discrepanciesOf } from "../testing/check-gradients.js";
import { Scope, type ScopeHost } from "./scope.js";

/** Gives a layer the tensors of `params` in the order in which it asks. */
function scopeOver(params: readonly Tensor[], mode: "train" | "eval"): Scope {
  const left = [...params];
  const host: ScopeHost = {
    mode,
    param({ name, shape }) {
      const next = left.shift();
      if (next === undefined || !sameShape(next.shape, shape)) throw new Error(`${name}: expected shape [${shape}]`);
      return next;
    },
    updateBuffer: () => undefined,
  };
  return new Scope(host, { kind: "encoder" }, "");
}

const above0: Pick<CheckedInput, "values"> = { values: (rng) => 0.5 + rng.uniform() };
const size = fc.integer({ min: 1, max: 3 });
const sizes = fc.record({ b: size, groups: size, i: size, o: size, kernel: size, stride: size, padding: fc.nat(2) });
type Sizes = typeof sizes extends fc.Arbitrary<infer T> ? T : never;

interface Case {
  readonly inputs: (sizes: Sizes) => readonly CheckedInput[];
  readonly layer: (scope: Scope, x: Tensor, sizes: Sizes) => Tensor;
  readonly mode?: "train" | "eval";
}

const batchNorm: Case = {
  inputs: ({ b, i }) => [
    { shape: [b + 1, i, 3] },
    { shape: [i] },
    { shape: [i] },
    { shape: [i] },
    { shape: [i], ...above0 },
  ],
  layer: (scope, x) => scope.batchNorm("l", x, { epsilon: 1e-2 }),
};

const cases: Readonly<Record<string, Case>> = {
  linear: {
    inputs: ({ b, i, o }) => [{ shape: [b, 4, i] }, { shape: [o, i] }, { shape: [o] }],
    layer: (scope, x, { o }) => scope.linear("l", x, { out: o }),
  },
  conv1d: {
    inputs: ({ b, groups, i, o, kernel }) => [
      { shape: [b, i * groups, 7] },
      { shape: [o * groups, i, kernel] },
      { shape: [o * groups] },
    ],
    layer: (scope, x, { groups, o, kernel, stride, padding }) =>
      scope.conv1d("l", x, { out: o * groups, kernel, stride, padding, groups }),
  },
  conv2d: {
    inputs: ({ b, groups, i, o, kernel }) => [
      { shape: [b, i * groups, 5, 4] },
      { shape: [o * groups, i, kernel, 2] },
      { shape: [o * groups] },
    ],
    layer: (scope, x, { groups, o, kernel, stride, padding }) =>
      scope.conv2d("l", x, { out: o * groups, kernel: [kernel, 2], stride, padding: [padding, 1], groups }),
  },
  convTranspose2d: {
    inputs: ({ b, groups, i, o, kernel }) => [
      { shape: [b, i * groups, 3, 4] },
      { shape: [i * groups, o, kernel, 2] },
      { shape: [o * groups] },
    ],
    layer: (scope, x, { groups, o, kernel, stride }) =>
      scope.convTranspose2d("l", x, {
        out: o * groups,
        kernel: [kernel, 2],
        stride,
        padding: [kernel - 1, 1],
        outputPadding: stride - 1,
        groups,
      }),
  },
  "batchNorm in training": batchNorm,
  "batchNorm in evaluation": { ...batchNorm, mode: "eval" },
  embedding: {
    inputs: ({ b, i, o }) => [{ shape: [b, 4], dtype: "i32", values: (rng) => rng.int(i) }, { shape: [i, o] }],
    layer: (scope, x, { i, o }) => scope.embedding("l", x, { count: i, width: o }),
  },
  multiHeadAttention: {
    inputs: ({ b, i, groups }) => [
      { shape: [b, i, groups * 2] },
      ...[0, 1, 2, 3].flatMap(() => [{ shape: [groups * 2, groups * 2] }, { shape: [groups * 2] }]),
    ],
    layer: (scope, x, { groups, stride }) =>
      scope.multiHeadAttention("l", x, { headCount: groups, causal: stride > 1 }),
  },
};

test.each(Object.entries(cases))(
  "%s: gradient equals central differences within 1e-6, ONNX Runtime within 2e-5",
  (_, { inputs, layer, mode = "train" }: Case) =>
    fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async (drawn, seed) => {
        const build = (x: Tensor, ...params: Tensor[]): Tensor => layer(scopeOver(params, mode), x, drawn);
        const found = await discrepanciesOf(inputs(drawn), build as (...x: Tensor[]) => Tensor, seed);
        expect(found.gradient).toBeLessThan(1e-6);
        expect(found.runtime).toBeLessThan(2e-5);
      }),
      { numRuns: 6 },
    ),
);
