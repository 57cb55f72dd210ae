/**
 * The graph once more, in f64 and as plainly as possible: what ONNX Runtime must compute, and what finite differences can be
 * taken of. For tests only; cost does not matter.
 */

import { interpolationMatrix } from "../graph/ops/resize.js";
import { opNamed } from "../graph/registry.js";
import { sizeOf, type Tensor } from "../graph/tensor.js";

export interface Value {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Values of `outputs` given the inputs by name. */
export function interpret(
  outputs: readonly Tensor[],
  inputs: Readonly<Record<string, ArrayLike<number>>>,
): readonly Value[] {
  const known = new Map<Tensor, Value>();
  const evaluated = (node: Tensor): Value => {
    const cached = known.get(node);
    if (cached !== undefined) return cached;
    const value = compute(node);
    if (value.data.length !== sizeOf(node.shape)) throw new Error(`${node.op}: ${value.data.length} elements`);
    known.set(node, value);
    return value;
  };
  const compute = (node: Tensor): Value => {
    if (node.op === "input") {
      return { shape: node.shape, data: Float64Array.from(inputs[String(node.attrs.name)] ?? []) };
    }
    const evaluate = EVALUATORS[node.op];
    if (evaluate !== undefined) return { shape: node.shape, data: evaluate(node, node.inputs.map(evaluated)) };
    const lowered = opNamed(node.op).lower?.(node);
    if (lowered === undefined) throw new Error(`the interpreter does not know ${node.op}`);
    return evaluated(lowered);
  };
  return outputs.map(evaluated);
}

type Evaluate = (node: Tensor, inputs: readonly Value[]) => Float64Array;
type Index = readonly number[];

function at(value: Value | undefined, index: Index): number {
  let offset = 0;
  value?.shape.forEach((extent, axis) => {
    offset = offset * extent + (index[axis] ?? 0);
  });
  return value?.data[offset] ?? Number.NaN;
}

/** One number per index of `shape`. */
function fill(shape: readonly number[], value: (index: Index) => number): Float64Array {
  const data = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = value(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break;
      index[axis] = 0;
    }
  }
  return data;
}

/** Index into a value that is broadcast to a larger shape. */
function narrowed(index: Index, shape: readonly number[]): Index {
  const lead = index.length - shape.length;
  return shape.map((extent, axis) => (extent === 1 ? 0 : (index[axis + lead] ?? 0)));
}

const numbers = (node: Tensor, name: string): readonly number[] => node.attrs[name] as readonly number[];
const number = (node: Tensor, name: string): number => Number(node.attrs[name]);

const unary =
  (f: (x: number, node: Tensor) => number): Evaluate =>
  (node, [x]) =>
    fill(node.shape, (index) => f(at(x, index), node));

const binary =
  (f: (a: number, b: number) => number): Evaluate =>
  (node, [a, b]) =>
    fill(node.shape, (index) => f(at(a, narrowed(index, a?.shape ?? [])), at(b, narrowed(index, b?.shape ?? []))));

const reduction =
  (start: number, f: (sum: number, x: number) => number, finish: (sum: number, count: number) => number): Evaluate =>
  (node, [x]) => {
    const axes = numbers(node, "axes");
    const from = x?.shape ?? [];
    const reduced = axes.map((axis) => from[axis] ?? 0);
    return fill(node.shape, (index) => {
      const rest = [...index];
      const full = from.map((_, axis) =>
        axes.includes(axis) ? 0 : node.attrs.keepDims === true ? (index[axis] ?? 0) : (rest.shift() ?? 0),
      );
      let sum = start;
      fill(reduced, (inner) => {
        axes.forEach((axis, i) => {
          full[axis] = inner[i] ?? 0;
        });
        sum = f(sum, at(x, full));
        return 0;
      });
      return finish(sum, sizeOf(reduced));
    });
  };

/** For each window position (o, p) and offset (i, j): the input place, or none in the padding. */
function places(node: Tensor) {
  const [sh = 1, sw = 1] = numbers(node, "strides");
  const [top = 0, left = 0] = numbers(node, "pads");
  return (o: number, p: number, i: number, j: number) => [o * sh + i - top, p * sw + j - left] as const;
}

