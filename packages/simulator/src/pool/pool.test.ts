import { KumiaiError } from "@kumiai/params";
import { expect, test } from "vitest";
import type { EvaluateJob } from "./jobs.js";
import { createWorkerPool, toShared } from "./pool.js";

const DYING_WORKER = new URL(
  `data:text/javascript,${encodeURIComponent(
    'import { parentPort } from "node:worker_threads"; parentPort.on("message", (m) => { if (m.type === "job") process.exit(3); else if (m.type === "close") parentPort.close(); });',
  )}`,
);
const ECHO_WORKER = new URL(
  `data:text/javascript,${encodeURIComponent(
    'import { parentPort } from "node:worker_threads"; parentPort.on("message", (m) => { if (m.type === "job") parentPort.postMessage({ type: "done", result: { metrics: {} } }); else if (m.type === "close") parentPort.close(); });',
  )}`,
);

const examples = {
  count: 1,
  inputName: "image",
  inputs: new Float32Array(3),
  points: 1,
  labels: new Map(),
  masks: new Map(),
  scales: new Map(),
};
const job: EvaluateJob = {
  kind: "evaluate",
  model: { kind: "dense", size: 32, channels: [8], decoderWidth: 8, tasks: [] },
  session: { batchSize: 1, optimizer: { kind: "adamw" } },
  examples: "a",
  params: new Float32Array(1),
};

function openPool(entry: URL, threadCount = 1) {
  const pool = createWorkerPool({ threadCount, clock: () => performance.now(), entry });
  pool.share("a", examples);
  return pool;
}

test("a worker that dies fails its job with the client and the round, and the pool goes on", async () => {
  await using pool = openPool(DYING_WORKER);
  for (const round of [3, 4]) {
    const what = `strategy fedavg, seed 1, round ${round}, client line-a`;
    const failure = await pool.run(job, { what }).catch((error: unknown) => error);
    if (!(failure instanceof KumiaiError)) throw new Error("the job did not fail");
    expect(failure.code).toBe("WORKER_FAILED");
    expect(failure.message).toContain(`${what}: expected the worker thread to finish, but it died (exit code 3)`);
  }
});

test("jobs that have not begun when the signal comes fail with CANCELLED; the one under way finishes", async () => {
  await using pool = openPool(ECHO_WORKER);
  const stop = new AbortController();
  const work = ["first", "second", "third"].map((what) => pool.run(job, { what, signal: stop.signal }));
  stop.abort();
  const settled = await Promise.allSettled(work);
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  expect(settled[1]).toMatchObject({ reason: { code: "CANCELLED" } });
});

test("examples that are not shared yet are copied into shared memory once", () => {
  const shared = toShared(examples);
  expect(shared.inputs.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(toShared(shared).inputs).toBe(shared.inputs);
});
