/** The Grams that `npm run bench -- solver` solves: made-up clients of stated structure. Equal on every run. */
import { createRng } from "@kumiai/params";

/**
 * size(N): numbers per update. shape(row, { i, shared, draw }) makes client i's update out of normal numbers, in place; `shared` are
 * normal numbers that all clients have in common, draw() is uniform in [0, 1).
 */
const KINDS = [
  {
    name: "common",
    title: "a common direction, norms within a factor of 3",
    size: (n) => 2 * n,
    shape: (row, { draw, shared }) => {
      const scale = 0.5 + draw();
      for (let p = 0; p < row.length; p++) row[p] = scale * row[p] + 0.5 * shared[p];
    },
  },
  { name: "independent", title: "nothing in common, full rank", size: (n) => n + 50, shape: () => undefined },
  {
    name: "low-rank",
    title: "rank 30 (or N/3), some in common",
    size: (n) => Math.min(30, Math.ceil(n / 3)),
    shape: (row, { draw, shared }) => {
      const scale = 0.5 + draw();
      for (let p = 0; p < row.length; p++) row[p] = scale * row[p] + 0.5 * shared[p];
    },
  },
  {
    name: "camps",
    title: "two camps, one to two, nearly opposed",
    size: (n) => n,
    shape: (row, { i, shared }) => {
      for (let p = 0; p < row.length; p++) row[p] = (i % 3 === 0 ? -1 : 1) * shared[p] + 0.5 * row[p];
    },
  },
  {
    name: "duplicates",
    title: "a third as many different updates as clients",
    size: (n) => n,
    distinct: (n) => Math.ceil(n / 3),
    shape: () => undefined,
  },
  {
    name: "nearly-equal",
    title: "one update, each client a thousandth off",
    size: (n) => n,
    shape: (row, { shared }) => {
      for (let p = 0; p < row.length; p++) row[p] = shared[p] + 1e-3 * row[p];
    },
  },
  {
    name: "spread",
    title: "norms from 0.01 to 100",
    size: (n) => n + 50,
    shape: (row, { draw }) => {
      const scale = 10 ** (4 * draw() - 2);
      for (let p = 0; p < row.length; p++) row[p] *= scale;
    },
  },
  {
    name: "ill-conditioned",
    title: "singular values over 5 orders of magnitude",
    size: (n) => n,
    shape: (row) => {
      for (let p = 0; p < row.length; p++) row[p] *= 10 ** ((-5 * p) / row.length);
    },
  },
  {
    name: "kink",
    title: "rank N/8: the updates' hull contains 0",
    size: (n) => Math.max(2, n >> 3),
    shape: (row) => {
      row[0] += 0.1;
    },
  },
  {
    name: "near-kink",
    title: "rank N/4: the hull misses 0 by 1e-4",
    size: (n) => Math.max(2, n >> 2),
    shape: (row, { draw }) => {
      row[0] = 1e-4 * (1 + draw());
    },
  },
];

export const KIND_NAMES = KINDS.map(({ name }) => name);

/** { name, title, params, gram [N, N] in f64 }. */
export function solverCase(name, count) {
  const kind = KINDS.find((each) => each.name === name);
  const params = kind.size(count);
  const rng = createRng(`solver-${name}-${count}`);
  const table = Float64Array.from({ length: 1 << 16 }, () => rng.normal());
  const normals = () => Float64Array.from({ length: params }, () => table[rng.int(1 << 16)]);
  const shared = normals();
  const distinct = kind.distinct?.(count) ?? count;
  const rows = Array.from({ length: distinct }, (_, i) => {
    const row = normals();
    kind.shape(row, { i, shared, draw: () => rng.uniform() });
    return row;
  });
  const chosen = distinct === count ? rows : Array.from({ length: count }, () => rows[rng.int(distinct)]);
  return { name, title: kind.title, params, gram: gramOf(chosen) };
}

/** Four columns at a time: fast enough for N = 2,000, and apart from any kernel of ours. */
function gramOf(rows) {
  const count = rows.length;
  const gram = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j += 4) {
      const sums = fourProducts(
        rows[i],
        rows[j],
        rows[j + 1] ?? rows[j],
        rows[j + 2] ?? rows[j],
        rows[j + 3] ?? rows[j],
      );
      for (let k = 0; k < 4 && j + k <= i; k++) gram[i * count + j + k] = gram[(j + k) * count + i] = sums[k];
    }
  }
  return gram;
}

function fourProducts(x, y0, y1, y2, y3) {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let p = 0; p < x.length; p++) {
    const value = x[p];
    s0 += value * y0[p];
    s1 += value * y1[p];
    s2 += value * y2[p];
    s3 += value * y3[p];
  }
  return [s0, s1, s2, s3];
}
