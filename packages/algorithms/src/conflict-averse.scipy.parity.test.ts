/**
 * Against scipy's SLSQP on the 200 problems of fixtures/conflict-averse: our objective is never above its.
 *
 *   F(w) = ⟨g₀, Dw⟩ + c·‖g₀‖·‖Dw‖,  in units of s = mean ‖Δ_i‖²
 *
 * Both points are judged by the same code here, from the updates and with compensated sums, so the objective carries no error of the
 * Gram. What is allowed:
 *   1e-13·(1 + c)   a thousand roundings of terms that are at most (1 + c)·s
 *   c·‖g₀‖·δ        where Dw nearly vanishes: solvers see ‖Dw‖² through the Gram, whose entries are rounded sums of P
 *                   products, so only up to u = P·2⁻⁵²·(Σ w_i‖Δ_i‖)²; two points that the Gram cannot tell apart differ
 *                   in ‖Dw‖ by at most δ = √(‖Dw‖² + u) − ‖Dw‖
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readParamsFile } from "@kumiai/params";
import { beforeAll, describe, expect, test } from "vitest";
import { solveConflictAverse } from "./conflict-averse.js";
import { maxDifference } from "./testing/federation.js";
import { gramOf, norm } from "./testing/vectors.js";

interface ScipyCase {
  readonly case: string;
  readonly kind: string;
  readonly radius: number;
  readonly objective: number;
  readonly weights: readonly number[];
  readonly wellConditioned: boolean;
}

interface Problem extends ScipyCase {
  readonly updates: readonly Float32Array[];
  readonly ours: Float64Array;
}

const CASES = "6d4bfd";
const UPDATES = "";

/** Neumaier's: the error does not grow with the number of terms. */
function sumOf(terms: Iterable<number>): number {
  let sum = 0;
  let lost = 0;
  for (const term of terms) {
    const next = sum + term;
    lost += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
    sum = next;
  }
  return sum + lost;
}

function dotOf(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return sumOf(Array.from(x, (value, i) => value * (y[i] ?? Number.NaN)));
}

/** Σ w_i·Δ_i, in f64. */
function mixOf(updates: readonly Float32Array[], weights: ArrayLike<number>): Float64Array {
  return Float64Array.from(updates[0] ?? [], (_, p) =>
    sumOf(updates.map((update, i) => (weights[i] ?? Number.NaN) * (update[p] ?? Number.NaN))),
  );
}

interface Judged {
  /** F / s. */
  readonly objective: number;
  /** c·‖g₀‖·δ / s. */
  readonly unseen: number;
}

function judge({ updates, radius }: Problem, weights: ArrayLike<number>): Judged {
  const scale = sumOf(updates.map((update) => dotOf(update, update))) / updates.length;
  if (scale === 0) return { objective: 0, unseen: 0 };
  const mean = mixOf(updates, new Float64Array(updates.length).fill(1)).map((value) => value / updates.length);
  const mix = mixOf(updates, weights);
  const [meanNorm, mixNorm] = [Math.sqrt(dotOf(mean, mean)), Math.sqrt(dotOf(mix, mix))];
  const reach = sumOf(updates.map((update, i) => (weights[i] ?? Number.NaN) * norm(update)));
  const hidden = Math.hypot(mixNorm, reach * Math.sqrt(mean.length * Number.EPSILON)) - mixNorm;
  return {
    objective: (dotOf(mean, mix) + radius * meanNorm * mixNorm) / scale,
    unseen: (radius * meanNorm * hidden) / scale,
  };
}

const pathOf = (name: string): string =>
  fileURLToPath(new URL(`../../../fixtures/conflict-averse/${name}`, import.meta.url));

let problems: readonly Problem[] = [];
let hashes: readonly string[] = [];

beforeAll(async () => {
  const text = await readFile(pathOf("cases.json"), "utf8");
  const { cases } = JSON.parse(text) as { readonly cases: readonly ScipyCase[] };
  const file = await readParamsFile(pathOf("cases.safetensors"));
  hashes = [createHash("sha256").update(text).digest("hex"), file.sha256];
  problems = cases.map((scipy) => {
    const tensor = file.tensors.get(scipy.case);
    if (tensor === undefined) throw new Error(`no updates for case ${scipy.case}`);
    const { values, shape } = tensor;
    const [count = 0, size = 0] = shape;
    const updates = Array.from({ length: count }, (_, i) => values.slice(i * size, (i + 1) * size));
    return { ...scipy, updates, ours: solveConflictAverse(gramOf(updates), scipy.radius).weights };
  });
});

test("scratch", () => {
  for (const p of problems) {
    const [a, b] = [judge(p, p.ours), judge(p, p.weights)];
    const w = p.wellConditioned ? maxDifference(p.ours, p.weights).toExponential(1) : "";
    const ex = a.objective - b.objective;
    console.log(
      p.case,
      p.kind,
      p.updates.length,
      p.radius,
      b.objective.toExponential(2),
      "excess",
      ex.toExponential(2),
      "unseen",
      Math.max(a.unseen, b.unseen).toExponential(1),
      Math.abs(b.objective - p.objective).toExponential(0),
      w,
      ex > 1e-13 * (1 + p.radius) ? "HIGH" : "",
    );
  }
});
