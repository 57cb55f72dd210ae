/**
 * Against scipy's SLSQP on the 200 problems of fixtures/conflict-averse: our objective is never above its.
 *
 *   F(w) = ⟨g₀, Dw⟩ + c·‖g₀‖·‖Dw‖
 *
 * Both points are judged by the same code here, from the updates and with compensated sums, so what is compared carries no error
 * of the Gram. What is allowed, at scipy's point, with the sizes of the terms before anything cancels, R = Σ w_i‖Δ_i‖ and M = mean ‖Δ_i‖:
 *   2e-15·(1 + c)·M·R   nine roundings of terms that are at most (1 + c)·M·R
 *   c·‖g₀‖·δ            where Dw nearly vanishes: solvers see ‖Dw‖² through the Gram, whose entries are rounded sums of P products, so
 *                       only up to u = P·2⁻⁵²·R²: ‖Dw‖ only up to δ = √(‖Dw‖² + u) − ‖Dw‖ (u/2‖Dw‖, where ‖Dw‖ is far above √u)
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

const SHA256 = {
  cases: "381ac20d76283d42bf6b38f3ca43c525c2ff6f51522681f0c944d9ef075887ac",
  updates: "0f506ed87cec6d3de1c849de7727128d453fcf2430b6ec14dd4f312ddec1738b",
};
const COUNT = 200;
const ROUNDING = 2e-15;

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
  readonly objective: number;
  /** (1 + c)·M·R */
  readonly size: number;
  /** c·‖g₀‖·δ */
  readonly unseen: number;
}

function judge({ updates, radius }: Problem, weights: ArrayLike<number>): Judged {
  const mean = mixOf(updates, new Float64Array(updates.length).fill(1)).map((value) => value / updates.length);
  const mix = mixOf(updates, weights);
  const [meanNorm, mixNorm] = [Math.sqrt(dotOf(mean, mean)), Math.sqrt(dotOf(mix, mix))];
  const norms = updates.map((update) => norm(update));
  const reach = dotOf(norms, weights);
  const seen = reach * Math.sqrt(mean.length * Number.EPSILON);
  return {
    objective: dotOf(mean, mix) + radius * meanNorm * mixNorm,
    size: ((1 + radius) * sumOf(norms) * reach) / updates.length,
    unseen: radius * meanNorm * (Math.hypot(mixNorm, seen) - mixNorm),
  };
}

const pathOf = (name: string): string =>
  fileURLToPath(new URL(`../../../fixtures/conflict-averse/${name}`, import.meta.url));

let problems: readonly Problem[] = [];
let hashes: readonly string[] = [];
let tensorCount = 0;

beforeAll(async () => {
  const text = await readFile(pathOf("cases.json"), "utf8");
  const { cases } = JSON.parse(text) as { readonly cases: readonly ScipyCase[] };
  const file = await readParamsFile(pathOf("cases.safetensors"));
  hashes = [createHash("sha256").update(text).digest("hex"), file.sha256];
  tensorCount = file.tensors.size;
  problems = cases.map((scipy) => {
    const tensor = file.tensors.get(scipy.case);
    if (tensor === undefined) throw new Error(`no updates for case ${scipy.case}`);
    const { values, shape } = tensor;
    const [count = 0, size = 0] = shape;
    const updates = Array.from({ length: count }, (_, i) => values.slice(i * size, (i + 1) * size));
    return { ...scipy, updates, ours: solveConflictAverse(gramOf(updates), scipy.radius).weights };
  });
});

/** By how much of what is allowed `weights` are worse than scipy's. */
function excessOf(problem: Problem, weights: ArrayLike<number>): number {
  const scipy = judge(problem, problem.weights);
  const excess = judge(problem, weights).objective - scipy.objective;
  return excess <= 0 ? 0 : excess / (ROUNDING * scipy.size + scipy.unseen);
}

const isFar = (problem: Problem): boolean => {
  const { unseen, size } = judge(problem, problem.weights);
  return unseen <= ROUNDING * size;
};

describe("200 problems solved by scipy's SLSQP", () => {
  test("are the recorded files, every one of the updates used", () => {
    expect(hashes).toEqual([SHA256.cases, SHA256.updates]);
    expect(problems).toHaveLength(COUNT);
    expect(new Set(problems.map((problem) => problem.case)).size).toBe(COUNT);
    expect(tensorCount).toBe(COUNT);
    expect(new Set(problems.map((problem) => problem.kind)).size).toBe(20);
    expect(new Set(problems.map((problem) => problem.radius))).toEqual(new Set([0, 0.1, 0.4, 0.9, 1, 1.5, 3]));
  });

  test("scipy's objective, as the fixture has it, is what its weights give here, to 1e-14 of the terms", () => {
    for (const problem of problems) {
      const scale = sumOf(problem.updates.map((update) => dotOf(update, update))) / problem.updates.length;
      const { objective, size } = judge(problem, problem.weights);
      expect(Math.abs(objective - problem.objective * scale), problem.case).toBeLessThanOrEqual(1e-14 * size);
    }
  });

  test("our objective is never above scipy's, to 2e-15 of the terms and what the Gram cannot tell", () => {
    const compared = problems.filter((problem) => {
      expect(excessOf(problem, problem.ours), `${problem.case}, ${problem.kind}`).toBeLessThanOrEqual(1);
      return true;
    });
    expect(compared).toHaveLength(COUNT);
  });

  test("what the Gram cannot tell plays no part in three of four", () => {
    expect(problems.filter(isFar).length).toBeGreaterThanOrEqual(150);
  });

  test("our weights are at least 0 and sum to 1 to 1e-14", () => {
    for (const { ours, updates, case: name } of problems) {
      expect(ours, name).toHaveLength(updates.length);
      expect(Math.min(...ours), name).toBeGreaterThanOrEqual(0);
      expect(Math.abs(sumOf(ours) - 1), name).toBeLessThanOrEqual(1e-14);
    }
  });

  test("the weights of the 21 well-conditioned ones agree to 1e-7", () => {
    const wellConditioned = problems.filter((problem) => problem.wellConditioned);
    expect(wellConditioned).toHaveLength(21);
    for (const { ours, weights, case: name } of wellConditioned) {
      expect(maxDifference(ours, weights), name).toBeLessThanOrEqual(1e-7);
    }
  });

  test("a Gram 2^±200 times as large gives the same weights and factors, bit for bit", () => {
    for (const { updates, radius, case: name } of problems) {
      const gram = gramOf(updates);
      const solved = solveConflictAverse(gram, radius);
      for (const scale of [2 ** 200, 2 ** -200]) {
        const scaled = gram.map((value) => value * scale);
        expect(solveConflictAverse(scaled, radius), name).toEqual(solved);
      }
    }
  });

  test("a Gram π times as large gives an objective that is as good", () => {
    for (const problem of problems) {
      const scaled = gramOf(problem.updates).map((value) => value * Math.PI);
      const { weights } = solveConflictAverse(scaled, problem.radius);
      expect(excessOf(problem, weights), `${problem.case}, ${problem.kind}`).toBeLessThanOrEqual(1);
    }
  });
});
