/**
 * First params of a seed: the same for every strategy, and for all sites alike.
 *
 *   encoder   from the scenario's file, else drawn from the seed; one for all sites
 *   decoders  drawn from the seed; one start for the decoders of all tasks and sites, so that they can be compared
 *   heads     drawn from the seed, one start per task
 *   stems     own norms within the encoder as the encoder; others drawn from the seed, the weights of a sensor by its name: sites that measure the same start with the same view of it
 *   buffers   as the model starts them
 */
import {
  createRng,
  KumiaiError,
  type ParamLayout,
  type ParamSlot,
  type ParamsFile,
  type ParamVector,
  type Rng,
  readParamsFile,
  slotsOfRole,
  slotView,
  type TaskId,
} from "@kumiai/params";
import type { Model } from "@kumiai/training";
import type { ClientConfig, Scenario } from "./config/scenario.js";
import type { SiteModels } from "./data/source.js";
import { createModel, type ModelSpec, type TaskSpec } from "./model.js";

/** Reads the scenario's encoder file; null if it names none. Throws FILE_NOT_FOUND, FILE_UNREADABLE, SAFETENSORS_MALFORMED. */
export async function loadInitialEncoder({ model }: Scenario): Promise<ParamsFile | null> {
  const { initFile } = model.encoder;
  return initFile === null ? null : await readParamsFile(initFile);
}

/** Draws a seed's params; the returned function gives a fresh vector for each client. Throws LAYOUT_MISMATCH. */
export function initialParamsOf(
  models: SiteModels,
  seed: number,
  encoder: ParamsFile | null,
): (client: ClientConfig) => ParamVector {
  const rng = createRng(seed).split("initial-params");
  const drawn = new Map<TaskId, Drawn>();
  const draw = (spec: ModelSpec): Drawn => {
    const model = createModel(spec);
    return { model, params: model.initParams(rng) };
  };
  const drawnFor = (spec: ModelSpec, task: TaskSpec): Drawn => {
    const known = drawn.get(task.id) ?? draw({ ...spec, tasks: [task] });
    drawn.set(task.id, known);
    return known;
  };
  const common = draw(models.reference);
  return (client) => {
    const spec = models.modelOf(client);
    const model = createModel(spec);
    const params = model.initParams(rng);
    copyGroup(params, slotsOfRole(model.layout, "encoder"), common.params, slotsOfRole(common.model.layout, "encoder"));
    for (const taskSpec of spec.tasks) {
      const task = taskSpec.id;
      const own = drawnFor(spec, taskSpec);
      const decoder = slotsOfRole(common.model.layout, "decoder");
      copyGroup(params, slotsOfRole(model.layout, "decoder", task), common.params, decoder);
      copyGroup(params, slotsOfRole(model.layout, "head", task), own.params, slotsOfRole(own.model.layout, "head"));
    }
    if (spec.kind === "series") drawStemInto(params, model.layout, spec.sensors, rng);
    if (encoder !== null) loadEncoderInto(params, model.layout, encoder);
    return params;
  };
}

/** Stem weights [width, sensors, kernel] as the layer would draw them (He), but column by column. */
function drawStemInto(params: ParamVector, layout: ParamLayout, sensors: readonly string[], rng: Rng): void {
  for (const slot of slotsOfRole(layout, "stem")) {
    const [width = 0, channels = 0, kernel = 1] = slot.shape;
    if (slot.shape.length !== 3 || channels !== sensors.length) continue;
    const view = slotView(params, slot);
    const std = Math.sqrt(2 / (channels * kernel));
    sensors.forEach((sensor, channel) => {
      const draw = rng.split("stem").split(sensor);
      for (let out = 0; out < width; out++) {
        for (let step = 0; step < kernel; step++)
          view[(out * channels + channel) * kernel + step] = std * draw.normal();
      }
    });
  }
}

interface Drawn {
  readonly model: Model;
  readonly params: ParamVector;
}

function copyGroup(
  to: ParamVector,
  toSlots: readonly ParamSlot[],
  from: ParamVector,
  fromSlots: readonly ParamSlot[],
): void {
  const sources = new Map(fromSlots.map((slot) => [slot.key, slot]));
  for (const slot of toSlots) {
    const source = sources.get(slot.key);
    if (source === undefined || source.size !== slot.size) {
      throw new KumiaiError(
        "LAYOUT_MISMATCH",
        `slot ${slot.name}: expected a slot with key ${slot.key} in every model`,
      );
    }
    slotView(to, slot).set(slotView(from, source));
  }
}

/** Throws LAYOUT_MISMATCH with the first difference; no tensor may be missing and none may be left over. */
function loadEncoderInto(params: ParamVector, layout: ParamLayout, { file, tensors }: ParamsFile): void {
  // A site's own norms within the encoder are called as the encoder's would be, below `stem.`.
  const own = slotsOfRole(layout, "stem").filter(({ key }) => key.startsWith("encoder."));
  const named = [
    ...slotsOfRole(layout, "encoder").map((slot) => ({ slot, name: slot.name })),
    ...own.map((slot) => ({ slot, name: slot.key })),
  ];
  for (const { slot, name } of named) {
    const tensor = tensors.get(name);
    const received = tensor === undefined ? "no tensor of this name" : `[${tensor.shape}]`;
    if (tensor === undefined || tensor.shape.join(",") !== slot.shape.join(",")) {
      throw new KumiaiError(
        "LAYOUT_MISMATCH",
        `${file}: ${name}: expected [${slot.shape}], received ${received}; make the file with the channels that model.encoder.channels names`,
        { slot: name },
      );
    }
    slotView(params, slot).set(tensor.values);
  }
  const names = new Set(named.map(({ name }) => name));
  const extra = [...tensors.keys()].find((name) => !names.has(name));
  if (extra !== undefined) {
    throw new KumiaiError(
      "LAYOUT_MISMATCH",
      `${file}: ${extra}: expected only the encoder's tensors, received one more; make the file with the channels that model.encoder.channels names`,
      { slot: extra },
    );
  }
}
