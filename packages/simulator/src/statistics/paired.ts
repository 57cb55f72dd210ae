/**
 * What can be said of paired differences between two strategies over a few seeds without assuming a distribution.
 *
 * Notation — code name, symbol, shape:
 *   differences  d_s  [n]     one per seed, strategy minus reference
 *   counts       k    [n]     how often each seed occurs in a resample; Σk = n
 *
 * Bootstrap: B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979); percentile interval.
 * Up to 7 seeds the distribution of the resampled mean is enumerated (at most 1,716 distinct resamples, each with its multinomial
 * probability), which is what ever more random resamples tend to. Beyond, 10,000 resamples from a fixed stream: the same for every
 * quantity, so results do not depend on the order in which they are asked for.
 * Percentile intervals of few seeds are too short: with n = 5 they hold the truth in about 83 % of cases. Read Student's interval beside them.
 */
import { createRng } from "@kumiai/params";

const EXACT_UP_TO = 7;
const RESAMPLE_COUNT = 10_000;
const TAIL = 0.025;

/** 95 % interval of the mean of `differences`; null with fewer than two. */
export function pairedBootstrap95(differences: readonly number[]): readonly [number, number] | null {
  const n = differences.length;
  if (n < 2) return null;
  const means = resamplesOf(n).map(({ counts, share }) => ({
    value: counts.reduce((sum, count, i) => sum + count * (differences[i] ?? 0), 0) / n,
    share,
  }));
  means.sort((a, b) => a.value - b.value);
  return [quantile(means, TAIL), quantile(means.reverse(), TAIL)];
}

/**
 * Exact two-sided p of the sign test: how likely at least so uneven a split of signs is when both are equally likely. Differences of
 * exactly 0 are left out; null where none is left. With n seeds it is never below 2/2ⁿ: 5 seeds cannot give less than 0.0625.
 */
export function signTestP(differences: readonly number[]): number | null {
  const signed = differences.filter((difference) => difference !== 0);
  const n = signed.length;
  if (n === 0) return null;
  const positive = signed.filter((difference) => difference > 0).length;
  const fewer = Math.min(positive, n - positive);
  let tail = 0;
  for (let k = 0; k <= fewer; k++) tail += Math.exp(logChoose(n, k) - n * Math.LN2);
  return Math.min(1, 2 * tail);
}

interface Resample {
  readonly counts: readonly number[];
  /** Its probability; all of them sum to 1. */
  readonly share: number;
}

const known = new Map<number, readonly Resample[]>();

function resamplesOf(n: number): readonly Resample[] {
  const found = known.get(n) ?? (n <= EXACT_UP_TO ? allResamples(n) : randomResamples(n));
  known.set(n, found);
  return found;
}

/** Every way to draw n times from n, in order of `counts`. */
function allResamples(n: number): readonly Resample[] {
  const out: Resample[] = [];
  const fill = (counts: readonly number[], left: number): void => {
    if (counts.length === n - 1) {
      const all = [...counts, left];
      const logShare = all.reduce((sum, count) => sum - logFactorial(count), logFactorial(n)) - n * Math.log(n);
      out.push({ counts: all, share: Math.exp(logShare) });
      return;
    }
    for (let count = 0; count <= left; count++) fill([...counts, count], left - count);
  };
  fill([], n);
  return out;
}

function randomResamples(n: number): readonly Resample[] {
  const rng = createRng("paired-bootstrap").split(n);
  return Array.from({ length: RESAMPLE_COUNT }, () => {
    const counts = new Array<number>(n).fill(0);
    for (let draw = 0; draw < n; draw++) {
      const i = rng.int(n);
      counts[i] = (counts[i] ?? 0) + 1;
    }
    return { counts, share: 1 / RESAMPLE_COUNT };
  });
}

/** The first value at which the shares sum up to `tail`; `sorted` from that end on. */
function quantile(sorted: readonly { readonly value: number; readonly share: number }[], tail: number): number {
  let sum = 0;
  for (const { value, share } of sorted) {
    sum += share;
    if (sum >= tail) return value;
  }
  return sorted.at(-1)?.value ?? Number.NaN;
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

function logFactorial(n: number): number {
  let sum = 0;
  for (let i = 2; i <= n; i++) sum += Math.log(i);
  return sum;
}
