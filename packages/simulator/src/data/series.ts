/**
 * Sensor series of plants: one table for all sites or one each, cut into windows and blocks of time once per seed. All sites of a
 * table share its split, so that nobody trains on what somebody is tested on.
 */
import { join } from "node:path";
import {
  loadCmapss,
  loadCsv,
  loadHydraulic,
  type OnNotice,
  type SeriesExamples,
  type SeriesSplit,
  type SeriesTable,
  type SeriesTarget,
  type SiteSeries,
  siteSeries,
  splitByBlocks,
  splitByUnits,
  type WindowSet,
  windowsOf,
  withCommonClasses,
} from "@kumiai/datasets";
import { createRng, KumiaiError, type TaskId } from "@kumiai/params";
import type { ClientConfig, Scenario, SeriesConfig } from "../config/scenario.js";
import { contentHash } from "../content-hash.js";
import type { Examples } from "../examples.js";
import type { ModelSpec, SeriesSpec, TaskSpec } from "../model.js";
import { csvFileOf, csvRolesOf } from "./csv-roles.js";
import type { DataSource, OpenDataOptions } from "./source.js";

const TRAIN = 0;
const UNUSED = 2;

/** Steps of a hydraulic cycle. */
const HYDRAULIC_LENGTH = 60;

/** Loads every table that a client names, once. Throws as the loaders do. */
export async function openSeriesSource(scenario: Scenario, options: OpenDataOptions): Promise<DataSource> {
  const data = scenario.data as SeriesConfig;
  const notice = sayOnce(options.onNotice ?? (() => {}));
  const keys = [...new Set(scenario.clients.map((client) => tableKey(data, client)))];
  const loaded: SeriesTable[] = [];
  for (const key of keys) {
    const sharers = scenario.clients.filter((client) => tableKey(data, client) === key);
    loaded.push(await loadTable(data, sharers, { ...options, onNotice: notice }));
  }
  const tables = new Map(
    withCommonClasses(loaded).map((table, i): [string, WindowSet] => [
      keys[i] ?? "",
      windowsOf(table, windowing(data)),
    ]),
  );
  const windowsFor = (client: ClientConfig): WindowSet => {
    const windows = tables.get(tableKey(data, client));
    if (windows === undefined) throw new Error(`no table was loaded for client ${client.id}`);
    return windows;
  };
  const site = memoized((client: ClientConfig, seed: number, notice: OnNotice) =>
    cutSite(windowsFor(client), client, { data, seed, notice }),
  );
  const modelOf = (client: ClientConfig): ModelSpec => seriesModel(scenario, client, windowsFor(client).table);
  return {
    modelOf,
    contentHash: () => contentHash([...tables.values()]),
    reference: referenceModel(modelOf(scenario.clients[0] as ClientConfig) as SeriesSpec),
    countsOf(client, seed) {
      const { train, test } = site(client, seed, notice);
      return { train: train.count, test: test.count, trainLabels: labelCount(train) };
    },
    examplesOf(client, seed) {
      const { train, test, tasks } = site(client, seed, notice);
      const scales = new Map(tasks.map(({ id, scale }) => [id, scale]));
      const partial = partialTasks(client, windowsFor(client).table);
      return { train: toExamples(train, partial, scales), test: toExamples(test, partial, scales) };
    },
  };
}

/** What holds for every seed is said once. */
function sayOnce(onNotice: OnNotice): OnNotice {
  const said = new Set<string>();
  return (message) => {
    if (said.has(message)) return;
    said.add(message);
    onNotice(message);
  };
}

function tableKey(data: SeriesConfig, client: ClientConfig): string {
  switch (data.kind) {
    case "hydraulic":
      return "";
    case "cmapss":
      return client.series?.subset ?? "FD001";
    case "csv":
      return csvFileOf(data, client);
  }
}

/** The table that `clients` share. */
function loadTable(
  data: SeriesConfig,
  clients: readonly ClientConfig[],
  options: OpenDataOptions,
): Promise<SeriesTable> {
  const key = tableKey(data, clients[0] as ClientConfig);
  const setting = "data.folder in the scenario, or --data";
  switch (data.kind) {
    case "hydraulic":
      return loadHydraulic(folderOf(data.folder, "hydraulic", options), { setting });
    case "cmapss": {
      const subset = key as Parameters<typeof loadCmapss>[1];
      return loadCmapss(folderOf(data.folder, "cmapss", options), subset, { setting });
    }
    case "csv":
      return loadCsv(key, csvRolesOf(data, clients), options.onNotice);
  }
}

function folderOf(folder: string | null, name: string, { dataDir }: OpenDataOptions): string {
  return folder ?? join(dataDir, name);
}

function windowing(data: SeriesConfig) {
  return data.kind === "hydraulic" ? { length: HYDRAULIC_LENGTH, stride: HYDRAULIC_LENGTH } : data.window;
}

interface Cut {
  readonly data: SeriesConfig;
  readonly seed: number;
  readonly notice: OnNotice;
}

