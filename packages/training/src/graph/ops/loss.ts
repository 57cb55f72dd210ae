/** Cross entropy in one piece: its gradient, softmax − one-hot, is shorter than that of its parts. */
import { add, div, equal, exp, log, max, mul, reshape, sub, sum } from "../functions.js";
import type { OpDefinition } from "../registry.js";
import { opError, type Tensor } from "../tensor.js";
import { inputOf, typesOf } from "./inputs.js";

/** e = exp(z − max), its sum, and max + log of the sum, all over the classes. */
function exponentials(logits: Tensor) {
  const peak = max(logits, { axes: [1], keepDims: true });
  const powers = exp(sub(logits, peak));
  const total = sum(powers, { axes: [1], keepDims: true });
  return { powers, total, logTotal: add(log(total), peak) };
}

function oneHot(logits: Tensor, labels: Tensor): Tensor {
  const [batch = 0, classes = 0, points = 0] = logits.shape;
  const all = logits.graph.constant(
    Int32Array.from({ length: classes }, (_, i) => i),
    [1, classes, 1],
  );
  return logits.graph.apply("oneHot", [reshape(labels, [batch, 1, points]), all]);
}

export const lossOps: readonly OpDefinition[] = [
  {
    name: "oneHot",
    infer: ([labels, classes]) => ({
      dtype: "f32",
      shape: [labels?.shape[0] ?? 0, classes?.shape[1] ?? 0, labels?.shape[2] ?? 0],
    }),
    lower: (node) => equal(inputOf(node, 0), inputOf(node, 1)),
  },
  {
    // logits [B, C, N], labels i32 [B, N], shares [B, N] that sum to 1 → Σ share·(log Σ exp z − z_label).
    name: "crossEntropy",
    infer: (inputs) => {
      const [logits, labels, shares] = typesOf("crossEntropy", inputs);
      const points = [logits.shape[0], logits.shape[2]].join();
      if (logits.shape.length !== 3 || labels.shape.join() !== points || shares.shape.join() !== points) {
        throw opError("crossEntropy", inputs, "needs logits [B, C, N], labels [B, N] and shares [B, N]");
      }
      return { dtype: "f32", shape: [] };
    },
    lower: (node) => {
      const [logits, labels, shares] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
      const picked = sum(mul(logits, oneHot(logits, labels)), { axes: [1], keepDims: true });
      const { logTotal } = exponentials(logits);
      return sum(mul(reshape(sub(logTotal, picked), shares.shape), shares));
    },
    vjp: (node, dy) => {
      const [logits, labels, shares] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
      const [batch = 0, , points = 0] = logits.shape;
      return [
        () => {
          const { powers, total } = exponentials(logits);
          const weights = reshape(mul(shares, dy), [batch, 1, points]);
          return sub(mul(powers, div(weights, total)), mul(oneHot(logits, labels), weights));
        },
      ];
    },
  },
];