const conv2d: Evaluate = (node, [x, w, bias]) => {
  const [, channels = 0, height = 0, width = 0] = x?.shape ?? [];
  const [out = 0, perGroup = 0, kh = 0, kw = 0] = w?.shape ?? [];
  const outPerGroup = out / (channels / perGroup);
  const place = places(node);
  return fill(node.shape, ([b = 0, k = 0, o = 0, p = 0]) => {
    let sum = bias === undefined ? 0 : at(bias, [k]);
    const first = Math.floor(k / outPerGroup) * perGroup;
    fill([perGroup, kh, kw], ([c = 0, i = 0, j = 0]) => {
      const [row, column] = place(o, p, i, j);
      const isInside = row >= 0 && row < height && column >= 0 && column < width;
      if (isInside) sum += at(x, [b, first + c, row, column]) * at(w, [k, c, i, j]);
      return 0;
    });
    return sum;
  });
};

const convTranspose2d: Evaluate = (node, [x, w, bias]) => {
  const [batch = 0, channels = 0, rows = 0, columns = 0] = x?.shape ?? [];
  const [, outPerGroup = 0, kh = 0, kw = 0] = w?.shape ?? [];
  const [, out = 0, height = 0, width = 0] = node.shape;
  const perGroup = channels / (out / outPerGroup);
  const place = places(node);
  const y = fill(node.shape, ([, k = 0]) => (bias === undefined ? 0 : at(bias, [k])));
  fill([batch, channels, rows, columns, outPerGroup, kh, kw], ([b = 0, c = 0, o = 0, p = 0, k = 0, i = 0, j = 0]) => {
    const [row, column] = place(o, p, i, j);
    if (row < 0 || row >= height || column < 0 || column >= width) return 0;
    const channel = Math.floor(c / perGroup) * outPerGroup + k;
    const target = ((b * out + channel) * height + row) * width + column;
    y[target] = (y[target] ?? 0) + at(x, [b, c, o, p]) * at(w, [c, k, i, j]);
    return 0;
  });
  return y;
};

const pool =
  (isMax: boolean): Evaluate =>
  (node, [x]) => {
    const [, , height = 0, width = 0] = x?.shape ?? [];
    const kernel = numbers(node, "kernel");
    const place = places(node);
    return fill(node.shape, ([b = 0, c = 0, o = 0, p = 0]) => {
      const window = [
        ...fill(kernel, ([i = 0, j = 0]) => {
          const [row, column] = place(o, p, i, j);
          const isInside = row >= 0 && row < height && column >= 0 && column < width;
          return isInside ? at(x, [b, c, row, column]) : isMax ? Number.NEGATIVE_INFINITY : 0;
        }),
      ];
      return isMax ? Math.max(...window) : window.reduce((sum, value) => sum + value, 0) / window.length;
    });
  };

const matmul: Evaluate = (node, [a, b]) => {
  const { transA, transB } = node.attrs;
  const inner = (transA === true ? a?.shape.at(-2) : a?.shape.at(-1)) ?? 0;
  return fill(node.shape, (index) => {
    const [m = 0, n = 0] = index.slice(-2);
    const lead = index.slice(0, -2);
    const leadA = narrowed(lead, a?.shape.slice(0, -2) ?? []);
    const leadB = narrowed(lead, b?.shape.slice(0, -2) ?? []);
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      const left = at(a, [...leadA, ...(transA === true ? [k, m] : [m, k])]);
      sum += left * at(b, [...leadB, ...(transB === true ? [n, k] : [k, n])]);
    }
    return sum;
  });
};

const softmax: Evaluate = (node, [x]) => {
  const axis = number(node, "axis");
  const count = node.shape[axis] ?? 0;
  return fill(node.shape, (index) => {
    const along = Array.from({ length: count }, (_, i) =>
      at(
        x,
        index.map((place, k) => (k === axis ? i : place)),
      ),
    );
    const peak = Math.max(...along);
    return Math.exp(at(x, index) - peak) / along.reduce((sum, value) => sum + Math.exp(value - peak), 0);
  });
};

const piece: Evaluate = (node, [x]) => {
  const sizes = numbers(node, "sizes");
  const start = sizes.slice(0, number(node, "index")).reduce((sum, size) => sum + size, 0);
  return x?.data.slice(start, start + sizeOf(node.shape)) ?? new Float64Array(0);
};

