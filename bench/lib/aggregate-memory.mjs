/** Rounds over vectors in memory, in turn with copies of as many bytes. Runs in a process of its own. */
import { aggregateShared, createStrategy } from "@kumiai/algorithms";
import { openSharedHeap, openThreads } from "@kumiai/kernels";
import { openCase } from "./aggregate-cases.mjs";
import { checkRound, sampleRound } from "./aggregate-check.mjs";
import { openMemcpy, startPeak } from "./aggregate-process.mjs";
import { repeatRounds } from "./aggregate-repeat.mjs";

/** Room for the threads' own work. */
const THREADS_BYTES = 2 ** 26;

/** `{ federation, threads, repeats, budgetSeconds, bufferBytes, strategy }` */
export async function measureInMemory({ federation: sizes, threads, repeats, budgetSeconds, bufferBytes, strategy }) {
  const federation = openCase(sizes);
  const heap = openSharedHeap(heapBytes(federation));
  const rounds = openRounds(federation, heap, createStrategy("fedhca2", strategy));
  const memcpy = openMemcpy(federation.bytesToMove, bufferBytes);
  memcpy();
  // Inputs and outputs are in place now; all that follows is extra: threads, their memory, what the solver needs.
  const peak = startPeak();
  const workers = openThreads({ threadCount: threads, heap });
  const times = await repeatRounds({
    memcpy,
    repeats,
    budgetSeconds,
    round: () => rounds.next(workers),
    sample: ({ params }) =>
      sampleRound(federation, (client, place) => params.get(federation.clients[client].spec.id)[place]),
    check: (diagnostics, samples) => checkRound(federation, diagnostics, samples),
    release: (result) => rounds.release(result),
    extraPeakBytes: () => peak.extraPeakBytes(),
  }).finally(() => workers[Symbol.asyncDispose]());
  return {
    bytesToMove: federation.bytesToMove,
    paramCount: federation.paramCount,
    ...times,
    residentBytes: peak.resident,
    peakIsReset: peak.isReset,
  };
}

export function heapBytes({ paramCount, stateSize }) {
  return 4 * (3 * paramCount + 2 * stateSize) + THREADS_BYTES;
}

/** Rounds one after the other over the same inputs; the memory of outputs and of the state before last is used again. */
function openRounds({ clients, encoderSize, decoderSize, decoderCount }, heap, strategy) {
  const updates = clients.map(({ spec, valuesOf }) => ({
    client: spec.id,
    base: valuesOf(heap.allocate(spec.layout.size), "base", 0),
    local: valuesOf(heap.allocate(spec.layout.size), "local", 0),
    sampleCount: 100,
  }));
  const specs = clients.map(({ spec }) => spec);
  // Touched once, so that no round is the first to use them.
  const vectors = [
    ...specs.map(({ layout }) => layout.size),
    ...[0, 1].flatMap(() => [encoderSize, ...Array(decoderCount).fill(decoderSize)]),
  ].map((length) => heap.allocate(length).fill(1));
  for (const vector of vectors) heap.release(vector);

  let state = strategy.init(specs);
  let round = 0;
  return {
    async next(threads) {
      round++;
      const input = { round, clients: specs, updates };
      const start = performance.now();
      const result = await aggregateShared(strategy, state, input, threads, heap.allocate);
      const seconds = (performance.now() - start) / 1000;
      const before = state;
      state = result.state;
      return { seconds, ...result, before };
    },
    release({ params, before }) {
      for (const vector of [...params.values(), ...vectorsOf(before)]) heap.release(vector);
    },
  };
}

function vectorsOf({ directions, clients }) {
  const attended = Object.values(clients).flatMap(({ decoders }) => Object.values(decoders));
  return [...Object.values(directions), ...attended.flatMap((decoder) => decoder.attended ?? [])];
}
