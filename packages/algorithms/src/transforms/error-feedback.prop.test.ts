import { createRng } from "@kumiai/params";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { UpdateCodec } from "./codec.js";
import { sendUpdate } from "./error-feedback.js";

const specs: readonly UpdateCodec[] = [
  { codec: "f16" },
  { codec: "int8", blockSize: 16, rounding: "nearest" },
  { codec: "int8", blockSize: 16, rounding: "stochastic" },
  { codec: "topk", share: 0.1, values: { codec: "f16" } },
];

function sendAll(codec: UpdateCodec, updates: readonly Float32Array[], errorFeedback: boolean) {
  const rng = createRng(1);
  const total = new Float64Array(updates[0]?.length ?? 0);
  let residual: Float32Array | null = null;
  for (const update of updates) {
    const sent = sendUpdate(update, { codec, errorFeedback, residual, rng });
    sent.received.forEach((value, i) => {
      total[i] = (total[i] ?? 0) + value;
    });
    residual = sent.residual;
  }
  return { total, residual };
}

test("what arrived over all rounds plus the residual is the sum of the updates, within 1e-5 of the largest of 12", () => {
  fc.assert(
    fc.property(fc.constantFrom(...specs), fc.nat(), (codec, seed) => {
      const rng = createRng(seed);
      const updates = Array.from({ length: 12 }, () => Float32Array.from({ length: 67 }, () => rng.normal()));
      const { total, residual } = sendAll(codec, updates, true);
      const off = total.map((value, i) => {
        const truth = updates.reduce((sum, update) => sum + (update[i] ?? Number.NaN), 0);
        return Math.abs(value + (residual?.[i] ?? Number.NaN) - truth);
      });
      expect(Math.max(...off)).toBeLessThan(6e-5);
    }),
  );
});

test("a constant update sent as a tenth of its coordinates arrives whole over the rounds with feedback, never without", () => {
  const update = Float32Array.from({ length: 100 }, (_, i) => 1 + i / 100);
  const codec: UpdateCodec = { codec: "topk", share: 0.1, values: { codec: "f32" } };
  const rounds = Array.from({ length: 200 }, () => update);
  const withFeedback = sendAll(codec, rounds, true).total;
  const without = sendAll(codec, rounds, false);
  expect(Math.min(...withFeedback)).toBeGreaterThan(0.85 * 200);
  expect(without.total.filter((value) => value === 0)).toHaveLength(90);
  expect(without.residual).toBeNull();
});

test("f32 keeps no residual: nothing is lost", () => {
  const update = Float32Array.of(1, 2, 3);
  const sent = sendUpdate(update, { codec: { codec: "f32" }, errorFeedback: true, residual: null });
  expect(sent.received).toEqual(update);
  expect(sent.residual).toBeNull();
});
