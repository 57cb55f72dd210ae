import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { slotsOfRole, slotView, writeParamsFile } from "@kumiai/params";
import { expect, test } from "vitest";
import type { Scenario } from "./config/scenario.js";
import { sceneModels } from "./data/scenes.js";
import { initialParamsOf, loadInitialEncoder } from "./initial-params.js";
import { createModel } from "./model.js";
import { tinyScenario } from "./testing/tiny.js";

const scenario = tinyScenario();

function groups(of: Scenario, seed: number) {
  const draw = initialParamsOf(sceneModels(of), seed, null);
  return of.clients.map((client) => {
    const { layout } = createModel(sceneModels(of).modelOf(client));
    const params = draw(client);
    const values = (kind: "encoder" | "decoder" | "head", task = client.tasks[0]) =>
      slotsOfRole(layout, kind, kind === "encoder" ? undefined : task).map((slot) => slotView(params, slot));
    return { client, layout, params, values };
  });
}

test("all sites start with one encoder, one start for all decoders and one head per task", () => {
  const [a, b] = groups(scenario, 1);
  if (a === undefined || b === undefined) throw new Error("two clients");
  expect(a.values("encoder")).toEqual(b.values("encoder"));
  const [edge, semseg] = a.client.tasks;
  expect(a.values("decoder", edge)).toEqual(a.values("decoder", semseg));
  expect(a.values("decoder", edge)).toEqual(b.values("decoder", b.client.tasks[0]));
  expect(a.values("head", semseg)).toEqual(b.values("head", semseg));
});

test("another seed gives another start, the same seed the same", () => {
  const [first, second, other] = [groups(scenario, 1)[0], groups(scenario, 1)[0], groups(scenario, 2)[0]];
  expect(first?.params).toEqual(second?.params);
  expect(first?.values("encoder")).not.toEqual(other?.values("encoder"));
});

test("an encoder file replaces the encoder and nothing else; another shape is refused with the difference", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kumiai-encoder-"));
  try {
    const initFile = join(folder, "encoder.safetensors");
    const [drawn] = groups(scenario, 1);
    if (drawn === undefined) throw new Error("a client");
    const slots = slotsOfRole(drawn.layout, "encoder");
    const entries = slots.map(({ name, shape, size }) => ({ name, shape, values: new Float32Array(size).fill(0.25) }));
    await writeParamsFile(initFile, entries);
    const withFile = (channels: readonly number[]): Scenario => ({
      ...scenario,
      model: { ...scenario.model, encoder: { ...scenario.model.encoder, channels, initFile } },
    });
    const same = withFile([8, 8, 8, 8]);
    const loaded = initialParamsOf(sceneModels(same), 1, await loadInitialEncoder(same))(drawn.client);
    const encoderSize = slots.reduce((sum, slot) => sum + slot.size, 0);
    expect(new Set(loaded.subarray(0, encoderSize))).toEqual(new Set([0.25]));
    expect(loaded.subarray(encoderSize)).toEqual(drawn.params.subarray(encoderSize));

    const wider = withFile([8, 8, 8, 16]);
    const encoder = await loadInitialEncoder(wider);
    expect(() => initialParamsOf(sceneModels(wider), 1, encoder)(drawn.client)).toThrow(
      /encoder\.safetensors: encoder\.stages\.3\.0\.conv1\.weight: expected \[16,8,3,3\], received \[8,8,3,3\]/,
    );
    const shallower = withFile([8, 8, 8]);
    expect(() => initialParamsOf(sceneModels(shallower), 1, encoder)(drawn.client)).toThrow(
      "expected only the encoder's tensors",
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("own norms are the site's, start as the encoder's would, from a file too; all else stays shared", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kumiai-norms-"));
  try {
    const [shared] = groups(scenario, 1);
    if (shared === undefined) throw new Error("a client");
    const names = slotsOfRole(shared.layout, "encoder").map(({ name }) => name);
    const norms = names.filter((name) => name.includes("norm"));
    const initFile = join(folder, "encoder.safetensors");
    const entries = slotsOfRole(shared.layout, "encoder").map(({ name, shape, size }, index) => ({
      name,
      shape,
      values: new Float32Array(size).fill(index + 1),
    }));
    await writeParamsFile(initFile, entries);
    const { model } = scenario;
    const own: Scenario = {
      ...scenario,
      model: { ...model, encoder: { ...model.encoder, norms: "own", initFile } },
    };
    const models = sceneModels(own);
    const { layout } = createModel(models.modelOf(shared.client));
    expect(slotsOfRole(layout, "encoder").map(({ name }) => name)).toEqual(names.filter((n) => !norms.includes(n)));
    expect(slotsOfRole(layout, "stem").map(({ name }) => name)).toEqual(norms.map((name) => `stem.${name}`));
    expect(norms.length).toBeGreaterThan(8);

    const loaded = initialParamsOf(models, 1, await loadInitialEncoder(own))(shared.client);
    for (const slot of [...slotsOfRole(layout, "encoder"), ...slotsOfRole(layout, "stem")]) {
      const expected = names.indexOf(slot.name.replace(/^stem\./, "")) + 1;
      expect(new Set(slotView(loaded, slot)), slot.name).toEqual(new Set([expected]));
    }
    const drawn = initialParamsOf(models, 1, null)(shared.client);
    for (const slot of layout.slots) {
      const same = shared.layout.slots.find(({ name }) => name === slot.name.replace(/^stem\./, ""));
      if (same === undefined) throw new Error(slot.name);
      expect(slotView(drawn, slot), slot.name).toEqual(slotView(shared.params, same));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
