import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";

const DIST = new URL("../../dist/index.js", import.meta.url).href;
const PARAMS = new URL("../../../params/dist/index.js", import.meta.url).href;

/** Trains a small model for some steps and posts the params. */
const SCRIPT = `
import { parentPort, workerData } from "node:worker_threads";
const { classifierNet, openTrainingSession } = await import("${DIST}");
const { createRng, parseTaskId } = await import("${PARAMS}");
const task = parseTaskId("t");
const model = classifierNet({ height: 16, width: 16, encoder: { channels: [8, 8] }, task, classCount: 3 });
const session = await openTrainingSession(model, { batchSize: 4, optimizer: { kind: "adamw" } });
session.load(model.initParams(createRng(workerData.seed)));
const rng = createRng(workerData.seed);
for (let i = 0; i < workerData.steps; i++) {
  const image = Float32Array.from({ length: 4 * 768 }, () => rng.normal());
  await session.step({ batch: { image, "label.t": Uint8Array.of(0, 1, 2, 0) }, learningRate: 0.01 });
}
const params = session.params();
await session[Symbol.asyncDispose]();
parentPort.postMessage(params);
`;

function train(seed: number, steps: number): Promise<Float32Array> {
  return new Promise((resolve, reject) => {
    const url = new URL(`data:text/javascript,${encodeURIComponent(SCRIPT)}`);
    const worker = new Worker(url, { workerData: { seed, steps } });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

test("sessions in two workers at once give the same bytes as one after the other", async () => {
  const together = await Promise.all([train(1, 8), train(2, 8)]);
  const alone = [await train(1, 8), await train(2, 8)];
  expect(together[0]).toEqual(alone[0]);
  expect(together[1]).toEqual(alone[1]);
  expect(together[0]).not.toEqual(together[1]);
});
