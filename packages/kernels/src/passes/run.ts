/** Takes the jobs of a pass one after the other, in this thread or beside other threads that take from the same list. */
import type { KernelBackend, Kernels } from "../backend.js";
import { referenceBackend } from "../reference/kernels.js";
import {
  type MeasureContext,
  type MeasureSource,
  measure,
  measureBytes,
  jobsOf as measureJobsOf,
  resultLength,
  resultsAt,
} from "./measure.js";
import { type MixSource, mix, mixBytes, jobsOf as mixJobsOf } from "./mix.js";
import {
  lastOf,
  type Measured,
  type MeasureOutcome,
  type MeasurePlan,
  type MixOutcome,
  type MixPlan,
  makeMeasureSegment,
  makeMixSegment,
  type NonFinite,
} from "./plan.js";
import { type FileBytes, openTransfer, type Transfer } from "./transfer.js";
import { NO_TURNS, type Turns } from "./turns.js";
import type { Range } from "./vector.js";

/** What a thread did: the first failure it met, and the bytes it moved. */
export interface Share {
  readonly failure: Failure | undefined;
  readonly fileBytes: FileBytes;
}

/** What a job could not do, and which job it was: the lowest one counts, however many threads there are. */
export interface Failure {
  readonly job: number;
  readonly nonFinite: NonFinite;
}

/** Hands out job numbers in ascending order; none beyond one that failed. */
export interface Claims {
  /** −1 when there is nothing left. */
  next(): number;
  fail(job: number): void;
}

/** Lets so many threads compute at a time, while others read and write. */
export type Gate = <T>(work: () => T) => T;

/** How the threads of a pass get along. */
export interface Together {
  readonly claims: Claims;
  readonly turns: Turns;
  readonly gate: Gate;
}

/** Measures with the threads that share `claims`. */
export function measureSome(source: MeasureSource, kernels: Kernels, { claims, turns, gate }: Together): Share {
  return withTransfer(kernels, (transfer) => {
    const context: MeasureContext = { source, kernels, transfer, turns, gate };
    const failure = takeAll(claims, (job) => measure(source.job(job), context));
    return { failure, fileBytes: transfer.fileBytes() };
  });
}

export function mixSome(source: MixSource, kernels: Kernels, { claims, gate }: Together): Share {
  return withTransfer(kernels, (transfer) => {
    const failure = takeAll(claims, (job) => mix(source.job(job), { source, kernels, transfer, gate }));
    return { failure, fileBytes: transfer.fileBytes() };
  });
}

/** Where the results of a plan go: one buffer, from which number on each segment's, and the numbers in all. */
export interface ResultPlaces {
  readonly starts: readonly number[];
  readonly length: number;
}

export function resultPlaces({ segments }: MeasurePlan): ResultPlaces {
  let length = 0;
  const starts = segments.map((segment) => {
    const start = length;
    length += resultLength(segment);
    return start;
  });
  return { starts, length };
}

/** The first pass in this thread; vectors may lie in memory of any kind, or in files. */
export function measureHere(plan: MeasurePlan, backend: KernelBackend): MeasureOutcome {
  const places = resultPlaces(plan);
  const measured = resultsOf(plan, places, new ArrayBuffer(8 * places.length));
  const jobs = measureJobsOf(plan);
  const source: MeasureSource = {
    job: (index) => jobs[index],
    segment: lastOf((index) => makeMeasureSegment(plan.segments[index])),
    results: (index) => measured[index],
    check: (index) => plan.checks[index],
  };
  const { failure, fileBytes } = measureSome(source, backend.open(measureBytes(plan)), alone(jobs.length));
  return failure === undefined ? { measured, fileBytes } : { nonFinite: failure.nonFinite, fileBytes };
}

export function resultsOf(plan: MeasurePlan, { starts }: ResultPlaces, buffer: ArrayBufferLike): readonly Measured[] {
  return plan.segments.map((segment, index) => resultsAt(buffer, starts[index], segment));
}

/** The second pass in this thread. */
export function mixHere(plan: MixPlan, backend: KernelBackend): MixOutcome {
  const jobs = mixJobsOf(plan);
  const source: MixSource = {
    job: (index) => jobs[index],
    segment: lastOf((index) => makeMixSegment(plan.segments[index])),
  };
  const { failure, fileBytes } = mixSome(source, backend.open(mixBytes(plan)), alone(jobs.length));
  return failure === undefined ? { fileBytes } : { nonFinite: failure.nonFinite, fileBytes };
}

function alone(jobCount: number): Together {
  let next = 0;
  let end = jobCount;
  return {
    claims: {
      next: () => (next < end ? next++ : -1),
      fail(job) {
        end = Math.min(end, job);
      },
    },
    turns: NO_TURNS,
    gate: (work) => work(),
  };
}

function takeAll(claims: Claims, work: (job: number) => NonFinite | undefined): Failure | undefined {
  let first: Failure | undefined;
  for (let job = claims.next(); job >= 0; job = claims.next()) {
    const nonFinite = work(job);
    if (nonFinite === undefined) continue;
    claims.fail(job);
    if (first === undefined || job < first.job) first = { job, nonFinite };
  }
  return first;
}

function withTransfer<T>(kernels: Kernels, work: (transfer: Transfer) => T): T {
  const transfer = openTransfer(kernels);
  try {
    return work(transfer);
  } finally {
    transfer.close();
  }
}

/** The numbers of a short range, wherever they lie. */
export function readRange(range: Range): Float32Array {
  const kernels = referenceBackend.open(4 * range.length + 64);
  return withTransfer(kernels, (transfer) => transfer.load(kernels.f32(range.length), range));
}
