/**
 * Normalization with gradients derived by hand, in as few passes over the data as ONNX Runtime allows: at the sizes trained
 * here passes over activations cost as much as the products.
 *
 * Group norm, per example and group of n = (C/G)·H·W elements, with d = x − μ and r = 1/√(σ² + ε): y = γ_c·r·d + β_c.
 * With s₁ = Σ dy and s₂ = r·Σ dy·d per (example, channel):
 *   dβ_c = Σ_b s₁,  dγ_c = Σ_b s₂,  P = Σ_{c∈g} r·γ_c·s₁,  Q = Σ_{c∈g} γ_c·s₂,
 *   dx = r·γ_c·dy − P/n − (r²·Q/n)·d.
 */
import { add, div, expand, mean, mul, reshape, sqrt, square, sub, sum, sumTo } from "../functions.js";
import type { OpDefinition } from "../registry.js";
import { opError, sizeOf, type Tensor } from "../tensor.js";
import { numberOf } from "./attrs.js";
import { inputOf, typesOf } from "./inputs.js";

/** y[i, :] = scale[i]·x[i, :] + shift[i], in one pass. x [N, L]; scale, shift [N]. */
function rowAffine(x: Tensor, scale: Tensor, shift: Tensor): Tensor {
  return x.graph.apply("rowAffine", [x, scale, shift]);
}

/** x − μ [N, L] and r = 1/√(σ² + ε) [N, 1] of the rows of [N, L]. */
function standardized(rows: Tensor, epsilon: number): { readonly centered: Tensor; readonly rstd: Tensor } {
  const centered = sub(rows, mean(rows, { axes: [1], keepDims: true }));
  const variance = mean(square(centered), { axes: [1], keepDims: true });
  return { centered, rstd: reciprocalRoot(add(variance, epsilon)) };
}

function reciprocalRoot(x: Tensor): Tensor {
  return div(x.graph.scalar(1), sqrt(x));
}

interface Grouped {
  readonly batch: number;
  readonly channels: number;
  readonly groups: number;
  /** Elements per channel and per group. */
  readonly perChannel: number;
  readonly perGroup: number;
}

function groupedOf(node: Tensor): Grouped {
  const x = inputOf(node);
  const groups = numberOf(node.attrs, "groups");
  const [batch = 0, channels = 0] = x.shape;
  const perChannel = sizeOf(x.shape.slice(2));
  return { batch, channels, groups, perChannel, perGroup: (channels / groups) * perChannel };
}

function groupStatistics(node: Tensor) {
  const sizes = groupedOf(node);
  const { batch, channels, groups, perChannel, perGroup } = sizes;
  const rows = reshape(inputOf(node), [batch * groups, perGroup]);
  const { centered, rstd } = standardized(rows, numberOf(node.attrs, "epsilon"));
  const gamma = reshape(inputOf(node, 1), [1, groups, channels / groups]);
  const r = reshape(rstd, [batch, groups, 1]);
  // r·γ per (example, channel): the scale of x forward and of dy backward.
  return { ...sizes, centered: reshape(centered, [batch * channels, perChannel]), gamma, r, scale: mul(r, gamma) };
}

function lowerGroupNorm(node: Tensor): Tensor {
  const { batch, channels, centered, scale } = groupStatistics(node);
  const shift = expand(reshape(inputOf(node, 2), [1, channels]), [batch, channels]);
  return reshape(rowAffine(centered, reshape(scale, [-1]), reshape(shift, [-1])), node.shape);
}

function groupNormGradients(node: Tensor, dy: Tensor): readonly (() => Tensor)[] {
  const { batch, channels, groups, perChannel, perGroup, centered, gamma, r, scale } = groupStatistics(node);
  const byChannel = [batch, groups, channels / groups];
  const dyRows = reshape(dy, [batch * channels, perChannel]);
  const s1 = reshape(sum(dyRows, { axes: [1] }), byChannel);
  const s2 = mul(reshape(sum(mul(dyRows, centered), { axes: [1] }), byChannel), r);
  const dx = (): Tensor => {
    const p = sum(mul(scale, s1), { axes: [2], keepDims: true });
    const q = sum(mul(gamma, s2), { axes: [2], keepDims: true });
    const flat = (value: Tensor): Tensor => reshape(expand(value, byChannel), [-1]);
    const fromDy = rowAffine(dyRows, reshape(scale, [-1]), flat(mul(p, -1 / perGroup)));
    const slope = mul(mul(square(r), q), -1 / perGroup);
    return reshape(add(fromDy, mul(centered, reshape(flat(slope), [-1, 1]))), node.shape);
  };
  const perParameter = (value: Tensor): Tensor => reshape(sum(value, { axes: [0] }), [channels]);
  return [dx, () => perParameter(s2), () => perParameter(s1)];
}