/** The windows of one site for one seed. */
function cutSite(windows: WindowSet, client: ClientConfig, { data, seed, notice }: Cut): SiteSeries {
  const rng = createRng(seed).split("split");
  const { testShare } = data.split;
  // Engines are independent of each other, moments of one engine are not.
  const split =
    data.kind === "cmapss" ? splitByUnits(windows, { testShare, rng }) : splitByBlocks(windows, { ...data.split, rng });
  const { sensors, where = {}, period: [from, to] = [0, 1], blocks = null, units } = client.series ?? {};
  const part = data.kind === "cmapss" ? { units: { from, to } } : { time: { from, to }, ...(units && { units }) };
  const selection = { where, ...part };
  const options = {
    ...selection,
    tasks: client.tasks,
    trainCount: client.trainCount,
    ...(sensors === null || sensors === undefined ? {} : { channels: sensors }),
  };
  try {
    const site = siteSeries(windows, ownBlocks(split, blocks), options, (message) =>
      notice(`client ${client.id}: ${message}`),
    );
    if (site.test.count > 0) return site;
    throw new KumiaiError(
      "INVALID_CONFIG",
      "expected at least one test window, received none; select more of the data, or choose shorter windows or blocks",
    );
  } catch (error) {
    if (!(error instanceof KumiaiError)) throw error;
    const message = `client ${client.id}, seed ${seed}: ${error.message}`;
    throw new KumiaiError(error.code, message, { ...error.details, client: client.id, seed }, error);
  }
}

/** Training blocks are dealt out to plants; test blocks are for all whose regime they lie in. */
function ownBlocks(split: SeriesSplit, blocks: readonly [number, number] | null): SeriesSplit {
  if (blocks === null) return split;
  const [take, of] = blocks;
  const isOwn = (w: number): boolean => (split.block[w] ?? 0) % of === take;
  return { ...split, side: split.side.map((side, w) => (side !== TRAIN || isOwn(w) ? side : UNUSED)) };
}

function seriesModel(scenario: Scenario, client: ClientConfig, table: SeriesTable): SeriesSpec {
  const { model, training } = scenario;
  return {
    kind: "series",
    sensors: client.series?.sensors ?? table.channels,
    length: windowing(scenario.data as SeriesConfig).length,
    stemWidth: model.stem.width,
    channels: model.encoder.channels,
    kernel: model.encoder.kernel,
    ...(model.encoder.norms === "own" ? { hasOwnNorms: true as const } : {}),
    decoderWidth: model.decoder.width,
    tasks: client.tasks.map((id): TaskSpec => {
      const target = table.targets.find((candidate) => candidate.id === id);
      if (target === undefined) throw new Error(`the ${table.name} data have no target ${id}`);
      return {
        id,
        label: target.label,
        metric: target.metric,
        ...(isPartial(target) ? { isPartial: true } : {}),
        lossWeight: (Object.hasOwn(training.lossWeights, id) ? training.lossWeights[id] : undefined) ?? 1,
        backgroundWeight: 1,
      };
    }),
  };
}

/** Encoder and decoder of a series model do not depend on sensors and tasks; one number per series is the simplest task. */
function referenceModel(model: SeriesSpec): SeriesSpec {
  const task: TaskSpec = {
    id: "reference" as TaskId,
    label: { kind: "scalar" },
    lossWeight: 1,
    backgroundWeight: 1,
  };
  return { ...model, tasks: [task] };
}

/** Whether some row has no label. Models of such tasks take a mask with every batch. */
function isPartial({ values }: SeriesTarget): boolean {
  return values.some(Number.isNaN);
}

function partialTasks({ tasks }: ClientConfig, { targets }: SeriesTable): readonly TaskId[] {
  return tasks.filter((id) => targets.some((target) => target.id === id && isPartial(target)));
}

function labelCount({ count, labels, masks }: SeriesExamples): number {
  const ofTasks = [...labels.keys()].map((task) => masks.get(task)?.reduce((sum, has) => sum + has, 0) ?? count);
  return ofTasks.reduce((sum, n) => sum + n, 0);
}

function toExamples(
  { count, series, labels, masks }: SeriesExamples,
  partial: readonly TaskId[],
  scales: ReadonlyMap<TaskId, number>,
): Examples {
  const all = new Map(partial.map((task) => [task, masks.get(task) ?? new Uint8Array(count).fill(1)]));
  return { count, inputName: "series", inputs: series, points: 1, labels, masks: all, scales };
}

/** Results by client and seed: a table is cut once, whoever asks first. */
function memoized(cut: (client: ClientConfig, seed: number, notice: OnNotice) => SiteSeries): typeof cut {
  const known = new Map<string, SiteSeries>();
  return (client, seed, notice) => {
    const key = `${seed}/${client.id}`;
    const found = known.get(key) ?? cut(client, seed, notice);
    known.set(key, found);
    return found;
  };
}
