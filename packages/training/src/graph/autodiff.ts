/** Reverse-mode automatic differentiation: gradients are more tensors of the same graph. */
import { add, zerosLike } from "./functions.js";
import { opNamed } from "./registry.js";
import { describe, sameShape, type Tensor } from "./tensor.js";

/**
 * Gradients of the scalar `loss` with respect to each of `targets`, in their order; zeros where `loss` does not depend on
 * a target. Nothing is built for branches that lead to no target.
 */
export function gradientsOf(loss: Tensor, targets: readonly Tensor[]): readonly Tensor[] {
  return partialGradientsOf(loss, targets).map((gradient, i) => gradient ?? zerosLike(targets[i] as Tensor));
}

/** As `gradientsOf`, with nothing in the place of zeros where `loss` does not depend on a target. */
export function partialGradientsOf(loss: Tensor, targets: readonly Tensor[]): readonly (Tensor | undefined)[] {
  const needed = dependents(loss, targets);
  const gradients = new Map<Tensor, Tensor>([[loss, loss.graph.scalar(1)]]);
  for (const node of [...needed].sort((a, b) => b.index - a.index)) {
    const dy = gradients.get(node);
    const vjp = opNamed(node.op).vjp;
    if (dy === undefined || vjp === undefined) continue;
    vjp(node, dy).forEach((thunk, i) => {
      const input = node.inputs[i];
      if (thunk === undefined || input === undefined || !needed.has(input)) return;
      const part = thunk();
      if (!sameShape(part.shape, input.shape)) {
        throw new Error(`gradient of ${node.op} for input ${i}: ${describe(part)}, expected ${describe(input)}`);
      }
      const sum = gradients.get(input);
      gradients.set(input, sum === undefined ? part : add(sum, part));
    });
  }
  return targets.map((target) => gradients.get(target));
}

/** The tensors between `targets` and `loss`: those that `loss` needs and that need a target. */
function dependents(loss: Tensor, targets: readonly Tensor[]): ReadonlySet<Tensor> {
  const wanted = new Set(targets);
  const decided = new Map<Tensor, boolean>();
  const visit = (node: Tensor): boolean => {
    const known = decided.get(node);
    if (known !== undefined) return known;
    let depends = wanted.has(node);
    for (const input of node.inputs) depends = visit(input) || depends;
    decided.set(node, depends);
    return depends;
  };
  visit(loss);
  return new Set([...decided].filter(([, depends]) => depends).map(([node]) => node));
}
