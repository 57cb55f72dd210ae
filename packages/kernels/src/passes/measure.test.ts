import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { selectBackend } from "../select.js";
import { planSketch } from "../sketch.js";
import { crossStart, type Measured, type MeasureSegment } from "./plan.js";
import { measureHere } from "./run.js";
import { type Vector, vectorOf } from "./vector.js";

/** Longer than a piece in which a row is read along with all extras, shorter than one in which it is read with its own. */
const LENGTH = 60_000;
const EXTRAS = 9;
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kumiai-measure-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** f(i) for each element, in a file. */
function vector(name: string, f: (i: number) => number): Vector {
  const path = join(folder, name);
  writeFileSync(
    path,
    Float32Array.from({ length: LENGTH }, (_, i) => f(i)),
  );
  return vectorOf([{ path, position: 0, length: LENGTH, dtype: "F32" }]);
}

/** Small whole numbers: sums of their products are exact. */
const wave = (seed: number) => (i: number) => ((i * (2 * seed + 1) + seed) % 17) - 8;

function innerProduct(a: (i: number) => number, b: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < LENGTH; i++) sum += a(i) * b(i);
  return sum;
}

function segmentOf(name: string, own: Pick<MeasureSegment, "want" | "extrasOf" | "sketch">): MeasureSegment {
  const rows = [1, 2, 3].map((row) => ({
    before: vector(`${name}-before-${row}`, () => 0),
    after: vector(`${name}-after-${row}`, wave(row)),
  }));
  const extras = Array.from({ length: EXTRAS }, (_, d) => vector(`${name}-extra-${d}`, wave(10 + d)));
  return { length: LENGTH, rows, extras, ...own };
}

function measureAlone(segment: MeasureSegment): Measured {
  const outcome = measureHere({ segments: [segment], checks: [] }, selectBackend());
  if (outcome.nonFinite !== undefined) throw new Error("expected finite rows");
  return outcome.measured[0];
}

const extrasOf = [[0], [], [8, 1]];
const ownProducts = [
  [1, 0],
  [3, 8],
  [3, 1],
].map(([row, d]) => innerProduct(wave(row), wave(10 + d)));

test("rows with few of many extras are read in pieces longer than all of them would leave room for, sketches included", () => {
  const sketch = planSketch(LENGTH, { size: 64, seed: 1 });
  const measured = measureAlone(segmentOf("norms", { want: "norms", extrasOf, sketch }));
  expect([...measured.products]).toEqual([1, 2, 3].map((row) => innerProduct(wave(row), wave(row))));
  expect([...measured.cross]).toEqual(ownProducts);
  expect(measured.sketches.map((sums) => sums.some((sum) => sum !== 0))).toEqual([true, true, true]);
});

test("the products of a Gram's rows with extras of their own stand end to end", () => {
  const measured = measureAlone(segmentOf("gram", { want: "gram", extrasOf }));
  expect([...measured.cross]).toEqual(ownProducts);
  expect([0, 1, 2, 3].map((row) => crossStart(extrasOf, row))).toEqual([0, 1, 1, 3]);
});