/** Layer norm over the last axis; x̂ as above with one group per row. */
function layerNormParts(node: Tensor) {
  const x = inputOf(node);
  const rows = reshape(x, [-1, x.shape.at(-1) ?? 0]);
  const { centered, rstd } = standardized(rows, numberOf(node.attrs, "epsilon"));
  return { rows, rstd, normalized: mul(centered, rstd) };
}

function layerNormGradients(node: Tensor, dy: Tensor): readonly (() => Tensor)[] {
  const { rows, rstd, normalized } = layerNormParts(node);
  const dyRows = reshape(dy, rows.shape);
  const gamma = inputOf(node, 1);
  const dx = (): Tensor => {
    const g = mul(dyRows, gamma);
    const meanOf = (value: Tensor): Tensor => mean(value, { axes: [1], keepDims: true });
    const centered = sub(sub(g, meanOf(g)), mul(normalized, meanOf(mul(g, normalized))));
    return reshape(mul(centered, rstd), node.shape);
  };
  return [dx, () => sumTo(mul(dyRows, normalized), gamma.shape), () => sumTo(dyRows, gamma.shape)];
}

export const normOps: readonly OpDefinition[] = [
  {
    name: "rowAffine",
    infer: (inputs) => {
      const [x, scale, shift] = typesOf("rowAffine", inputs);
      const rows = x.shape[0];
      if (x.shape.length !== 2 || scale.shape[0] !== rows || shift.shape[0] !== rows) {
        throw opError("rowAffine", inputs, "needs x [N, L], scale [N] and shift [N]");
      }
      return x;
    },
    // Batch normalization with mean 0 and variance 1 is the one op that scales and shifts rows in a single pass.
    emit: (e, node, [x = "", scale = "", shift = ""]) => {
      const [rows = 0, length = 0] = node.shape;
      const image = e.node("Reshape", [x, e.int64s([1, rows, length])]);
      const zeros = e.floats(new Float32Array(rows), [rows]);
      const ones = e.floats(new Float32Array(rows).fill(1), [rows]);
      const y = e.node("BatchNormalization", [image, scale, shift, zeros, ones], { floats: { epsilon: 0 } });
      return e.node("Reshape", [y, e.int64s([rows, length])]);
    },
    vjp: (node, dy) => {
      const [x, scale] = [inputOf(node, 0), inputOf(node, 1)];
      return [
        () => mul(dy, reshape(scale, [-1, 1])),
        () => sum(mul(dy, x), { axes: [1] }),
        () => sum(dy, { axes: [1] }),
      ];
    },
  },
  {
    name: "groupNorm",
    infer: (inputs, attrs) => {
      const [x, gamma, beta] = typesOf("groupNorm", inputs);
      const channels = x.shape[1] ?? 0;
      const groups = numberOf(attrs, "groups");
      if (x.shape.length < 3 || channels % groups !== 0) {
        throw opError("groupNorm", inputs, `needs [batch, channels, ...] with channels divisible by ${groups} groups`);
      }
      if (gamma.shape.join() !== `${channels}` || beta.shape.join() !== `${channels}`) {
        throw opError("groupNorm", inputs, `needs scale and shift of shape [${channels}]`);
      }
      return x;
    },
    lower: lowerGroupNorm,
    vjp: groupNormGradients,
  },
  {
    name: "layerNorm",
    infer: (inputs) => {
      const [x, gamma, beta] = typesOf("layerNorm", inputs);
      const width = `${x.shape.at(-1)}`;
      if (gamma.shape.join() !== width || beta.shape.join() !== width) {
        throw opError("layerNorm", inputs, `needs scale and shift of shape [${width}]`);
      }
      return x;
    },
    lower: (node) => {
      const { normalized } = layerNormParts(node);
      return reshape(add(mul(normalized, inputOf(node, 1)), inputOf(node, 2)), node.shape);
    },
    vjp: layerNormGradients,
  },
];
