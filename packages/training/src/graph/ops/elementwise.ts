/** Ops that work on each element alone. Binary ones broadcast. */
import { abs, add, div, erf, exp, greater, log, mul, neg, positive, sigmoid, sign, sub, sumTo } from "../functions.js";
import type { OpDefinition } from "../registry.js";
import { opError, type Tensor, type TensorType } from "../tensor.js";
import { numberOf } from "./attrs.js";
import { inputOf } from "./inputs.js";

function needF32(op: string, inputs: readonly TensorType[]): void {
  if (inputs.some((input) => input.dtype !== "f32")) throw opError(op, inputs, "needs f32; convert with toF32 first");
}

/** Shape of a broadcast as NumPy defines it. Throws MODEL_INVALID. */
export function broadcastShape(op: string, a: TensorType, b: TensorType): readonly number[] {
  const rank = Math.max(a.shape.length, b.shape.length);
  const left = [...Array<number>(rank - a.shape.length).fill(1), ...a.shape];
  const right = [...Array<number>(rank - b.shape.length).fill(1), ...b.shape];
  return left.map((extent, i) => {
    const other = right[i] ?? 1;
    if (extent !== other && extent !== 1 && other !== 1) throw opError(op, [a, b], "the shapes do not broadcast");
    return Math.max(extent, other);
  });
}

type UnaryGradient = (x: Tensor, y: Tensor, dy: Tensor) => Tensor;

function unary(name: string, onnx: string, gradient?: UnaryGradient): OpDefinition {
  const op: OpDefinition = {
    name,
    infer: ([x]) => {
      if (x === undefined) throw new Error(`${name} needs an input`);
      needF32(name, [x]);
      return { dtype: "f32", shape: x.shape };
    },
    emit: (e, _, inputs) => e.node(onnx, inputs),
  };
  if (gradient === undefined) return op;
  return { ...op, vjp: (node, dy) => [() => gradient(inputOf(node), node, dy)] };
}

/** An op that is an expression of others, with a gradient shorter than theirs. */
function lowered(name: string, lower: (x: Tensor, node: Tensor) => Tensor, gradient?: UnaryGradient): OpDefinition {
  const { emit: _, ...op } = unary(name, "", gradient);
  return { ...op, lower: (node) => lower(inputOf(node), node) };
}

type BinaryGradient = (a: Tensor, b: Tensor, dy: Tensor, y: Tensor) => Tensor;

function binary(name: string, onnx: string, gradients?: readonly [BinaryGradient, BinaryGradient]): OpDefinition {
  const op: OpDefinition = {
    name,
    infer: ([a, b]) => {
      if (a === undefined || b === undefined) throw new Error(`${name} needs two inputs`);
      needF32(name, [a, b]);
      return { dtype: "f32", shape: broadcastShape(name, a, b) };
    },
    emit: (e, _, inputs) => e.node(onnx, inputs),
  };
  if (gradients === undefined) return op;
  return {
    ...op,
    vjp: (node, dy) => {
      const a = inputOf(node, 0);
      const b = inputOf(node, 1);
      return [() => sumTo(gradients[0](a, b, dy, node), a.shape), () => sumTo(gradients[1](a, b, dy, node), b.shape)];
    },
  };
}

/** 0/1 as f32 from ONNX's boolean comparison. */
function comparison(name: string, onnx: string): OpDefinition {
  return {
    name,
    infer: ([a, b]) => {
      if (a === undefined || b === undefined) throw new Error(`${name} needs two inputs`);
      if (a.dtype !== b.dtype) throw opError(name, [a, b], "needs two inputs of one type");
      return { dtype: "f32", shape: broadcastShape(name, a, b) };
    },
    emit: (e, _, inputs) => e.node("Cast", [e.node(onnx, inputs)], { ints: { to: 1 } }),
  };
}

const SQRT_HALF = Math.SQRT1_2;
const GAUSS = 1 / Math.sqrt(2 * Math.PI);

