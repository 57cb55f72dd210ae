import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  averagePool1d,
  averagePool2d,
  globalAveragePool,
  globalMaxPool,
  maxPool1d,
  maxPool2d,
} from "../../model/pool.js";
import { bilinearResize, nearestResize } from "../../model/resize.js";
import { type CheckedInput, discrepanciesOf } from "../../testing/check-gradients.js";
import * as f from "../functions.js";
import type { Tensor } from "../tensor.js";

const RUNS = 6;
const extent = (max: number) => fc.integer({ min: 1, max });
const shapeUpTo = (max: number) => fc.array(extent(max), { minLength: 1, maxLength: 4 });
const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const away = { values: (rng: { uniform(): number }) => 0.5 + 2 * rng.uniform() };

async function expectGradients(inputs: readonly CheckedInput[], build: (...x: Tensor[]) => Tensor, seed: number) {
  const { gradient, runtime } = await discrepanciesOf(inputs, build, seed);
  expect(gradient).toBeLessThan(1e-6);
  expect(runtime).toBeLessThan(2e-5);
}

function check<T>(
  name: string,
  cases: fc.Arbitrary<T>,
  inputsOf: (value: T) => readonly CheckedInput[],
  build: (value: T) => (...x: Tensor[]) => Tensor,
): void {
  test(`${name}: gradient equals central differences within 1e-6, ONNX Runtime within 2e-5`, () =>
    fc.assert(
      fc.asyncProperty(cases, seeds, (value, seed) => expectGradients(inputsOf(value), build(value), seed)),
      { numRuns: RUNS },
    ));
}

describe("elementwise", () => {
  const unary: Record<string, (x: Tensor) => Tensor> = {
    neg: f.neg,
    exp: f.exp,
    square: f.square,
    abs: f.abs,
    erf: f.erf,
    tanh: f.tanh,
    sigmoid: f.sigmoid,
    softplus: f.softplus,
    relu: f.relu,
    leakyRelu: (x) => f.leakyRelu(x, 0.2),
    gelu: f.gelu,
    silu: f.silu,
  };
  for (const [name, op] of Object.entries(unary)) {
    check(
      name,
      shapeUpTo(4),
      (shape) => [{ shape }],
      () => op,
    );
  }
  check(
    "log",
    shapeUpTo(4),
    (shape) => [{ shape, ...away }],
    () => f.log,
  );
  check(
    "sqrt",
    shapeUpTo(4),
    (shape) => [{ shape, ...away }],
    () => f.sqrt,
  );

  const broadcast = shapeUpTo(4).chain((shape) =>
    fc.record({
      a: fc.constant(shape),
      b: fc
        .array(fc.boolean(), { minLength: shape.length, maxLength: shape.length })
        .map((ones) => shape.map((size, i) => (ones[i] ? 1 : size))),
      drop: fc.integer({ min: 0, max: shape.length - 1 }),
      swap: fc.boolean(),
    }),
  );
  for (const [name, op] of Object.entries({ add: f.add, sub: f.sub, mul: f.mul, div: f.div, minimum: f.minimum })) {
    check(
      `${name} with broadcasting`,
      broadcast,
      ({ a, b, drop, swap }) => {
        const pair = [
          { shape: a, ...away },
          { shape: b.slice(drop), ...away },
        ];
        return swap ? pair.reverse() : pair;
      },
      () => (x, y) => op(x as Tensor, y as Tensor),
    );
  }
});

