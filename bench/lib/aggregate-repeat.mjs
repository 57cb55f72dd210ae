/** One round to warm up, then rounds and copies in turn. */
import { median, spreadOf } from "./aggregate-process.mjs";

/**
 * `round()` gives `{ seconds, parts?, diagnostics, … }`; `sample(result)` keeps what `check(diagnostics, samples)` looks at when all is
 * over, so that checking costs none of the memory that is measured; `release(result)` comes after each round. At most `repeats` rounds are
 * timed, no more than two once `budgetSeconds` are over.
 */
export async function repeatRounds({ memcpy, repeats, budgetSeconds, round, sample, check, release, extraPeakBytes }) {
  const startedAt = performance.now();
  const warmUpSeconds = await first({ round, release });
  // What a single round takes; later ones find a heap that V8 has let grow.
  const firstExtraPeakBytes = extraPeakBytes();
  const [seconds, memcpySeconds, parts] = [[], [], []];
  let checked;
  for (let i = 0; i < repeats; i++) {
    if (i >= 2 && (performance.now() - startedAt) / 1000 > budgetSeconds) break;
    // The copy comes first in every other turn.
    if (i % 2 === 0) memcpySeconds.push(memcpy());
    const result = await round();
    if (i % 2 === 1) memcpySeconds.push(memcpy());
    seconds.push(result.seconds);
    if (result.parts !== undefined) parts.push(result.parts);
    checked ??= { diagnostics: result.diagnostics, samples: await sample(result) };
    await release(result);
  }
  const peak = extraPeakBytes();
  const ratios = seconds.map((value, i) => value / memcpySeconds[i]);
  return {
    seconds: median(seconds),
    memcpySeconds: median(memcpySeconds),
    ratioToMemcpy: median(ratios),
    extraPeakBytes: peak,
    firstExtraPeakBytes,
    warmUpSeconds,
    spread: { seconds: spreadOf(seconds), memcpySeconds: spreadOf(memcpySeconds), ratioToMemcpy: spreadOf(ratios) },
    checkedElements: check(checked.diagnostics, checked.samples),
    raw: { seconds, memcpySeconds, ratioToMemcpy: ratios, parts },
  };
}

/** A function of its own, so that nothing of the round is held afterwards. */
async function first({ round, release }) {
  const warmUp = await round();
  await release(warmUp);
  return warmUp.seconds;
}