/** Φ(x) of the standard normal. */
const normalCdf = (x: Tensor): Tensor => mul(add(erf(mul(x, SQRT_HALF)), 1), 0.5);

const slopeOf = (node: Tensor): number => numberOf(node.attrs, "negativeSlope");

export const elementwiseOps: readonly OpDefinition[] = [
  binary("add", "Add", [(_a, _b, dy) => dy, (_a, _b, dy) => dy]),
  binary("sub", "Sub", [(_a, _b, dy) => dy, (_a, _b, dy) => neg(dy)]),
  binary("mul", "Mul", [(_a, b, dy) => mul(dy, b), (a, _b, dy) => mul(dy, a)]),
  binary("div", "Div", [(_a, b, dy) => div(dy, b), (_a, b, dy, y) => neg(mul(dy, div(y, b)))]),
  binary("minimum", "Min", [(a, b, dy) => mul(dy, sub(one(a), greater(a, b))), (a, b, dy) => mul(dy, greater(a, b))]),
  comparison("greater", "Greater"),
  comparison("equal", "Equal"),
  unary("neg", "Neg", (_x, _y, dy) => neg(dy)),
  unary("exp", "Exp", (_x, y, dy) => mul(dy, y)),
  unary("log", "Log", (x, _y, dy) => div(dy, x)),
  unary("sqrt", "Sqrt", (_x, y, dy) => div(mul(dy, 0.5), y)),
  unary("abs", "Abs", (x, _y, dy) => mul(dy, sign(x))),
  unary("sign", "Sign"),
  unary("erf", "Erf", (x, _y, dy) => mul(dy, mul(exp(mul(mul(x, x), -1)), 2 / Math.sqrt(Math.PI)))),
  unary("tanh", "Tanh", (_x, y, dy) => mul(dy, sub(one(y), mul(y, y)))),
  unary("sigmoid", "Sigmoid", (_x, y, dy) => mul(dy, mul(y, sub(one(y), y)))),
  unary("relu", "Relu", (_x, y, dy) => mul(dy, positive(y))),
  lowered(
    "square",
    (x) => mul(x, x),
    (x, _y, dy) => mul(mul(x, 2), dy),
  ),
  // max(x, 0) + log(1 + exp(−|x|)): no overflow, and exact for large |x|.
  lowered(
    "softplus",
    (x) => add(x.graph.apply("relu", [x]), log(add(exp(neg(abs(x))), 1))),
    (x, _y, dy) => mul(dy, sigmoid(x)),
  ),
  lowered("positive", (x) => greater(x, 0)),
  {
    name: "leakyRelu",
    infer: ([x]) => {
      if (x === undefined) throw new Error("leakyRelu needs an input");
      needF32("leakyRelu", [x]);
      return { dtype: "f32", shape: x.shape };
    },
    emit: (e, node, inputs) => e.node("LeakyRelu", inputs, { floats: { alpha: slopeOf(node) } }),
    vjp: (node, dy) => [() => mul(dy, add(mul(positive(inputOf(node)), 1 - slopeOf(node)), slopeOf(node)))],
  },
  lowered(
    "gelu",
    (x) => mul(x, normalCdf(x)),
    (x, _y, dy) => mul(dy, add(normalCdf(x), mul(x, mul(exp(mul(mul(x, x), -0.5)), GAUSS)))),
  ),
  lowered(
    "silu",
    (x) => mul(x, sigmoid(x)),
    (x, y, dy) => mul(dy, add(sigmoid(x), mul(y, sub(one(x), sigmoid(x))))),
  ),
  unary("detach", "Identity"),
  {
    name: "cast",
    infer: ([x], attrs) => {
      if (x === undefined) throw new Error("cast needs an input");
      return { dtype: attrs.to === "i32" ? "i32" : "f32", shape: x.shape };
    },
    emit: (e, node, inputs) => e.node("Cast", inputs, { ints: { to: node.dtype === "i32" ? 6 : 1 } }),
  },
];

/** The constant 1 in the graph of `like`. */
function one(like: Tensor): Tensor {
  return like.graph.scalar(1);
}