describe("shape", () => {
  const shape4 = fc.tuple(extent(3), extent(4), extent(5), extent(4));
  check(
    "transpose",
    fc.tuple(shape4, fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 })),
    ([shape]) => [{ shape }],
    ([, order]) =>
      (x) =>
        f.transpose(x as Tensor, order),
  );
  check(
    "reshape",
    shape4,
    (shape) => [{ shape }],
    ([a]) =>
      (x) =>
        f.reshape(x as Tensor, [-1, a]),
  );
  check(
    "expand",
    fc.tuple(extent(3), extent(4)),
    ([a]) => [{ shape: [a, 1] }],
    ([a, b]) =>
      (x) =>
        f.expand(x as Tensor, [2, a, b]),
  );
  check(
    "concat",
    fc.tuple(shape4, extent(3), fc.integer({ min: 0, max: 3 })),
    ([shape, more, axis]) => [{ shape }, { shape: shape.map((size, i) => (i === axis ? more : size)) }, { shape }],
    ([, , axis]) =>
      (...x) =>
        f.concat(x, axis),
  );
  check(
    "slice with steps",
    fc.record({
      size: fc.integer({ min: 4, max: 9 }),
      start: fc.integer({ min: 0, max: 2 }),
      step: extent(3),
      end: fc.integer({ min: 3, max: 4 }),
    }),
    ({ size }) => [{ shape: [2, size, 3] }],
    ({ start, step, end }) =>
      (x) =>
        f.slice(x as Tensor, { axes: [1], starts: [start], ends: [end], steps: [step] }),
  );
  check(
    "flip",
    shape4,
    (shape) => [{ shape }],
    () => (x) => f.flip(x as Tensor, [1, 3]),
  );
  check(
    "pad",
    shape4,
    (shape) => [{ shape }],
    ([a, b]) =>
      (x) =>
        f.pad(x as Tensor, [0, a, 1, 0], [b, 0, 0, 2], 0.5),
  );
  check(
    "depthToSpace",
    fc.tuple(extent(2), extent(2), extent(3), extent(3), fc.integer({ min: 1, max: 3 })),
    ([b, c, h, w, r]) => [{ shape: [b, c * r * r, h, w] }],
    ([, , , , r]) =>
      (x) =>
        f.depthToSpace(x as Tensor, r),
  );
  check(
    "nearestResize",
    fc.tuple(extent(2), extent(2), extent(3), extent(3), extent(3)),
    ([b, c, h, w]) => [{ shape: [b, c, h, w] }],
    ([, , , , scale]) =>
      (x) =>
        nearestResize(x as Tensor, scale),
  );
  check(
    "bilinearResize",
    fc.tuple(extent(2), extent(2), extent(5), extent(5), extent(8), extent(8)),
    ([b, c, h, w]) => [{ shape: [b, c, h, w] }],
    ([, , , , height, width]) =>
      (x) =>
        bilinearResize(x as Tensor, { height, width }),
  );
});

describe("reductions and products", () => {
  const reduced = shapeUpTo(4).chain((shape) =>
    fc.record({ shape: fc.constant(shape), axes: fc.subarray(shape.map((_, i) => i)), keepDims: fc.boolean() }),
  );
  for (const [name, op] of Object.entries({ sum: f.sum, mean: f.mean, sumSquare: f.sumSquare, max: f.max })) {
    check(
      name,
      reduced,
      ({ shape }) => [{ shape }],
      ({ axes, keepDims }) =>
        (x) =>
          op(x as Tensor, { axes, keepDims }),
    );
  }
  const product = fc.record({
    lead: fc.array(extent(3), { maxLength: 2 }),
    m: extent(4),
    k: extent(4),
    n: extent(4),
    transA: fc.boolean(),
    transB: fc.boolean(),
    shared: fc.boolean(),
  });
  check(
    "matmul",
    product,
    ({ lead, m, k, n, transA, transB, shared }) => [
      { shape: [...lead, ...(transA ? [k, m] : [m, k])] },
      { shape: [...(shared ? [] : lead), ...(transB ? [n, k] : [k, n])] },
    ],
    ({ transA, transB }) =>
      (a, b) =>
        f.matmul(a as Tensor, b as Tensor, { transA, transB }),
  );
  check(
    "matmul with a shared left side",
    product,
    ({ lead, m, k, n, transA, transB }) => [
      { shape: transA ? [k, m] : [m, k] },
      { shape: [...lead, ...(transB ? [n, k] : [k, n])] },
    ],
    ({ transA, transB }) =>
      (a, b) =>
        f.matmul(a as Tensor, b as Tensor, { transA, transB }),
  );
  check(
    "softmax",
    fc.tuple(shapeUpTo(4), fc.nat()),
    ([shape]) => [{ shape }],
    ([shape, axis]) =>
      (x) =>
        f.softmax(x as Tensor, axis % shape.length),
  );
  check(
    "gather with repeated indices",
    fc.tuple(extent(5), extent(3), extent(4)),
    ([rows, width, count]) => [
      { shape: [rows, width] },
      { shape: [2, count], dtype: "i32", values: (rng) => rng.int(rows) },
    ],
    () => (table, indices) => f.gather(table as Tensor, indices as Tensor),
  );
  check(
    "attention",
    fc.record({ b: extent(2), t: extent(4), heads: extent(2), causal: fc.boolean() }),
    ({ b, t, heads }) => [0, 1, 2].map(() => ({ shape: [b, t, heads * 3] })),
    ({ heads, causal }) =>
      (q, k, v) =>
        f.attention(q as Tensor, k as Tensor, v as Tensor, { headCount: heads, causal }),
  );
});

