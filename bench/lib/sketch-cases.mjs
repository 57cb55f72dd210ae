/**
 * The updates that `npm run bench -- sketch` measures on: recorded ones of fixtures/fedhca2, and made-up clients of stated
 * structure. Equal on every run.
 */
import { fileURLToPath } from "node:url";
import { createRng, readParamsFile } from "@kumiai/params";

export const FIXTURES = ["paper_5st_1mt", "conflicting_updates", "duplicate_sites"];
/** Encoder updates of one recorded run: a list of updates for each round. */
export async function fixtureCase(name) {
  const file = await readParamsFile(
    fileURLToPath(new URL(`../../fixtures/fedhca2/${name}.safetensors`, import.meta.url)),
  );
  const clientCount = JSON.parse(file.metadata.clients).length;
  const slots = [...file.tensors.keys()].flatMap((key) => /^round0\/base\/0\/(backbone\..*)$/.exec(key)?.[1] ?? []);
  const encoderOf = (stage, client) =>
    slots.flatMap((slot) => [...file.tensors.get(`${stage}/${client}/${slot}`).values]);
  const updates = (round) =>
    Array.from({ length: clientCount }, (_, client) => {
      const base = encoderOf(round === 0 ? "round0/base" : `round${round - 1}/aggregated`, client);
      return Float32Array.from(encoderOf(`round${round}/local`, client), (value, i) => value - base[i]);
    });
  return {
    name,
    title: `fixture ${name}, every round`,
    radius: JSON.parse(file.metadata.ca_c),
    rounds: Array.from({ length: JSON.parse(file.metadata.rounds) }, (_, round) => updates(round)),
  };
}

/** Normal numbers, from a table that is read at random places: as many as wanted, quickly. */
function openNoise(rng) {
  const table = Float32Array.from({ length: 1 << 16 }, () => rng.normal());
  return (count) => {
    const out = new Float32Array(count);
    for (let i = 0; i < count; i++) out[i] = table[rng.int(1 << 16)];
    return out;
  };
}

/** Heavy tails (the cube of a normal has kurtosis 46) and layers of 1 % of the elements whose scales span a factor of 30. */
function openUpdates(seed, length) {
  const rng = createRng(seed);
  const noise = openNoise(rng);
  const scales = Float32Array.from({ length: 100 }, () => Math.exp((rng.uniform() - 0.5) * Math.log(30)));
  return () => noise(length).map((value, i) => value ** 3 * scales[Math.floor((i * 100) / length)]);
}

export function range(count) {
  return Array.from({ length: count }, (_, i) => i);
}

const combined = (...terms) => {
  const out = new Float32Array(terms[0][1].length);
  for (const [factor, vector] of terms) for (let i = 0; i < out.length; i++) out[i] += factor * vector[i];
  return out;
};

/** From half to twice the middle one. */
const normOf = (i, count) => 2 ** ((2 * i) / (count - 1) - 1);

export const MADE_UP = [
  {
    name: "common-part",
    title: "16 clients, 1 M params: a common part (0.2 to 0.8 of the own part), heavy tails",
    make: () => {
      const draw = openUpdates("common", 1_000_000);
      const common = draw();
      return range(16).map((i) => combined([normOf(i, 16), draw()], [normOf(i, 16) * (0.2 + 0.04 * i), common]));
    },
  },
  {
    name: "nearly-orthogonal",
    title: "16 clients, 1 M params: nothing in common, heavy tails",
    make: () => {
      const draw = openUpdates("orthogonal", 1_000_000);
      return range(16).map((i) => combined([normOf(i, 16), draw()]));
    },
  },
  {
    name: "cancelling-mean",
    title: "16 clients, 1 M params: eight opposed pairs of cosine −0.96, heavy tails",
    make: () => {
      const draw = openUpdates("cancelling", 1_000_000);
      const pairs = range(8).map(() => draw());
      return range(16).map((i) => combined([i < 8 ? 1 : -1, pairs[i % 8]], [0.2, draw()]));
    },
  },
  {
    name: "many-orthogonal",
    title: "400 clients, 50,000 params: nothing in common, heavy tails (at most 3 seeds)",
    seedLimit: 3,
    make: () => {
      const draw = openUpdates("many-orthogonal", 50_000);
      return range(400).map((i) => combined([normOf(i, 400), draw()]));
    },
  },
  {
    name: "many-clients",
    title: "100 clients, 200,000 params: a common part (0.2 to 0.8 of the own part), heavy tails",
    make: () => {
      const draw = openUpdates("many", 200_000);
      const common = draw();
      return range(100).map((i) => combined([normOf(i, 100), draw()], [normOf(i, 100) * (0.2 + 0.006 * i), common]));
    },
  },
];
