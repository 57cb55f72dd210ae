/** Rounds over safetensors files, in turn with copies of as many bytes. Runs in a process of its own. */
import { mkdir, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { aggregateFiles, createStrategy } from "@kumiai/algorithms";
import { planSafetensors } from "@kumiai/params";
import { filledRanges, openCase } from "./aggregate-cases.mjs";
import { checkRound, sampleRound } from "./aggregate-check.mjs";
import { median, openMemcpy, startPeak } from "./aggregate-process.mjs";
import { repeatRounds } from "./aggregate-repeat.mjs";

const CHUNK = 2 ** 22;

/** `{ federation, threads, repeats, budgetSeconds, bufferBytes, strategy, folder }`; `folder` is an empty one. */
export async function measureFiles(options) {
  const { federation: sizes, threads, repeats, budgetSeconds, bufferBytes, strategy, folder } = options;
  const federation = openCase(sizes);
  const places = await writeInputs(federation, folder);
  await readOnce(places.flatMap(({ base, local }) => [base, local]));
  const memcpy = openMemcpy(federation.bytesToMove, bufferBytes);
  memcpy();
  const rounds = openRounds({ places, threads, folder, strategy: createStrategy("fedhca2", strategy) });
  const times = await repeatRounds({
    memcpy,
    repeats,
    budgetSeconds,
    round: () => rounds.next(),
    sample: () => sampleFiles(federation, places),
    check: (diagnostics, samples) => checkRound(federation, diagnostics, samples),
    release: () => rounds.release(),
    extraPeakBytes: () => Math.max(...rounds.peaks.map(({ extra }) => extra)),
  });
  const parts = Object.keys(times.raw.parts[0]);
  return {
    bytesToMove: federation.bytesToMove,
    paramCount: federation.paramCount,
    ...times,
    flushSeconds: median(times.raw.parts.map(({ flush }) => flush)),
    parts: Object.fromEntries(parts.map((part) => [part, median(times.raw.parts.map((each) => each[part]))])),
    raw: { ...times.raw, extraPeakBytes: rounds.peaks.map(({ extra }) => extra) },
    residentBytes: rounds.peaks[0].resident,
    peakIsReset: rounds.peaks.every(({ isReset }) => isReset),
  };
}

/** Base and local of every client, on the disk before anything is measured: nothing is left to be written back. */
export async function writeInputs({ clients, isSparse }, folder) {
  const places = [];
  for (const stage of ["base", "local", "out"]) await mkdir(join(folder, stage));
  for (const { spec, valuesOf } of clients) {
    const paths = Object.fromEntries(
      ["base", "local", "out"].map((stage) => [stage, join(folder, stage, `${spec.id}.safetensors`)]),
    );
    const plan = planSafetensors(spec.layout.slots.map(({ name, shape }) => ({ name, shape, dtype: "F32" })));
    for (const stage of ["base", "local"]) {
      await writeInput(paths[stage], plan, { size: spec.layout.size, stage, valuesOf, isSparse });
    }
    places.push({ spec, headerBytes: plan.header.length, ...paths });
  }
  return places;
}

/** All tensors are F32 and stand in the order of the layout: after the header comes the flat vector. */
async function writeInput(path, { header, byteLength }, { size, stage, valuesOf, isSparse }) {
  await withFile(path, "wx", async (file) => {
    await file.truncate(byteLength);
    await file.write(header, 0, header.length, 0);
    for (const { from, to } of rangesToWrite({ size, stage, isSparse })) {
      const values = valuesOf(new Float32Array(to - from), stage, from);
      await file.write(new Uint8Array(values.buffer), 0, values.byteLength, header.length + 4 * from);
    }
    if (!isSparse) await file.sync();
  });
}

async function withFile(path, flags, work) {
  const file = await open(path, flags);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

function* rangesToWrite({ size, stage, isSparse }) {
  if (isSparse && stage === "base") return;
  if (isSparse) {
    yield* filledRanges(0, size);
    return;
  }
  for (let from = 0; from < size; from += CHUNK) yield { from, to: Math.min(size, from + CHUNK) };
}

/** So that the system's cache holds them. */
async function readOnce(paths) {
  const room = new Uint8Array(4 * CHUNK);
  for (const path of paths) {
    await withFile(path, "r", async (file) => {
      while ((await file.read(room, 0, room.length)).bytesRead > 0);
    });
  }
}

export function openRounds({ places, threads, folder, strategy }) {
  let state = strategy.init(places.map(({ spec }) => spec));
  let stateVectors;
  let round = 0;
  const peaks = [];
  return {
    peaks,
    async next() {
      round++;
      const nextStateVectors = join(folder, `state-${round}.safetensors`);
      const clients = places.map(({ spec, base, local, out }) => ({ spec, sampleCount: 100, base, local, out }));
      const peak = startPeak();
      const start = performance.now();
      const result = await aggregateFiles(
        { strategy, state, stateVectors, nextStateVectors, round, clients, threadCount: threads },
        () => performance.now(),
      );
      const whole = (performance.now() - start) / 1000;
      peaks.push({ extra: peak.extraPeakBytes(), resident: peak.resident, isReset: peak.isReset });
      if (stateVectors !== undefined) await rm(stateVectors);
      state = result.state;
      stateVectors = nextStateVectors;
      const { flush, ...parts } = result.seconds;
      const seconds = whole - flush;
      const rest = seconds - parts.measure - parts.solve - parts.mix;
      return { seconds, parts: { ...parts, rest, flush }, diagnostics: result.diagnostics, bytes: result.bytes };
    },
    async release() {
      for (const { out } of places) await rm(out);
    },
  };
}

export async function sampleFiles(federation, places) {
  for (const { base, out } of places) {
    const [expected, found] = [await stat(base), await stat(out)];
    if (expected.size !== found.size) {
      throw new Error(`wrong result: ${out}: expected ${expected.size} bytes, found ${found.size}`);
    }
  }
  const word = new Float32Array(1);
  return sampleRound(federation, async (client, place) => {
    const { out, headerBytes } = places[client];
    await withFile(out, "r", (file) => file.read(new Uint8Array(word.buffer), 0, 4, headerBytes + 4 * place));
    return word[0];
  });
}
