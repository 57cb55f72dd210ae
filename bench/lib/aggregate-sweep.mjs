/** Seconds and memory over clients and params, and how they grow. */

const CLIENTS = [2, 6, 16, 64, 256];
const ENCODERS = [100_000, 1_000_000, 10_000_000];
/** Params of all clients together: bases, locals and outputs fit into the heap of 4 GiB. */
const MOST_PARAMS = 280_000_000;
/** Clients and encoder params of the cases over files. */
const IN_FILES = [
  [6, 100_000],
  [6, 1_000_000],
  [6, 10_000_000],
  [2, 1_000_000],
  [16, 1_000_000],
  [64, 1_000_000],
  [256, 100_000],
];
/** What the growth is taken over. */
const [FIXED_CLIENTS, FIXED_ENCODER] = [6, 1_000_000];

export async function sweep({ isQuick, ...common }, children) {
  const cases = isQuick
    ? [
        ["memory", 2, 10_000],
        ["memory", 6, 10_000],
        ["files", 6, 10_000],
      ]
    : allCases();
  const rows = [];
  for (const [kind, clientCount, encoderSize] of cases) {
    const decoderSize = Math.max(4096, Math.round(encoderSize / 50));
    const federation = { clientCount, encoderSize, decoderSize };
    const result = await children.run(kind, { ...common, federation, repeats: 5, budgetSeconds: 4 });
    rows.push({ kind, ...federation, gigabytesPerSecond: result.bytesToMove / 1e9 / result.seconds, ...result });
  }
  return { sweep: rows, growth: growthOf(rows) };
}

function allCases() {
  const inMemory = CLIENTS.flatMap((clients) =>
    ENCODERS.filter((encoder) => clients * encoder <= MOST_PARAMS).map((encoder) => ["memory", clients, encoder]),
  );
  return [...inMemory, ...IN_FILES.map(([clients, encoder]) => ["files", clients, encoder])];
}

/** Exponents b of seconds and of extra memory ≈ a·x^b, the slope of a line through the logarithms. */
function growthOf(rows) {
  const growth = (kind, by, fixed) => {
    const own = rows.filter((row) => row.kind === kind && fixed(row));
    if (own.length < 3) return undefined;
    const points = (value) => own.map((row) => [Math.log(row[by]), Math.log(Math.max(Number.MIN_VALUE, row[value]))]);
    return {
      by,
      over: own.map((row) => row[by]),
      secondsExponent: slopeOf(points("seconds")),
      extraPeakExponent: slopeOf(points("extraPeakBytes")),
    };
  };
  const overParams = (kind) => growth(kind, "encoderSize", (row) => row.clientCount === FIXED_CLIENTS);
  const overClients = (kind) => growth(kind, "clientCount", (row) => row.encoderSize === FIXED_ENCODER);
  return Object.fromEntries(
    ["memory", "files"].map((kind) => [kind, { params: overParams(kind), clients: overClients(kind) }]),
  );
}

function slopeOf(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [0, 1].map((axis) => mean(points.map((point) => point[axis])));
  const products = points.map(([a, b]) => (a - x) * (b - y));
  const squares = points.map(([a]) => (a - x) ** 2);
  return mean(products) / mean(squares);
}
