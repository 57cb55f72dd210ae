/**
 * The two passes of aggregation as data. (a) `measure`: inner products of what every client changed; (b) `mix`: weighted sums
 * and trimmed means, written out as they are made. Between them somebody decides, knowing nothing but the numbers of (a).
 *
 * Notation — code name, symbol, shape:
 *   row       Δ_r   [P]     after_r − before_r, each element rounded once to f32
 *   extra     x_d   [P]     a vector that rows are compared with
 *   gram      G     [R, R]  ⟨Δ_i, Δ_j⟩ in f64, packed upper triangle
 *   cross     C     [D, R]  ⟨x_d, Δ_r⟩ in f64; where rows have extras of their own, those of row after row, end to end
 *
 * Chunks of a segment have a length that depends on nothing but the number of rows and extras, and their sums are added in order:
 * results do not depend on where vectors lie, nor on the number of threads.
 */
import type { BlockRule, Operand } from "../backend.js";
import type { SketchPlan } from "../sketch.js";
import type { FileBytes } from "./transfer.js";
import type { Vector } from "./vector.js";

export interface Row {
  readonly before: Vector;
  readonly after: Vector;
}

/**
 * An array, or items that are made whenever they are asked for: a plan has thousands of vectors, and memory for those of one segment
 * at a time is enough.
 */
export interface Listed<Item> extends Iterable<Item> {
  readonly length: number;
}

/** `make` is called for each item, every time that the list is walked through. */
export function listed<Item>(length: number, make: (index: number) => Item): Listed<Item> {
  return new MadeList(length, make);
}

class MadeList<Item> implements Listed<Item> {
  readonly length: number;
  readonly #make: (index: number) => Item;

  constructor(length: number, make: (index: number) => Item) {
    this.length = length;
    this.#make = make;
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let index = 0; index < this.length; index++) yield this.#make(index);
  }
}

/** Rows of one length to be measured together. */
export interface MeasureSegment {
  readonly length: number;
  readonly rows: Listed<Row>;
  readonly extras: Listed<Vector>;
  /** `gram`: all inner products. `norms`: each row for itself; then `sketch` may ask for a sketch of each row. */
  readonly want: "gram" | "norms";
  readonly sketch?: SketchPlan;
  /** Indices into `extras` that each row is compared with. Default: all of them. */
  readonly extrasOf?: readonly (readonly number[])[];
}

export interface MeasurePlan {
  readonly segments: readonly MeasureSegment[];
  /** Vectors in which nothing but numbers that are not finite is looked for. */
  readonly checks: readonly Vector[];
}

export interface Measured {
  /** Packed upper triangle for `gram`, [R] for `norms`: ‖Δ_r‖². */
  readonly products: Float64Array;
  /** [D, R]; with `extrasOf`, one for each extra of each row from `crossStart` of the row on. */
  readonly cross: Float64Array;
  /** One per row, where asked for. */
  readonly sketches: readonly Float64Array[];
}

/** Where the products of a row with its own extras begin in `cross`; of the row after the last one: how many there are in all. */
export function crossStart(extrasOf: readonly (readonly number[])[], row: number): number {
  let start = 0;
  for (let r = 0; r < row; r++) start += extrasOf[r].length;
  return start;
}

/**
 * With factors [M, R]: result_m ← Σ_r factors[m·R + r]·operand_r for each m, in f64 in the order of operands, rounded once to f32. With `trim`: one result, the
 * mean of what is left of the operands' values, element by element, without the lowest and the highest; see `TrimmedMean`.
 */
export type MixBlock = BlockRule & {
  readonly operands: readonly Operand[];
  /** Where each result goes; several places, or none if only later blocks need it. Results are numbered through all blocks. */
  readonly results: readonly Listed<Vector>[];
};

export interface MixSegment {
  readonly length: number;
  readonly rows: Listed<Row>;
  readonly blocks: Listed<MixBlock>;
}

/** With all that is in them at hand. */
export interface MadeMeasureSegment extends MeasureSegment {
  readonly rows: readonly Row[];
  readonly extras: readonly Vector[];
}

export type MadeMixBlock = MixBlock & { readonly results: readonly (readonly Vector[])[] };

export interface MadeMixSegment extends MixSegment {
  readonly rows: readonly Row[];
  readonly blocks: readonly MadeMixBlock[];
}

export function makeMeasureSegment(segment: MeasureSegment): MadeMeasureSegment {
  return { ...segment, rows: [...segment.rows], extras: [...segment.extras] };
}

export function makeMixSegment({ length, rows, blocks }: MixSegment): MadeMixSegment {
  const made = Array.from(blocks, (block) => ({ ...block, results: block.results.map((places) => [...places]) }));
  return { length, rows: [...rows], blocks: made };
}

/** Keeps what it made last: jobs of a segment come one after the other. */
export function lastOf<Made>(make: (index: number) => Made): (index: number) => Made {
  let last: { readonly index: number; readonly made: Made } | undefined;
  return (index) => {
    if (last?.index !== index) last = { index, made: make(index) };
    return last.made;
  };
}

/** Bytes that go from one file to another as they are. */
export interface ByteCopy {
  readonly from: { readonly path: string; readonly position: number };
  readonly to: { readonly path: string; readonly position: number };
  readonly byteLength: number;
}

export interface MixPlan {
  readonly segments: readonly MixSegment[];
  readonly copies: readonly ByteCopy[];
}

/**
 * The first element that is not finite: of a row's difference, of a checked vector, or of a result; first by segment (rows before
 * checks), then by chunk, then by row.
 */
export type NonFinite =
  | { readonly segment: number; readonly row: number; readonly index: number }
  | { readonly check: number; readonly index: number }
  | { readonly segment: number; readonly result: number; readonly index: number };

export type MeasureOutcome = { readonly fileBytes: FileBytes } & (
  | { readonly measured: readonly Measured[]; readonly nonFinite?: undefined }
  | { readonly nonFinite: NonFinite }
);

export interface MixOutcome {
  readonly fileBytes: FileBytes;
  readonly nonFinite?: NonFinite;
}

export function* vectorsOfMeasure({ rows, extras }: Pick<MadeMeasureSegment, "rows" | "extras">): Generator<Vector> {
  for (const { before, after } of rows) {
    yield before;
    yield after;
  }
  yield* extras;
}

export function* vectorsOfMix({ rows, blocks }: MixSegment): Generator<Vector> {
  for (const { before, after } of rows) {
    yield before;
    yield after;
  }
  for (const { results } of blocks) for (const places of results) yield* places;
}
