/** Writes plans down for threads; packed.ts says how, and reads them. */
import type { Operand } from "../backend.js";
import type { MeasureJob } from "./measure.js";
import type { MixJob } from "./mix.js";
import { DTYPES, JOBS, type Packed, type PackedMeasure, type PackedMix } from "./packed.js";
import type { Listed, MeasurePlan, MeasureSegment, MixBlock, MixPlan, MixSegment, Row } from "./plan.js";
import type { SharedRoom } from "./shared-room.js";
import { isInFile, type Vector } from "./vector.js";

/** Factors that are copied wherever they lie. */
const SHORT = 64;

export function packMeasure(
  { segments, checks }: MeasurePlan,
  jobs: readonly MeasureJob[],
  room: SharedRoom,
): PackedMeasure {
  const writer = openWriter(room);
  for (const segment of segments) writeMeasureSegment(segment, writer);
  for (const check of checks) {
    writer.begin();
    writeVector(check, writer);
  }
  for (const job of jobs) writeMeasureJob(job, writer);
  return { pass: "measure", segmentCount: segments.length, checkCount: checks.length, ...writer.end() };
}

export function packMix({ segments }: MixPlan, jobs: readonly MixJob[], room: SharedRoom): PackedMix {
  const writer = openWriter(room);
  for (const segment of segments) writeMixSegment(segment, writer);
  for (const job of jobs) writeMixJob(job, writer);
  return { pass: "mix", segmentCount: segments.length, checkCount: 0, ...writer.end() };
}

interface Writer {
  /** What follows is the next item. */
  begin(): void;
  write(number: number): void;
  writeAll(numbers: Float64Array): void;
  /** Numbers of buffers and paths. */
  bufferAt(buffer: ArrayBufferLike): number;
  factorBufferAt(buffer: ArrayBufferLike): number;
  pathAt(path: string): number;
  end(): Pick<Packed, "numbers" | "starts" | "buffers" | "factorBuffers" | "paths">;
}

function openWriter(room: SharedRoom): Writer {
  const numbers = openList(room, "numbers");
  const starts = openList(room, "starts");
  const [buffers, factorBuffers] = [new Map<ArrayBufferLike, number>(), new Map<ArrayBufferLike, number>()];
  const paths = new Map<string, number>();
  return {
    begin: () => starts.push(numbers.length()),
    write: numbers.push,
    writeAll: numbers.pushAll,
    bufferAt: (buffer) => indexIn(buffers, buffer),
    factorBufferAt: (buffer) => indexIn(factorBuffers, buffer),
    pathAt: (path) => indexIn(paths, path),
    end: () => ({
      numbers: numbers.end(),
      starts: starts.end(),
      buffers: [...buffers.keys()],
      factorBuffers: [...factorBuffers.keys()],
      paths: [...paths.keys()],
    }),
  };
}

function indexIn<Key>(known: Map<Key, number>, key: Key): number {
  const index = known.get(key) ?? known.size;
  if (index === known.size) known.set(key, index);
  return index;
}

/** In shared memory; twice as much where there is no room left. */
function openList(room: SharedRoom, name: string) {
  let numbers = room.take(name, 1024);
  let length = 0;
  const reserve = (count: number): void => {
    if (length + count <= numbers.length) return;
    const before = numbers.slice(0, length);
    numbers = room.take(name, 2 * (length + count));
    numbers.set(before);
  };
  return {
    length: () => length,
    push(number: number): void {
      reserve(1);
      numbers[length++] = number;
    },
    pushAll(more: Float64Array): void {
      reserve(more.length);
      numbers.set(more, length);
      length += more.length;
    },
    end: (): Float64Array => numbers.subarray(0, length),
  };
}

function writeVector({ pieces }: Vector, { write, bufferAt, pathAt }: Writer): void {
  write(pieces.length);
  for (const piece of pieces) {
    if (isInFile(piece)) {
      write(-1 - (DTYPES.length * pathAt(piece.path) + DTYPES.indexOf(piece.dtype)));
      write(piece.position);
      write(piece.length);
    } else {
      write(bufferAt(piece.values.buffer));
      write(piece.values.byteOffset);
      write(piece.values.length);
    }
  }
}

function writeRows(rows: Listed<Row>, writer: Writer): void {
  writer.write(rows.length);
  for (const { before, after } of rows) {
    writeVector(before, writer);
    writeVector(after, writer);
  }
}

function writeMeasureSegment({ length, rows, extras, want, sketch, extrasOf }: MeasureSegment, writer: Writer): void {
  const { begin, write } = writer;
  begin();
  write(length);
  write(want === "gram" ? 1 : 0);
  write(sketch === undefined ? 0 : 1);
  if (sketch !== undefined) {
    write(sketch.size);
    write(sketch.seed);
  }
  writeRows(rows, writer);
  write(extras.length);
  for (const extra of extras) writeVector(extra, writer);
  write(extrasOf === undefined ? 0 : 1);
  for (const own of extrasOf ?? []) {
    write(own.length);
    own.forEach(write);
  }
}

function writeMixSegment({ length, rows, blocks }: MixSegment, writer: Writer): void {
  const { begin, write } = writer;
  begin();
  write(length);
  writeRows(rows, writer);
  write(blocks.length);
  for (const block of blocks) writeBlock(block, writer);
}

function writeBlock(block: MixBlock, writer: Writer): void {
  const { operands, results } = block;
  const { write } = writer;
  write(operands.length);
  for (const operand of operands) writeOperand(operand, write);
  if ("factors" in block) writeFactors(block.factors, writer);
  else write(-1 - block.trim);
  write(results.length);
  for (const places of results) {
    write(places.length);
    for (const place of places) writeVector(place, writer);
  }
}

function writeFactors(factors: Float64Array, writer: Writer): void {
  const { write, factorBufferAt } = writer;
  write(factors.length);
  // Long ones are in shared memory for this; others are copied. A short array has no buffer until somebody asks for it.
  if (factors.length > SHORT && factors.buffer instanceof SharedArrayBuffer) {
    write(factorBufferAt(factors.buffer));
    write(factors.byteOffset);
  } else {
    write(-1);
    writer.writeAll(factors);
  }
}

function writeOperand(operand: Operand, write: (number: number) => void): void {
  const [kind, index] =
    "before" in operand
      ? [0, operand.before]
      : "after" in operand
        ? [1, operand.after]
        : "delta" in operand
          ? [2, operand.delta]
          : [3, operand.result];
  write(kind);
  write(index);
}

function writeMeasureJob(job: MeasureJob, { begin, write }: Writer): void {
  begin();
  write(JOBS.indexOf(job.kind));
  if (job.kind === "check") {
    write(job.check);
    return;
  }
  write(job.segment);
  if (job.kind === "row") {
    write(job.row);
    return;
  }
  write(job.chunk);
  write(job.start);
  write(job.end);
}

function writeMixJob(job: MixJob, { begin, write, pathAt }: Writer): void {
  begin();
  write(JOBS.indexOf(job.kind));
  if (job.kind === "segment") {
    write(job.segment);
    write(job.start);
    write(job.end);
    return;
  }
  const { from, to, byteLength } = job.copy;
  for (const { path, position } of [from, to]) {
    write(pathAt(path));
    write(position);
  }
  write(byteLength);
}