describe("convolution", () => {
  const window = fc.record({
    batch: extent(2),
    groups: extent(2),
    c: extent(3),
    o: extent(3),
    kernel: fc.tuple(extent(3), extent(3)),
    strides: fc.tuple(extent(3), extent(3)),
    pads: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
    size: fc.tuple(fc.integer({ min: 3, max: 7 }), fc.integer({ min: 3, max: 7 })),
    bias: fc.boolean(),
  });
  check(
    "conv2d (strides, paddings, groups, bias)",
    window,
    ({ batch, groups, c, o, kernel, size, bias }) => [
      { shape: [batch, c * groups, ...size] },
      { shape: [o * groups, c, ...kernel] },
      ...(bias ? [{ shape: [o * groups] }] : []),
    ],
    ({ strides, pads: [ph, pw], groups }) =>
      (...x) =>
        (x[0] as Tensor).graph.apply("conv2d", x, { strides, pads: [ph, pw, ph, pw], groups }),
  );
  check(
    "convTranspose2d (strides, paddings, groups, output padding)",
    window,
    ({ batch, groups, c, o, kernel, size, bias }) => [
      { shape: [batch, c * groups, ...size] },
      { shape: [c * groups, o, ...kernel] },
      ...(bias ? [{ shape: [o * groups] }] : []),
    ],
    ({ strides, pads, groups, kernel, size }) =>
      (...x) => {
        const [ph, pw] = pads.map((pad, i) => Math.min(pad, (kernel[i] ?? 1) - 1)) as [number, number];
        const extra = strides.map((stride) => stride - 1);
        const outputSize = [0, 1].map(
          (i) => ((size[i] ?? 1) - 1) * (strides[i] ?? 1) - 2 * ([ph, pw][i] ?? 0) + (kernel[i] ?? 1) + (extra[i] ?? 0),
        );
        return (x[0] as Tensor).graph.apply("convTranspose2d", x, {
          strides,
          pads: [ph, pw, ph, pw],
          groups,
          outputSize,
        });
      },
  );
});

describe("pooling", () => {
  const image = fc.record({
    shape: fc.tuple(extent(2), extent(2), fc.integer({ min: 4, max: 7 }), fc.integer({ min: 4, max: 7 })),
    kernel: fc.tuple(extent(3), extent(3)),
    stride: extent(3),
    pads: fc.boolean(),
  });
  for (const [name, op] of Object.entries({ maxPool2d, averagePool2d })) {
    check(
      name,
      image,
      ({ shape }) => [{ shape }],
      ({ kernel, stride, pads }) =>
        (x) => {
          const padding = kernel.map((k) => (pads ? Math.floor(k / 2) : 0)) as [number, number];
          return op(x as Tensor, { kernel, stride, padding });
        },
    );
  }
  for (const [name, op] of Object.entries({ maxPool1d, averagePool1d })) {
    check(
      name,
      fc.tuple(extent(3), extent(3), fc.boolean()),
      () => [{ shape: [2, 2, 9] }],
      ([kernel, stride, pads]) =>
        (x) =>
          op(x as Tensor, { kernel, stride, padding: pads ? Math.floor(kernel / 2) : 0 }),
    );
  }
  check(
    "globalAveragePool",
    image,
    ({ shape }) => [{ shape }],
    () => (x) => globalAveragePool(x as Tensor),
  );
  check(
    "globalMaxPool",
    image,
    ({ shape }) => [{ shape }],
    () => (x) => globalMaxPool(x as Tensor),
  );
});

describe("normalization", () => {
  const grouped = fc.record({
    b: extent(3),
    groups: extent(3),
    width: extent(3),
    size: fc.integer({ min: 2, max: 4 }),
  });
  check(
    "groupNorm",
    grouped,
    ({ b, groups, width, size }) => [
      { shape: [b, groups * width, size, 3] },
      { shape: [groups * width] },
      { shape: [groups * width] },
    ],
    ({ groups }) =>
      (...x) =>
        (x[0] as Tensor).graph.apply("groupNorm", x, { groups, epsilon: 1e-3 }),
  );
  check(
    "layerNorm",
    fc.tuple(extent(3), extent(3), fc.integer({ min: 3, max: 6 })),
    ([a, b, width]) => [{ shape: [a, b, width] }, { shape: [width] }, { shape: [width] }],
    () =>
      (...x) =>
        (x[0] as Tensor).graph.apply("layerNorm", x, { epsilon: 1e-3 }),
  );
  check(
    "rowAffine",
    fc.tuple(extent(4), extent(4)),
    ([rows, length]) => [{ shape: [rows, length] }, { shape: [rows] }, { shape: [rows] }],
    () =>
      (...x) =>
        (x[0] as Tensor).graph.apply("rowAffine", x),
  );
});
