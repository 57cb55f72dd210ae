/**
 * `npm run bench -- kernels [options]`: every kernel on one thread, WASM SIMD against the reference, on short, cached and long
 * vectors.
 *
 *   --rounds N   timed rounds of each backend, taken in turn; default 7 (after one to warm up)
 *   --json       one JSON document instead of the tables
 *
 * GB/s counts each vector once for every time that it must be read or written; multiply-adds count a product and its
 * addition as one. Both backends must give the same bits, or nothing is measured. A copy of the same memory is the yardstick.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { packedLength, referenceBackend, scratchBytes, simdBackend, supportsSimd } from "@kumiai/kernels";
import { createRng } from "@kumiai/params";

/** Ragged: in the first-level cache, in a cache, in memory. The even one shows what the tail costs. */
const LENGTHS = [1_003, 65_536, 65_539, 2_000_003];
const ROWS = 6;
const EXTRAS = 1;
const MANY = 24;
/** A sample is repeated until it takes so long. */
const SAMPLE_MS = 8;

/** What every case works on: the same numbers in each memory. */
function vectorsOf(backend, length) {
  const many = length > 100_000 ? ROWS : MANY;
  const vectors = many + EXTRAS + ROWS;
  const sums = packedLength(many) + many;
  const bytes =
    4 * length * vectors + 12 * length + 8 * sums + 16 * (vectors + 8) + scratchBytes(many + EXTRAS, many * ROWS);
  const kernels = backend.open(bytes);
  const random = createRng(1);
  const filled = () => {
    const vector = kernels.f32(length);
    for (let i = 0; i < length; i++) vector[i] = random.uniform() - 0.5;
    return vector;
  };
  const times = (count, make) => Array.from({ length: count }, make);
  const rows = times(many, filled);
  const extras = times(EXTRAS, filled);
  const outs = times(ROWS, filled);
  const factors = Float64Array.from({ length: many * ROWS }, () => random.uniform() - 0.5);
  return {
    kernels,
    length,
    many,
    rows,
    extras,
    outs,
    factors,
    bits: kernels.u16(length).fill(0x3c00),
    sums: kernels.f64(length).fill(0),
    gram: kernels.f64(packedLength(many)).fill(0),
    cross: kernels.f64(many * EXTRAS).fill(0),
  };
}

/** `bytes` and `products` are per element; `run` takes the vectors; `result` is what must be the same on both sides. */
function casesOf(many) {
  const gram = (rows, extras) => ({
    name: `Gram, ${rows} rows${extras > 0 ? ` + ${extras}` : ""}`,
    bytes: 4 * (rows + extras),
    products: packedLength(rows) + rows * extras,
    run: (v) =>
      v.kernels.addGramInto(
        v.gram.subarray(0, packedLength(rows)),
        v.rows.slice(0, rows),
        v.cross.subarray(0, rows * extras),
        v.extras.slice(0, extras),
      ),
    result: (v) => [v.gram, v.cross],
  });
  const weighted = (outs, rows) => ({
    name: `weighted sums, ${rows} rows to ${outs}`,
    bytes: 4 * (rows + outs),
    products: rows * outs,
    run: (v) =>
      v.kernels.weightedSumsInto(v.outs.slice(0, outs), v.factors.subarray(0, rows * outs), v.rows.slice(0, rows)),
    result: (v) => v.outs,
  });
  return [
    gram(ROWS, EXTRAS),
    gram(ROWS, 0),
    ...(many > ROWS ? [gram(many, 0)] : []),
    {
      name: "norms, 6 rows",
      bytes: 4 * ROWS,
      products: ROWS,
      run: (v) => v.kernels.addNormsInto(v.gram.subarray(0, ROWS), v.rows.slice(0, ROWS)),
      result: (v) => [v.gram],
    },
    weighted(6, 6),
    weighted(1, 6),
    {
      name: "weighted sum, row by row",
      bytes: 20,
      products: 1,
      run: (v) => v.kernels.addWeightedInto(v.sums, 0.5, v.rows[0]),
      result: (v) => [v.sums],
    },
    {
      name: "rounding of sums",
      bytes: 12,
      products: 0,
      run: (v) => v.kernels.roundInto(v.outs[0], v.sums),
      result: (v) => [v.outs[0]],
    },
    {
      name: "difference",
      bytes: 12,
      products: 0,
      run: (v) => v.kernels.subtractInto(v.outs[0], v.rows[0], v.rows[1]),
      result: (v) => [v.outs[0]],
    },
    {
      name: "y + a·x",
      bytes: 12,
      products: 1,
      run: (v) => v.kernels.addScaledInto(v.outs[0], 1e-3, v.rows[0]),
      result: (v) => [v.outs[0]],
    },
    { name: "search for NaN", bytes: 4, products: 0, run: (v) => v.kernels.findNonFinite(v.rows[0]), result: () => [] },
    {
      name: "f16 to f32",
      bytes: 6,
      products: 0,
      run: (v) => v.kernels.fromHalfInto(v.outs[0], v.bits),
      result: (v) => [v.outs[0]],
    },
    {
      name: "f32 to f16",
      bytes: 6,
      products: 0,
      run: (v) => v.kernels.toHalfInto(v.bits, v.rows[0]),
      result: (v) => [v.bits],
    },
    {
      name: "bf16 to f32",
      bytes: 6,
      products: 0,
      run: (v) => v.kernels.fromBrainInto(v.outs[0], v.bits),
      result: (v) => [v.outs[0]],
    },
    {
      name: "f32 to bf16",
      bytes: 6,
      products: 0,
      run: (v) => v.kernels.toBrainInto(v.bits, v.rows[0]),
      result: (v) => [v.bits],
    },
  ];
}

