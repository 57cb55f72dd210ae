/** Takes the jobs of a pass one after the other, in this thread or beside other threads that take from the same list. */
import type { KernelBackend, Kernels } from "../backend.js";
import { referenceBackend } from "../reference/kernels.js";
import { type MeasureContext, measure, measureBytes, jobsOf as measureJobsOf, openResults } from "./measure.js";
import { mix, mixBytes, jobsOf as mixJobsOf } from "./mix.js";
import type { Measured, MeasureOutcome, MeasurePlan, MixOutcome, MixPlan, NonFinite } from "./plan.js";
import { openTransfer, type Transfer } from "./transfer.js";
import { NO_TURNS, type Turns } from "./turns.js";
import type { Range } from "./vector.js";

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

/** Measures with the threads that share `claims`; each returns the first failure it met. */
export function measureSome(
  plan: MeasurePlan,
  results: readonly Measured[],
  backend: KernelBackend,
  { claims, turns }: { readonly claims: Claims; readonly turns: Turns },
): Failure | undefined {
  return withKernels(backend, measureBytes(plan), (kernels, transfer) => {
    const context: MeasureContext = { plan, results, kernels, transfer, turns };
    const jobs = measureJobsOf(plan);
    return takeAll(jobs, claims, (job) => measure(job, context));
  });
}

export function mixSome(plan: MixPlan, backend: KernelBackend, claims: Claims): Failure | undefined {
  return withKernels(backend, mixBytes(plan), (kernels, transfer) => {
    const jobs = mixJobsOf(plan);
    return takeAll(jobs, claims, (job) => mix(job, { plan, kernels, transfer }));
  });
}

/** The first pass in this thread; vectors may lie in memory of any kind, or in files. */
export function measureHere(plan: MeasurePlan, backend: KernelBackend): MeasureOutcome {
  const measured = openResults(plan, (byteLength) => new ArrayBuffer(byteLength));
  const failure = measureSome(plan, measured, backend, {
    claims: ownClaims(measureJobsOf(plan).length),
    turns: NO_TURNS,
  });
  return failure === undefined ? { measured } : { nonFinite: failure.nonFinite };
}

/** The second pass in this thread. */
export function mixHere(plan: MixPlan, backend: KernelBackend): MixOutcome {
  const failure = mixSome(plan, backend, ownClaims(mixJobsOf(plan).length));
  return failure === undefined ? {} : { nonFinite: failure.nonFinite };
}

function ownClaims(count: number): Claims {
  let next = 0;
  let end = count;
  return {
    next: () => (next < end ? next++ : -1),
    fail(job) {
      end = Math.min(end, job);
    },
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

function withKernels<T>(
  backend: KernelBackend,
  byteLength: number,
  work: (kernels: Kernels, transfer: Transfer) => T,
): T {
  const kernels = backend.open(byteLength);
  const transfer = openTransfer(kernels);
  try {
    return work(kernels, transfer);
  } finally {
    transfer.close();
  }
}

/** The numbers of a short range, wherever they lie. */
export function readRange(range: Range): Float32Array {
  return withKernels(referenceBackend, 4 * range.length + 64, (kernels, transfer) => {
    const out = kernels.f32(range.length);
    transfer.load(out, range);
    return out;
  });
}
