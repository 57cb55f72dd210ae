/** Plans on threads, where they arrive as numbers, against the same plans in this thread. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { selectBackend } from "../select.js";
import { openSharedHeap } from "../shared-heap.js";
import { planSketch } from "../sketch.js";
import { listed, type MeasurePlan, type MixPlan, type MixSegment } from "./plan.js";
import { measureHere, mixHere } from "./run.js";
import { openThreads, type PassThreads } from "./threads.js";
import { type Vector, vectorOf } from "./vector.js";

const LENGTH = 5000;
/** More vectors than a narrow step would hold in files. */
const ROWS = 40;
const backend = selectBackend();
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kumiai-threads-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const valueAt = (seed: number, i: number): number => Math.fround(Math.sin(seed * 7919 + i * 0.37) / 3);

type Make = (length: number) => Float32Array;

/** Every third vector in two pieces that are not neighbors. */
function vectorWith(make: Make, seed: number): Vector {
  const cut = seed % 3 === 0 ? 1234 : LENGTH;
  const parts = [make(cut), make(LENGTH - cut)];
  parts.forEach((part, p) => {
    for (let i = 0; i < part.length; i++) part[i] = valueAt(seed, i + p * cut);
  });
  return vectorOf(parts.map((values) => ({ values })));
}

function vectorInFile(seed: number, dtype: "F32" | "F16" = "F32"): Vector {
  const path = join(folder, `${seed}-${dtype}`);
  const values = Float32Array.from({ length: LENGTH }, (_, i) => valueAt(seed, i));
  writeFileSync(path, dtype === "F32" ? values : Uint16Array.from(values, (_, i) => 0x2c00 + ((seed * 31 + i) % 999)));
  return vectorOf([{ path, position: 0, length: LENGTH, dtype }]);
}

function rowsOf(make: Make) {
  const rows = Array.from({ length: ROWS }, (_, r) => ({
    before: vectorWith(make, 2 * r),
    after: vectorWith(make, 2 * r + 1),
  }));
  return listed(ROWS, (r) => rows[r]);
}

function measurePlan(make: Make): MeasurePlan {
  const [rows, extras] = [rowsOf(make), [1, 2, 3].map((d) => vectorWith(make, 100 + d))];
  const ofRow = Array.from({ length: ROWS }, (_, r) => (r % 2 === 0 ? [r % 3] : []));
  return {
    segments: [
      { length: LENGTH, rows, extras: extras.slice(0, 1), want: "gram" },
      { length: LENGTH, rows, extras, extrasOf: ofRow, want: "gram" },
      {
        length: LENGTH,
        rows,
        extras,
        extrasOf: ofRow,
        want: "norms",
        sketch: planSketch(LENGTH, { size: 64, seed: 5 }),
      },
      {
        length: LENGTH,
        rows: [{ before: vectorInFile(1), after: vectorInFile(2) }],
        extras: [vectorInFile(3, "F16")],
        want: "norms",
      },
    ],
    checks: [vectorWith(make, 9), vectorInFile(4)],
  };
}

/** Long factors in shared memory and in memory of their own, short ones, results that only a later block needs, a median. */
function mixPlan(make: Make): {
  readonly plan: MixPlan;
  readonly outs: readonly Float32Array[];
  readonly file: string;
} {
  const rows = rowsOf(make);
  const outs = Array.from({ length: 2 * ROWS + 1 }, () => make(LENGTH));
  const factors = Float64Array.from({ length: ROWS * ROWS }, (_, i) => Math.cos(i));
  const shared = new Float64Array(new SharedArrayBuffer(factors.byteLength));
  shared.set(factors);
  const segments = [factors, shared].map((each, s): MixSegment => {
    const own = outs.slice(s * ROWS, (s + 1) * ROWS);
    const operands = Array.from({ length: ROWS }, (_, row) => ({ delta: row }));
    const kept = { operands, factors: each, results: operands.map(() => []) };
    const blocks = own.map((values, row) => ({
      operands: [{ before: row }, { after: row }, { result: row }],
      factors: Float64Array.of(0.5, 0.25, 2),
      results: [[vectorOf([{ values }])]],
    }));
    return { length: LENGTH, rows, blocks: [kept, ...blocks] };
  });
  const median = outs.slice(2 * ROWS).map((values) => vectorOf([{ values }]));
  const operands = Array.from({ length: ROWS }, (_, row) => ({ after: row }));
  segments.push({ length: LENGTH, rows, blocks: [{ operands, trim: ROWS / 2 - 1, results: [median] }] });
  const file = join(folder, "copied");
  writeFileSync(file, new Uint8Array(999));
  vectorInFile(77);
  const copy = {
    from: { path: join(folder, "77-F32"), position: 8 },
    to: { path: file, position: 100 },
    byteLength: 400,
  };
  return { plan: { segments, copies: [copy] }, outs, file };
}

