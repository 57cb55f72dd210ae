/**
 * A second computation of what a round must give, in plain loops over the made-up params, so that a fast wrong result cannot
 * pass: entries of the Gram, hyper-weights, and elements of encoders and decoders. The first round's updates equal the second's, so the
 * second round's hyper-weights follow from the Gram.
 *
 * The conflict-averse weights come from the solver that the round uses: its own tests hold it against scipy.
 */
import { solveConflictAverse } from "@kumiai/algorithms";
import { SPARSE } from "./aggregate-cases.mjs";

const RADIUS = 0.4;
const FIRST_HYPER_WEIGHT = 0.1;
const [LEARNING_RATE, WEIGHT_DECAY] = [0.01, 1e-4];
const STEP = 2 ** 18;
const MOST_PAIRS = 24;
const SAMPLES = 64;

/** Elements of the next params that `checkRound` wants to see. `readOut(client, place)`: one element, or a promise of it. */
export async function sampleRound(federation, readOut) {
  const samples = new Map();
  for (const { client, places } of placesToCheck(federation)) {
    for (const place of places) samples.set(`${client} ${place}`, await readOut(client, place));
  }
  return samples;
}

/** Throws what is wrong with the round after the warm-up; `samples` are of that round. Returns how many elements were compared. */
export function checkRound(federation, diagnostics, samples) {
  const isSketch = diagnostics.gramSource === "sketch";
  const gram = diagnostics.encoderGram.values;
  if (!isSketch) checkGram(federation, gram);
  const { factors } = solveConflictAverse(gram, RADIUS);
  const alphas = Object.values(diagnostics.hyperWeights.encoderAlpha);
  if (!isSketch) checkAlphas(gram, factors, alphas);
  const attention = checkAttention(federation, diagnostics, isSketch);
  for (const { client, places } of placesToCheck(federation)) {
    for (const place of places) {
      const found = samples.get(`${client} ${place}`);
      if (place < federation.encoderSize) checkEncoder(federation, { client, place, found, factors, alphas });
      else checkDecoder(federation, { place, found, attention });
    }
  }
  return samples.size;
}

/** Encoders of three clients, and the largest tensor of the first client's decoder. */
function placesToCheck({ clients, encoderSize, isSparse }) {
  const some = [...new Set([0, clients.length >> 1, clients.length - 1])];
  const { offset, size } = firstDecoderSlot(clients[0]);
  return [
    ...some.map((client) => ({ client, places: placesIn(encoderSize, isSparse) })),
    { client: 0, places: placesIn(size, false).map((place) => offset + place) },
  ];
}

function checkGram({ clients, encoderSize }, gram) {
  const count = clients.length;
  const all = clients.flatMap((_, i) => clients.slice(i).map((_, j) => [i, i + j]));
  const stride = Math.max(1, Math.floor(all.length / MOST_PAIRS));
  for (const [i, j] of all.filter((_, p) => p % stride === 0)) {
    const [direct, scale] = innerProduct(clients[i], clients[j], 0, encoderSize);
    expectNear(gram[i * count + j], direct, 1e-10 * scale, `Gram entry ${i}, ${j}`);
  }
}

/** ⟨Δ_a, Δ_b⟩ over a range of elements of each, and the product of the norms. */
function innerProduct(a, b, start, length, startOfB = start) {
  let [sum, squareA, squareB] = [0, 0, 0];
  for (let at = 0; at < length; at += STEP) {
    const count = Math.min(STEP, length - at);
    const [x, y] = [deltaOf(a, start + at, count), deltaOf(b, startOfB + at, count)];
    for (let i = 0; i < count; i++) {
      sum += x[i] * y[i];
      squareA += x[i] * x[i];
      squareB += y[i] * y[i];
    }
  }
  return [sum, Math.sqrt(squareA * squareB)];
}

function deltaOf({ valuesOf }, start, length) {
  const base = valuesOf(new Float32Array(length), "base", start);
  return valuesOf(new Float32Array(length), "local", start).map((value, i) => value - base[i]);
}

/** α after one step from its first value, with ⟨Ũ, Δ_i⟩ = Σ_j factors_j·G_ij. */
function checkAlphas(gram, factors, alphas) {
  alphas.forEach((alpha, i) => {
    const alignment = factors.reduce((sum, factor, j) => sum + factor * gram[i * factors.length + j], 0);
    const step = LEARNING_RATE * (WEIGHT_DECAY * FIRST_HYPER_WEIGHT - alignment);
    expectNear(alpha, FIRST_HYPER_WEIGHT - step, 1e-6 * (Math.abs(step) + 1e-3), `alpha of client ${i}`);
  });
}

function checkEncoder({ clients }, { client, place, found, factors, alphas }) {
  const alpha = clamp(alphas[client]);
  const common = clients.reduce((sum, other, j) => sum + factors[j] * deltaOf(other, place, 1)[0], 0);
  const [base] = clients[client].valuesOf(new Float32Array(1), "base", place);
  const [delta] = deltaOf(clients[client], place, 1);
  const size = Math.abs(base) + Math.abs(delta) + Math.abs(alpha * common);
  expectNear(found, base + delta + alpha * common, 2 ** -22 * size, `client ${client}, encoder element ${place}`);
}

function firstDecoderSlot({ spec }, task = spec.tasks[0]) {
  return spec.layout.slots.find(({ role }) => role.kind === "decoder" && role.task === task);
}

/** What the first decoder takes from each, for its first tensor; with the offsets of that tensor in everybody's params, and β. */
function checkAttention({ clients }, diagnostics, isSketch) {
  const parts = clients.flatMap((own) => own.spec.tasks.map((task) => ({ own, slot: firstDecoderSlot(own, task) })));
  const [first] = parts;
  const { key, layerKey, size, offset } = first.slot;
  const used = diagnostics.attention.tensors[key].subarray(0, parts.length);
  if (!isSketch) {
    const scores = parts.map(({ own, slot }) => innerProduct(first.own, own, offset, size, slot.offset)[0]);
    softmax(scores.map((score) => score / Math.sqrt(size))).forEach((value, j) => {
      expectNear(used[j], value, 1e-9, `attention of decoder 0 to ${j}`);
    });
  }
  const beta = clamp(Object.values(diagnostics.hyperWeights.decoderBeta)[0][layerKey]);
  return { parts, used, beta, offset };
}

function checkDecoder({ clients }, { place, found, attention: { parts, used, beta, offset } }) {
  const attended = parts.reduce(
    (sum, { own, slot }, j) => sum + used[j] * deltaOf(own, slot.offset + place - offset, 1)[0],
    0,
  );
  const [local] = clients[0].valuesOf(new Float32Array(1), "local", place);
  const bound = 2 ** -22 * (Math.abs(local) + Math.abs(beta * attended));
  expectNear(found, local + beta * attended, bound, `client 0, decoder element ${place}`);
}

/** Both ends and places between, every other one where sparse params differ from zero. */
function placesIn(length, isSparse) {
  const places = Array.from({ length: SAMPLES }, (_, i) => {
    const place = Math.floor((i * (length - 1)) / (SAMPLES - 1));
    return isSparse && i % 2 === 0 ? place - (place % SPARSE.period) + (place % SPARSE.filled) : place;
  });
  return [...new Set(places.filter((place) => place < length))];
}

function softmax(scores) {
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function clamp(value) {
  return Math.min(1, Math.max(0, value));
}

function expectNear(found, expected, tolerance, what) {
  if (Math.abs(found - expected) <= tolerance) return;
  throw new Error(`wrong result: ${what}: expected ${expected} within ${tolerance}, found ${found}`);
}
