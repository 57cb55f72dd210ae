/** Takes the jobs of a pass one after the other, in this thread or beside other threads that take from the same list. */
import type { KernelBackend, Kernels } from "../backend.js";
import { referenceBackend } from "../reference/kernels.js";
import { type MeasureContext, measure, measureBytes, jobsOf as measureJobsOf, openResults } from "./measure.js";
import { mix, mixBytes, jobsOf as mixJobsOf } from "./mix.js";
import type { Measured, MeasureOutcome, MeasurePlan, MixOutcome, MixPlan, NonFinite } from "./plan.js";
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

/** Kernels with so many bytes for themselves. */
export type OpenKernels = (byteLength: number) => Kernels;

/** How the threads of a pass get along. */
export interface Together {
  readonly claims: Claims;
  readonly turns: Turns;
  readonly gate: Gate;
}

/** Measures with the threads that share `claims`. */
export function measureSome(
  plan: MeasurePlan,
  results: readonly Measured[],
  open: OpenKernels,
  { claims, turns, gate }: Together,
): Share {
  return withKernels(open(measureBytes(plan)), (kernels, transfer) => {
    const context: MeasureContext = { plan, results, kernels, transfer, turns, gate };
    const jobs = measureJobsOf(plan);
    const failure = takeAll(jobs, claims, (job) => measure(job, context));
    return { failure, fileBytes: transfer.fileBytes() };
  });
}

export function mixSome(plan: MixPlan, open: OpenKernels, { claims, gate }: Together): Share {
  return withKernels(open(mixBytes(plan)), (kernels, transfer) => {
    const jobs = mixJobsOf(plan);
    const failure = takeAll(jobs, claims, (job) => mix(job, { plan, kernels, transfer, gate }));
    return { failure, fileBytes: transfer.fileBytes() };
  });
}

/** The first pass in this thread; vectors may lie in memory of any kind, or in files. */
export function measureHere(plan: MeasurePlan, backend: KernelBackend): MeasureOutcome {
  const measured = openResults(plan, (byteLength) => new ArrayBuffer(byteLength));
  const { failure, fileBytes } = measureSome(plan, measured, backend.open, alone(measureJobsOf(plan).length));
  return failure === undefined ? { measured, fileBytes } : { nonFinite: failure.nonFinite, fileBytes };
}

/** The second pass in this thread. */
export function mixHere(plan: MixPlan, backend: KernelBackend): MixOutcome {
  const { failure, fileBytes } = mixSome(plan, backend.open, alone(mixJobsOf(plan).length));
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

function takeAll<Job>(
  jobs: readonly Job[],
  claims: Claims,
  work: (job: Job) => NonFinite | undefined,
): Failure | undefined {
  let first: Failure | undefined;
  for (let job = claims.next(); job >= 0; job = claims.next()) {
    const nonFinite = work(jobs[job]);
    if (nonFinite === undefined) continue;
    claims.fail(job);
    if (first === undefined || job < first.job) first = { job, nonFinite };
  }
  return first;
}

function withKernels<T>(kernels: Kernels, work: (kernels: Kernels, transfer: Transfer) => T): T {
  const transfer = openTransfer(kernels);
  try {
    return work(kernels, transfer);
  } finally {
    transfer.close();
  }
}

/** The numbers of a short range, wherever they lie. */
export function readRange(range: Range): Float32Array {
  return withKernels(referenceBackend.open(4 * range.length + 64), (kernels, transfer) =>
    transfer.load(kernels.f32(range.length), range),
  );
}
