/**
 * `npm run bench -- codecs [--elements 1000003] [--rounds 7] [--json]`: how fast updates become frames and back, and what they weigh.
 *
 * MB/s count the f32 vector, not the frame, so that codecs can be compared. The vector is normal noise cubed: a few large
 * coordinates, as updates have. One thread.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { decodeUpdate, encodeUpdate } from "@kumiai/algorithms";
import { createRng } from "@kumiai/params";

const INT8 = { codec: "int8", blockSize: 256, rounding: "nearest" };
const CODECS = {
  f32: { codec: "f32" },
  f16: { codec: "f16" },
  int8: INT8,
  "int8, stochastic": { ...INT8, rounding: "stochastic" },
  "topk 10 %, f16": { codec: "topk", share: 0.1, values: { codec: "f16" } },
  "topk 10 %, int8": { codec: "topk", share: 0.1, values: INT8 },
  "topk 1 %, f16": { codec: "topk", share: 0.01, values: { codec: "f16" } },
};

const { values } = parseArgs({
  options: {
    elements: { type: "string", default: "1000003" },
    rounds: { type: "string", default: "7" },
    json: { type: "boolean", default: false },
  },
});
const length = Number(values.elements);
const rounds = Number(values.rounds);
const source = createRng(1);
const update = Float32Array.from({ length }, () => 1e-3 * source.normal() ** 3);

function median(numbers) {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function timed(work) {
  const start = performance.now();
  const result = work();
  return [performance.now() - start, result];
}

const rows = Object.entries(CODECS).map(([name, codec]) => {
  const times = { encode: [], decode: [] };
  let bytes = 0;
  let squares = 0;
  for (let round = -1; round < rounds; round++) {
    const [encodeMs, frame] = timed(() => encodeUpdate(codec, update, createRng(2)));
    const [decodeMs, decoded] = timed(() => decodeUpdate(frame, length));
    bytes = frame.length;
    if (round < 0) {
      const norm = update.reduce((sum, x) => sum + x * x, 0);
      squares = decoded.reduce((sum, x, i) => sum + (x - update[i]) ** 2, 0) / norm;
      continue; // Warms up.
    }
    times.encode.push(encodeMs);
    times.decode.push(decodeMs);
  }
  const speed = (ms) => (4 * length) / 1e3 / median(ms);
  return {
    codec: name,
    encodeMBps: speed(times.encode),
    decodeMBps: speed(times.decode),
    share: bytes / (4 * length),
    relativeError: Math.sqrt(squares),
  };
});

if (values.json) {
  console.log(JSON.stringify({ length, rounds, load: loadavg()[0], rows }, null, 2));
} else {
  console.log(`${length} elements, median of ${rounds}, ${cpus()[0]?.model}, load ${loadavg()[0].toFixed(1)}\n`);
  console.log("| codec | encode, MB/s | decode, MB/s | of f32 | relative error |\n|---|---|---|---|---|");
  for (const { codec, encodeMBps, decodeMBps, share, relativeError } of rows) {
    const percent = `${(100 * share).toFixed(1)} %`;
    console.log(
      `| ${codec} | ${encodeMBps.toFixed(0)} | ${decodeMBps.toFixed(0)} | ${percent} | ${relativeError.toExponential(1)} |`,
    );
  }
}