const digest = (values: Float32Array): string => createHash("sha256").update(Float32Array.from(values)).digest("hex");

const plain: Make = (length) => new Float32Array(length);
const shared: Make = (length) => new Float32Array(new SharedArrayBuffer(4 * length));

test.each([
  ["in a heap", true],
  ["over shared buffers of their own", false],
])("threads give the bits of this thread for vectors %s, pass after pass", async (_, isHeap) => {
  const heap = isHeap ? openSharedHeap(64 * 2 ** 20) : undefined;
  const make = heap === undefined ? shared : heap.allocate;
  await using threads = openThreads({ threadCount: 2, backend, ...(heap === undefined ? {} : { heap }) });
  for (let pass = 0; pass < 2; pass++) {
    expect(await threads.measure(measurePlan(make))).toEqual(measureHere(measurePlan(plain), backend));
    const [theirs, ours] = [mixPlan(make), mixPlan(plain)];
    const outcome = await threads.mix(theirs.plan);
    const copied = readFileSync(theirs.file);
    expect(outcome).toEqual(mixHere(ours.plan, backend));
    expect(theirs.outs.map(digest)).toEqual(ours.outs.map(digest));
    expect(ours.outs.every((out) => out.some((value) => value !== 0))).toBe(true);
    expect(copied.equals(readFileSync(ours.file))).toBe(true);
  }
});

test("a vector that threads cannot reach is a RangeError, and the next plan runs all the same", async () => {
  const heap = openSharedHeap(32 * 2 ** 20);
  const measure = (threads: PassThreads, make: Make) => threads.measure(measurePlan(make));
  await using alone = openThreads({ threadCount: 1, backend });
  await expect(measure(alone, plain)).rejects.toThrow("threads: expected vectors over SharedArrayBuffers");
  expect(await measure(alone, shared)).toEqual(measureHere(measurePlan(plain), backend));
  await using inHeap = openThreads({ threadCount: 1, backend, heap });
  await expect(measure(inHeap, shared)).rejects.toThrow("threads: expected vectors of the heap");
});

test("a median of more files than a narrow step of sums would hold has the bits of one in memory", () => {
  const count = 70;
  const sources = Array.from({ length: count }, (_, r) => vectorInFile(200 + r));
  const inMemory = Array.from({ length: count }, (_, r) => {
    return vectorOf([{ values: Float32Array.from({ length: LENGTH }, (_, i) => valueAt(200 + r, i)) }]);
  });
  const medianOf = (vectors: readonly Vector[]): Float32Array => {
    const out = new Float32Array(LENGTH);
    const rows = vectors.map((vector) => ({ before: vector, after: vector }));
    const operands = vectors.map((_, row) => ({ after: row }));
    const blocks = [{ operands, trim: 34, results: [[vectorOf([{ values: out }])]] }];
    expect(mixHere({ segments: [{ length: LENGTH, rows, blocks }], copies: [] }, backend)).not.toHaveProperty(
      "nonFinite",
    );
    return out;
  };
  expect(digest(medianOf(sources))).toBe(digest(medianOf(inMemory)));
});