const COPY = { name: "copy", bytes: 8, products: 0, run: (v) => v.outs[0].set(v.rows[0]), result: () => [] };

function assertSameBits({ name, run, result }, [reference, simd]) {
  for (const vectors of [reference, simd]) {
    // What earlier cases left there depends on how often they ran.
    for (const target of [vectors.gram, vectors.cross, vectors.sums, ...vectors.outs]) target.fill(0);
    run(vectors);
  }
  const bytes = (vectors) => result(vectors).map((each) => Buffer.from(each.buffer, each.byteOffset, each.byteLength));
  const expected = bytes(reference);
  if (!bytes(simd).every((each, i) => each.equals(expected[i]))) throw new Error(`${name}: the backends differ`);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function timeOf(run, repeats) {
  const start = performance.now();
  for (let i = 0; i < repeats; i++) run();
  return (performance.now() - start) / repeats / 1000;
}

/** Median seconds of one call on each side, the sides in turn. */
function measure(item, sides, rounds) {
  const runs = sides.map((side) => () => item.run(side));
  const repeats = runs.map((run) => {
    run();
    return Math.max(1, Math.round(SAMPLE_MS / 1000 / Math.max(timeOf(run, 3), 1e-7)));
  });
  const times = runs.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    runs.forEach((run, side) => {
      const seconds = timeOf(run, repeats[side]);
      if (round > 0) times[side].push(seconds);
    });
  }
  return times.map(median);
}

function ratesOf({ bytes, products }, length, seconds) {
  return {
    seconds,
    gigabytesPerSecond: (bytes * length) / seconds / 1e9,
    ...(products === 0 ? {} : { gigaMultiplyAddsPerSecond: (products * length) / seconds / 1e9 }),
  };
}

function benchLength(length, rounds) {
  const sides = [referenceBackend, simdBackend].map((backend) => vectorsOf(backend, length));
  const [copySeconds] = measure(COPY, [sides[1]], rounds);
  const results = casesOf(sides[1].many).map((item) => {
    assertSameBits(item, sides);
    const [reference, simd] = measure(item, sides, rounds);
    return {
      name: item.name,
      reference: ratesOf(item, length, reference),
      simd: ratesOf(item, length, simd),
      simdTimesFaster: reference / simd,
    };
  });
  return { length, copy: ratesOf(COPY, length, copySeconds), results, loadAtEnd: loadavg()[0] };
}

function print(report) {
  const line = (text) => process.stdout.write(`${text}\n`);
  const number = (value, width, digits = 1) => (value === undefined ? "" : value.toFixed(digits)).padStart(width);
  line(
    `${report.cpu}, ${report.cores} cores, Node ${process.versions.node}; one thread, median of ${report.rounds} rounds`,
  );
  for (const { length, copy, results, loadAtEnd } of report.lengths) {
    line(`\n${length.toLocaleString("en-US")} elements; a copy goes at ${copy.gigabytesPerSecond.toFixed(1)} GB/s`);
    line(
      `${"".padEnd(29)}${"simd GB/s".padStart(10)}${"G mul-add/s".padStart(12)}${"plain GB/s".padStart(11)}${"G mul-add/s".padStart(12)}${"times faster".padStart(13)}`,
    );
    for (const { name, simd, reference, simdTimesFaster } of results) {
      line(
        name.padEnd(29) +
          number(simd.gigabytesPerSecond, 10) +
          number(simd.gigaMultiplyAddsPerSecond, 12, 2) +
          number(reference.gigabytesPerSecond, 11) +
          number(reference.gigaMultiplyAddsPerSecond, 12, 2) +
          number(simdTimesFaster, 13),
      );
    }
    if (loadAtEnd > report.cores)
      line(`the machine was busy (load ${loadAtEnd.toFixed(1)}): run it again when it is quiet`);
  }
}

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, json: { type: "boolean", default: false } },
});
const rounds = Number(options.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) {
  process.stderr.write("bench kernels: --rounds needs a whole number above 0\n");
  process.exit(2);
}
if (!supportsSimd()) {
  process.stderr.write("bench kernels: this Node has no WASM SIMD\n");
  process.exit(1);
}
const report = {
  cpu: cpus()[0]?.model ?? "",
  cores: cpus().length,
  rounds,
  lengths: LENGTHS.map((length) => benchLength(length, rounds)),
};
if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else print(report);
