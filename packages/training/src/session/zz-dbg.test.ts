import { parseTaskId } from "@kumiai/params";
import { test } from "vitest";
import { mean, relu } from "../graph/functions.js";
import { defineModel } from "../model/define-model.js";
import { TorchFixture } from "../testing/torch-fixture.js";
import { openTrainingSession } from "./open-session.js";

test("dbg", async () => {
  // cross entropy gradient by itself: logits from bias only
  const T = parseTaskId("t");
  const model = defineModel((b) => {
    const x = b.input("x", [2]);
    b.task(T, b.head(T).linear("out", x, { out: 3 }), { kind: "crossEntropy" });
  });
  await using s = await openTrainingSession(model, { batchSize: 2, optimizer: { kind: "sgd" } });
  const p = Float32Array.from({ length: 9 }, (_, i) => Math.sin(i));
  s.load(p);
  const x = new Float32Array([1, 2, -1, 0.5]);
  const r = await s.step({ batch: { x, "label.t": new Uint8Array([2, 0]) }, learningRate: 1 });
  console.log(
    r,
    s.params().map((v, i) => v - (p[i] ?? 0)),
  );
  let l = 0;
  const g = new Float64Array(9);
  [2, 0].forEach((y, n) => {
    const z = [0, 1, 2].map(
      (k) => (x[2 * n] ?? 0) * (p[2 * k] ?? 0) + (x[2 * n + 1] ?? 0) * (p[2 * k + 1] ?? 0) + (p[6 + k] ?? 0),
    );
    const e = z.map(Math.exp);
    const S = e.reduce((a, b) => a + b);
    l -= Math.log((e[y] ?? 0) / S) / 2;
    e.forEach((v, k) => {
      const d = (v / S - (k === y ? 1 : 0)) / 2;
      g[2 * k] = (g[2 * k] ?? 0) - d * (x[2 * n] ?? 0);
      g[2 * k + 1] = (g[2 * k + 1] ?? 0) - d * (x[2 * n + 1] ?? 0);
      g[6 + k] = (g[6 + k] ?? 0) - d;
    });
  });
  console.log(l, g);
});
