/**
 * Normalization with gradients derived by hand, in as few passes over the data as ONNX Runtime allows: at the sizes trained
 * here passes over activations cost as much as the products.
 *
 * Group norm, per example and group of n = (C/G)·H·W elements: x̂ = (x − μ)·r, r = 1/√(σ² + ε), y = γ_c·x̂ + β_c.
 * With s₁ = Σ dy and s₂ = Σ dy·x per (example, channel):
 *   dβ_c = Σ_b s₁,  dγ_c = Σ_b r·(s₂ − μ·s₁),
 *   P = Σ_{c∈g} γ_c·s₁,  Q = Σ_{c∈g} γ_c·r·(s₂ − μ·s₁),
 *   dx = (r·γ_c)·dy − (r²·Q/n)·x + (r²·Q·μ − r·P)/n.
 */
import { add, div, expand, mean, mul, neg, reshape, sqrt, square, sub, sum, sumTo } from "../functions.js";
import type { OpDefinition } from "../registry.js";
import { opError, sizeOf, type Tensor } from "../tensor.js";
import { numberOf } from "./attrs.js";
import { inputOf, typesOf } from "./inputs.js";

/** y[i, :] = scale[i]·x[i, :] + shift[i], in one pass. x [N, L]; scale, shift [N]. */
function rowAffine(x: Tensor, scale: Tensor, shift: Tensor): Tensor {
  return x.graph.apply("rowAffine", [x, scale, shift]);
}

/** Mean and 1/√(variance + ε) per row of [N, L], both [N, 1]. */
function rowMoments(rows: Tensor, epsilon: number): { readonly mu: Tensor; readonly rstd: Tensor } {
  const mu = mean(rows, { axes: [1], keepDims: true });
  const centered = sub(rows, mu);
  const variance = mean(square(centered), { axes: [1], keepDims: true });
  return { mu, rstd: div(rows.graph.scalar(1), sqrt(add(variance, epsilon))) };
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

/** [B·G, 1] → [B, G, C/G], one value per channel. */
function perChannelOf(value: Tensor, { batch, channels, groups }: Grouped): Tensor {
  return expand(reshape(value, [batch, groups, 1]), [batch, groups, channels / groups]);
}

function groupMoments(node: Tensor) {
  const sizes = groupedOf(node);
  const rows = reshape(inputOf(node), [sizes.batch * sizes.groups, sizes.perGroup]);
  return rowMoments(rows, numberOf(node.attrs, "epsilon"));
}

function lowerGroupNorm(node: Tensor): Tensor {
  const sizes = groupedOf(node);
  const { batch, channels, groups, perChannel } = sizes;
  const { mu, rstd } = groupMoments(node);
  const gamma = reshape(inputOf(node, 1), [1, groups, channels / groups]);
  const beta = reshape(inputOf(node, 2), [1, groups, channels / groups]);
  const scale = mul(perChannelOf(rstd, sizes), gamma);
  const shift = sub(beta, mul(perChannelOf(mu, sizes), scale));
  const x = reshape(inputOf(node), [batch * channels, perChannel]);
  return reshape(rowAffine(x, reshape(scale, [-1]), reshape(shift, [-1])), node.shape);
}

function groupNormGradients(node: Tensor, dy: Tensor): readonly (() => Tensor)[] {
  const sizes = groupedOf(node);
  const { batch, channels, groups, perChannel, perGroup } = sizes;
  const { mu, rstd } = groupMoments(node);
  const byChannel = [batch, groups, channels / groups];
  const x = reshape(inputOf(node), [batch * channels, perChannel]);
  const dyRows = reshape(dy, [batch * channels, perChannel]);
  const gamma = reshape(inputOf(node, 1), [1, groups, channels / groups]);
  const s1 = reshape(sum(dyRows, { axes: [1] }), byChannel);
  const s2 = reshape(sum(mul(dyRows, x), { axes: [1] }), byChannel);
  const groupMu = reshape(mu, [batch, groups, 1]);
  const groupRstd = reshape(rstd, [batch, groups, 1]);
  // Σ dy·x̂ per channel.
  const t = mul(sub(s2, mul(groupMu, s1)), groupRstd);
  const dx = (): Tensor => {
    const p = sum(mul(gamma, s1), { axes: [2], keepDims: true });
    const q = sum(mul(gamma, t), { axes: [2], keepDims: true });
    const slope = mul(mul(square(groupRstd), q), -1 / perGroup);
    const constant = sub(neg(mul(slope, groupMu)), mul(mul(groupRstd, p), 1 / perGroup));
    const flat = (value: Tensor): Tensor => reshape(expand(value, byChannel), [-1]);
    const fromDy = rowAffine(dyRows, flat(mul(groupRstd, gamma)), flat(constant));
    return reshape(add(fromDy, mul(x, reshape(flat(slope), [-1, 1]))), node.shape);
  };
  const perParameter = (value: Tensor): Tensor => reshape(sum(value, { axes: [0] }), [channels]);
  return [dx, () => perParameter(t), () => perParameter(s1)];
}

/** Layer norm over the last axis; x̂ as above with one group per row. */
function layerNormParts(node: Tensor) {
  const x = inputOf(node);
  const rows = reshape(x, [-1, x.shape.at(-1) ?? 0]);
  const { mu, rstd } = rowMoments(rows, numberOf(node.attrs, "epsilon"));
  return { rows, rstd, normalized: mul(sub(rows, mu), rstd) };
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