const concat: Evaluate = (node, inputs) => {
  const axis = number(node, "axis");
  return fill(node.shape, (index) => {
    let place = index[axis] ?? 0;
    const part = inputs.find((input) => {
      const extent = input.shape[axis] ?? 0;
      if (place < extent) return true;
      place -= extent;
      return false;
    });
    return at(
      part,
      index.map((value, k) => (k === axis ? place : value)),
    );
  });
};

const slice: Evaluate = (node, [x]) => {
  const [axes, starts, steps] = ["axes", "starts", "steps"].map((name) => numbers(node, name));
  return fill(node.shape, (index) => {
    const source = [...index];
    axes?.forEach((axis, i) => {
      source[axis] = (starts?.[i] ?? 0) + (index[axis] ?? 0) * (steps?.[i] ?? 1);
    });
    return at(x, source);
  });
};

const pad: Evaluate = (node, [x]) => {
  const before = numbers(node, "before");
  return fill(node.shape, (index) => {
    const source = index.map((place, axis) => place - (before[axis] ?? 0));
    const isInside = source.every((place, axis) => place >= 0 && place < (x?.shape[axis] ?? 0));
    return isInside ? at(x, source) : number(node, "value");
  });
};

/** Error function to f64 accuracy: Taylor series, or the continued fraction of erfc for large |x|. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 120; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = a;
  for (let n = 60; n > 0; n--) fraction = a + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * fraction));
}

const identity: Evaluate = (_, [x]) => x?.data ?? new Float64Array(0);

const EVALUATORS: Readonly<Record<string, Evaluate>> = {
  constant: (node) => Float64Array.from(node.attrs.values as Float32Array),
  scalar: (node) => Float64Array.of(number(node, "value")),
  full: (node) => new Float64Array(sizeOf(node.shape)).fill(number(node, "value")),
  interpolation: (node) => Float64Array.from(interpolationMatrix(number(node, "from"), number(node, "to"))),
  piece,
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  minimum: binary(Math.min),
  greater: binary((a, b) => (a > b ? 1 : 0)),
  equal: binary((a, b) => (a === b ? 1 : 0)),
  neg: unary((x) => -x),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  erf: unary(erf),
  tanh: unary(Math.tanh),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  relu: unary((x) => Math.max(0, x)),
  leakyRelu: unary((x, node) => (x > 0 ? x : x * number(node, "negativeSlope"))),
  detach: identity,
  cast: identity,
  reshape: identity,
  expand: (node, [x]) => fill(node.shape, (index) => at(x, narrowed(index, x?.shape ?? []))),
  transpose: (node, [x]) => {
    const permutation = numbers(node, "permutation");
    return fill(node.shape, (index) =>
      at(
        x,
        permutation.map((_, axis) => index[permutation.indexOf(axis)] ?? 0),
      ),
    );
  },
  flip: (node, [x]) => {
    const axes = numbers(node, "axes");
    const turned = (place: number, axis: number): number =>
      axes.includes(axis) ? (node.shape[axis] ?? 0) - 1 - place : place;
    return fill(node.shape, (index) => at(x, index.map(turned)));
  },
  concat,
  slice,
  pad,
  sum: reduction(
    0,
    (sum, x) => sum + x,
    (sum) => sum,
  ),
  mean: reduction(
    0,
    (sum, x) => sum + x,
    (sum, count) => sum / count,
  ),
  sumSquare: reduction(
    0,
    (sum, x) => sum + x * x,
    (sum) => sum,
  ),
  max: reduction(Number.NEGATIVE_INFINITY, Math.max, (peak) => peak),
  matmul,
  softmax,
  gather: (node, [table, indices]) => {
    const rank = indices?.shape.length ?? 0;
    return fill(node.shape, (index) => at(table, [at(indices, index.slice(0, rank)), ...index.slice(rank)]));
  },
  conv2d,
  convTranspose2d,
  maxPool2d: pool(true),
  averagePool2d: pool(false),
  rowAffine: (node, [x, scale, shift]) =>
    fill(node.shape, (index) => at(x, index) * at(scale, [index[0] ?? 0]) + at(shift, [index[0] ?? 0])),
};
