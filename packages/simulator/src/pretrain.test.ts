import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { slotsOfRole } from "@kumiai/params";
import { expect, test } from "vitest";
import { sceneModels } from "./data/scenes.js";
import { initialParamsOf, loadInitialEncoder } from "./initial-params.js";
import { createModel } from "./model.js";
import { type PretrainEpoch, pretrainEncoder, writePretrainedEncoder } from "./pretrain.js";
import { TEST_CACHE_DIR, tinyScenario } from "./testing/tiny.js";

const tiny = {
  channels: [8, 8, 8, 8],
  seed: 3,
  cacheDir: TEST_CACHE_DIR,
  sceneCount: 40,
  heldOutCount: 10,
  epochs: 2,
  size: 32,
  batchSize: 16,
};

test("a pre-trained encoder repeats to the byte and is what a scenario's clients start from", async () => {
  const epochs: PretrainEpoch[] = [];
  const [encoder, again] = [
    await pretrainEncoder({ ...tiny, onEpoch: (epoch) => epochs.push(epoch) }),
    await pretrainEncoder(tiny),
  ];
  expect(again).toEqual(encoder);
  expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(epochs.map(({ heldOutAccuracyPercent }) => heldOutAccuracyPercent !== null)).toEqual([false, true]);
  expect(epochs.every(({ loss }) => loss > 0 && loss < 10)).toBe(true);

  const folder = await mkdtemp(join(tmpdir(), "kumiai-pretrain-"));
  try {
    const initFile = join(folder, "encoder.safetensors");
    await writePretrainedEncoder(initFile, encoder, "kumiai pretrain --out encoder.safetensors");
    const scenario = tinyScenario();
    const model = { ...scenario.model, encoder: { ...scenario.model.encoder, channels: tiny.channels, initFile } };
    const file = await loadInitialEncoder({ ...scenario, model });
    expect(file?.metadata).toMatchObject({ command: "kumiai pretrain --out encoder.safetensors", seed: "3" });
    const draw = initialParamsOf(sceneModels(scenario), 1, file);
    for (const client of scenario.clients) {
      const params = draw(client);
      const slots = slotsOfRole(createModel(sceneModels(scenario).modelOf(client)).layout, "encoder");
      expect(encoder.entries.map(({ name }) => name)).toEqual(slots.map(({ name }) => name));
      slots.forEach(({ offset, size }, i) => {
        expect(params.subarray(offset, offset + size)).toEqual(encoder.entries[i]?.values);
      });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("pre-training ends with CANCELLED between epochs, and refuses no epochs at all", async () => {
  const stop = new AbortController();
  const work = pretrainEncoder({ ...tiny, signal: stop.signal, onEpoch: () => stop.abort() });
  await expect(work).rejects.toMatchObject({ code: "CANCELLED" });
  await expect(pretrainEncoder({ ...tiny, epochs: 0 })).rejects.toMatchObject({ code: "INVALID_CONFIG" });
});
