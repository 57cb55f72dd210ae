import { parseTaskId } from "@kumiai/params";
import { expect, test } from "vitest";
import { createStrategy } from "../registry.js";
import type { ClientSpec, ClientUpdate, RoundOutput, Strategy } from "../strategy.js";
import { decoderOf, encoderOf, maxDifference, paramsFor, privateOf, specOf, updateOf } from "../testing/federation.js";

const SITES: readonly ClientSpec[] = [
  specOf({ id: "a", domain: "garments", tasks: ["edge", "parts"] }),
  specOf({ id: "b", domain: "garments", tasks: ["edge"] }),
  specOf({ id: "c", domain: "digits", tasks: ["edge"] }),
];

/** Rounds in which every site adds its own step to each of its params; gives the last round's output. */
function play(strategy: Strategy, rounds: number, steps: readonly number[]): RoundOutput<unknown> {
  let state = strategy.init(SITES);
  let params = new Map(SITES.map((spec) => [spec.id, new Float32Array(spec.layout.size)]));
  let output: RoundOutput<unknown> | undefined;
  for (let round = 1; round <= rounds; round++) {
    const updates: ClientUpdate[] = SITES.map((spec, i) => {
      const base = params.get(spec.id) ?? new Float32Array(spec.layout.size);
      return updateOf(spec, base, new Float32Array(spec.layout.size).fill(steps[i] ?? 0));
    });
    output = strategy.aggregate(state, { round, clients: SITES, updates });
    state = output.state;
    params = new Map(
      SITES.map((spec) => [spec.id, Float32Array.from(paramsFor(output as RoundOutput<unknown>, spec))]),
    );
  }
  if (output === undefined) throw new Error("at least one round");
  return output;
}

function levels(
  output: RoundOutput<unknown>,
  pick: (spec: ClientSpec, params: Float32Array) => Float32Array,
): number[] {
  return SITES.map((spec) => {
    const values = new Set(pick(spec, Float32Array.from(paramsFor(output, spec))));
    expect(values.size).toBe(1);
    return [...values][0] ?? Number.NaN;
  });
}

test("by hand: steps 1, 2 and 6 and β = 0.5 give m = 3, 4.5, 5.25 and the encoder 12.75 after three rounds, exactly", () => {
  const output = play(createStrategy("cooperative", { momentum: 0.5 }), 3, [1, 2, 6]);
  expect(levels(output, encoderOf)).toEqual([12.75, 12.75, 12.75]);
  // Decoders of edge: a and b share (mean step 1.5), c is of another domain and keeps its own steps.
  expect(levels(output, (spec, params) => decoderOf(spec, params, "edge"))).toEqual([6.375, 6.375, 18]);
  expect(levels(output, privateOf)).toEqual([3, 6, 18]);
});

test("without momentum and decoders it is the plain mean; sharing over all domains takes in decoders of one task wherever they are", () => {
  const mean = play(createStrategy("cooperative", { decoders: "none" }), 2, [1, 2, 6]);
  expect(levels(mean, encoderOf)).toEqual([6, 6, 6]);
  expect(levels(mean, (spec, params) => decoderOf(spec, params, "edge"))).toEqual([2, 4, 12]);
  const wide = play(createStrategy("cooperative", { decoders: "same-task" }), 1, [1, 2, 6]);
  expect(levels(wide, (spec, params) => decoderOf(spec, params, "edge"))).toEqual([3, 3, 3]);
});

test("after the last round together everybody goes on alone, without the proximal term, and nothing is sent", () => {
  const strategy = createStrategy("cooperative", { togetherRounds: 2, momentum: 0.5, proximalWeight: 0.05 });
  const together = play(strategy, 2, [1, 2, 6]);
  const alone = play(strategy, 4, [1, 2, 6]);
  const [level = 0] = levels(together, encoderOf);
  expect(levels(alone, encoderOf)).toEqual([level + 2, level + 4, level + 12]);
  expect(Object.values(alone.diagnostics.traffic).every(({ upBytes, downBytes }) => upBytes + downBytes === 0)).toBe(
    true,
  );
  const [site] = SITES;
  if (site === undefined) throw new Error("a site");
  expect(strategy.assignment(strategy.init(SITES), site).proximalWeight).toBe(0.05);
  expect(strategy.assignment(together.state, site).proximalWeight).toBe(0);
});

test("the control that shares nothing moves each site by its own momentum and sends nothing", () => {
  const output = play(createStrategy("cooperative", { momentum: 0.5, share: false }), 3, [1, 2, 6]);
  expect(levels(output, encoderOf)).toEqual([4.25, 8.5, 25.5]);
  expect(output.diagnostics.traffic).toMatchObject({ a: { upBytes: 0, downBytes: 0 } });
});

test("a site that is away keeps its params, and the others their momentum", () => {
  const strategy = createStrategy("cooperative", { momentum: 0.5 });
  const [a, b] = SITES;
  if (a === undefined || b === undefined) throw new Error("two sites");
  const first = strategy.aggregate(strategy.init(SITES), {
    round: 1,
    clients: SITES,
    updates: [a, b].map((spec) =>
      updateOf(spec, new Float32Array(spec.layout.size), new Float32Array(spec.layout.size).fill(1)),
    ),
  });
  expect(first.diagnostics.absent).toEqual(["c"]);
  const second = strategy.aggregate(first.state, {
    round: 2,
    clients: SITES,
    updates: [a, b].map((spec) => updateOf(spec, paramsFor(first, spec), new Float32Array(spec.layout.size).fill(0))),
  });
  expect(maxDifference(encoderOf(a, paramsFor(second, a)), new Float32Array(8).fill(1.5))).toBe(0);
  expect(second.params.has(parseTaskId("c") as unknown as typeof a.id)).toBe(false);
});
