/**
 * The federations that `npm run bench -- aggregate` measures on: made-up params of stated sizes, equal on every run, that can
 * be made again anywhere without keeping them.
 *
 * A client's params are one flat vector: the encoder in blocks of a weight and a bias, then its decoders, each in four layers of a
 * weight and a bias. base ~ N(0, 0.02²); local = base + N(0, 0.001²) of its own + N(0, 0.0005²) common to all, read from tables at
 * places that differ by client. No two clients share domain and tasks.
 */
import { createLayout, createRng, parseClientId, parseTaskId } from "@kumiai/params";

const ENCODER_BLOCKS = 12;
const DECODER_LAYERS = 4;
const BIAS = 256;
/** A prime, so that no two places of a vector that a power of two separates are equal. */
const TABLE = 1_048_583;
/** Of a sparse client, the first so many elements of every so many differ from zero: 64 KB per 1 MB. */
export const SPARSE = { filled: 2 ** 14, period: 2 ** 18 };

/**
 * `{ clientCount, encoderSize, decoderSize, lastTasks, isSparse }`: all clients have one task, the last has `lastTasks`. Sparse: base is
 * zero, and local but for the places that `SPARSE` names, which are the same for all clients.
 */
export function openCase({ clientCount, encoderSize, decoderSize, lastTasks = 1, isSparse = false }) {
  const modelOf = (taskCount) => {
    const tasks = Array.from({ length: taskCount }, (_, t) => parseTaskId(`task${t}`));
    return { tasks, layout: layoutOf({ encoderSize, decoderSize, tasks }) };
  };
  const [common, last] = [modelOf(1), modelOf(lastTasks)];
  const clients = Array.from({ length: clientCount }, (_, index) => {
    return {
      spec: {
        id: parseClientId(`client-${`${index}`.padStart(4, "0")}`),
        domain: `domain-${index}`,
        ...(index === clientCount - 1 ? last : common),
      },
      valuesOf: isSparse ? sparseValues(index) : denseValues(index),
    };
  });
  const paramCount = clients.reduce((sum, { spec }) => sum + spec.layout.size, 0);
  const decoderCount = clientCount - 1 + lastTasks;
  return {
    clients,
    encoderSize,
    decoderSize,
    decoderCount,
    isSparse,
    /** Of all clients together. */
    paramCount,
    /** Base and local read twice, the next params written once. */
    bytesToMove: 5 * 4 * paramCount,
    /** Elements that a state keeps: Ũ, and M of every decoder. */
    stateSize: encoderSize + decoderCount * decoderSize,
  };
}

function layoutOf({ encoderSize, decoderSize, tasks }) {
  return createLayout([
    ...blocksOf("encoder", "stage", encoderSize, ENCODER_BLOCKS, { kind: "encoder" }),
    ...tasks.flatMap((task) =>
      blocksOf(`decoders.${task}`, "fuse", decoderSize, DECODER_LAYERS, { kind: "decoder", task }),
    ),
  ]);
}

/** `size` elements in `count` layers of a weight and a bias; the first weight takes what is over. */
function blocksOf(prefix, name, size, count, role) {
  const bias = Math.min(BIAS, Math.floor(size / count / 2));
  const weight = Math.floor(size / count) - bias;
  return Array.from({ length: count }, (_, i) => {
    const layer = `${prefix}.${name}.${i}`;
    const own = weight + (i === 0 ? size - count * (weight + bias) : 0);
    return [
      { name: `${layer}.weight`, shape: [own], layer, role },
      { name: `${layer}.bias`, shape: [bias], layer, role },
    ];
  }).flat();
}

let tables;
function noise() {
  if (tables === undefined) {
    const rng = createRng("aggregate");
    const draw = (scale) => Float32Array.from({ length: TABLE }, () => scale * rng.normal());
    tables = { base: draw(0.02), update: draw(0.001), common: draw(0.0005) };
  }
  return tables;
}

/** Writes elements [start, start + out.length) of a client's flat vector. */
function denseValues(index) {
  const { base, update, common } = noise();
  const [baseAt, updateAt] = [(index * 104_729 + 17) % TABLE, (index * 64_513 + 101) % TABLE];
  return (out, stage, start) => {
    const isLocal = stage === "local";
    let [b, u, c] = [(start + baseAt) % TABLE, (start + updateAt) % TABLE, start % TABLE];
    for (let i = 0; i < out.length; i++) {
      out[i] = isLocal ? base[b] + update[u] + common[c] : base[b];
      if (++b === TABLE) b = 0;
      if (++u === TABLE) u = 0;
      if (++c === TABLE) c = 0;
    }
    return out;
  };
}

function sparseValues(index) {
  const dense = denseValues(index);
  return (out, stage, start) => {
    out.fill(0);
    if (stage === "base") return out;
    for (const { from, to } of filledRanges(start, start + out.length)) {
      dense(out.subarray(from - start, to - start), "local", from);
    }
    return out;
  };
}

/** The parts of [start, end) in which a sparse client's local params differ from zero. */
export function* filledRanges(start, end) {
  const { filled, period } = SPARSE;
  for (let block = Math.floor(start / period) * period; block < end; block += period) {
    const [from, to] = [Math.max(start, block), Math.min(end, block + filled)];
    if (from < to) yield { from, to };
  }
}
