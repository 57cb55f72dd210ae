/**
 * Sensor series of plants: one table for all sites or one each, cut into windows and blocks of time once per seed. All sites of a
 * table share its split, so that nobody trains on what somebody is tested on.
 */
import { join } from "node:path";
import {
  loadCmapss,
  loadHydraulic,
  type OnNotice,
  type SeriesExamples,
  type SeriesSelection,
  type SeriesTable,
  type SeriesTarget,
  type SiteSeries,
  selectWindows,
  type WindowSet,
  windowsOf,
} from "@kumiai/datasets";
import { nearestWord, type TaskId } from "@kumiai/params";
import { locating, refuse } from "../config/issues.js";
import type { ConfigPath } from "../config/located.js";
import type { ClientConfig, Scenario, SeriesConfig } from "../config/scenario.js";
import { contentHash } from "../content-hash.js";
import type { Examples } from "../examples.js";
import type { ModelSpec, SeriesSpec, TaskSpec } from "../model.js";
import { csvFileOf } from "./csv-roles.js";
import { loadCsvTables } from "./csv-tables.js";
import { cutSite } from "./cut-site.js";
import type { DataSource, OpenDataOptions } from "./source.js";

/** Steps of a hydraulic cycle. */
const HYDRAULIC_LENGTH = 60;

/** Loads every table that a client names, once. Throws as the loaders do. */
export async function openSeriesSource(scenario: Scenario, options: OpenDataOptions): Promise<DataSource> {
  const data = scenario.data as SeriesConfig;
  const notice = sayOnce(options.onNotice ?? (() => {}));
  const tables = new Map<string, WindowSet>();
  for (const [key, table] of await loadTables(scenario, data, { ...options, onNotice: notice })) {
    tables.set(
      key,
      locating(scenario, ["data", "window", "length"], () => windowsOf(table, windowing(data))),
    );
  }
  const windowsFor = (client: ClientConfig): WindowSet => {
    const windows = tables.get(tableKey(data, client));
    if (windows === undefined) throw new Error(`no table was loaded for client ${client.id}`);
    return windows;
  };
  for (const [index, client] of scenario.clients.entries()) checkSelection(scenario, index, windowsFor(client));
  const site = memoized((client: ClientConfig, seed: number, notice: OnNotice) =>
    cutSite(windowsFor(client), client, { scenario, data, seed, notice }),
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

/** By key, each once. */
async function loadTables(
  scenario: Scenario,
  data: SeriesConfig,
  options: OpenDataOptions & { readonly onNotice: OnNotice },
): Promise<ReadonlyMap<string, SeriesTable>> {
  if (data.kind === "csv") return loadCsvTables(scenario, data, options.onNotice);
  const folder = folderOf(data.folder, data.kind, options);
  const setting = "data.folder in the scenario, or --data";
  const tables = new Map<string, SeriesTable>();
  for (const key of new Set(scenario.clients.map((client) => tableKey(data, client)))) {
    const load =
      data.kind === "hydraulic"
        ? loadHydraulic(folder, { setting })
        : loadCmapss(folder, key as Parameters<typeof loadCmapss>[1], { setting });
    tables.set(key, await load);
  }
  return tables;
}

/** Whether the data have what a client says that it takes of them. */
function checkSelection(scenario: Scenario, index: number, windows: WindowSet): void {
  const { where = {}, units, sensors } = scenario.clients[index]?.series ?? {};
  const check = (path: ConfigPath, selection: SeriesSelection): unknown =>
    locating(scenario, ["clients", index, ...path], () => selectWindows(windows, selection, []));
  for (const [id, values] of Object.entries(where)) check(["where", id], { where: { [id]: values } });
  for (const [i, unit] of (units ?? []).entries()) check(["units", i], { units: [unit] });
  const { channels, name } = windows.table;
  const unknown = sensors?.findIndex((sensor) => !channels.includes(sensor)) ?? -1;
  if (unknown < 0) return;
  const received = sensors?.[unknown] ?? "";
  const nearest = nearestWord(received, channels);
  refuse(scenario, "INVALID_CONFIG", {
    path: ["clients", index, "sensors", unknown],
    expected: `a channel of the ${name} data: ${channels.join(", ")}`,
    received,
    advice: nearest === undefined ? "use one of these" : `did you mean "${nearest}"?`,
  });
}

function folderOf(folder: string | null, name: string, { dataDir }: OpenDataOptions): string {
  return folder ?? join(dataDir, name);
}

function windowing(data: SeriesConfig) {
  return data.kind === "hydraulic" ? { length: HYDRAULIC_LENGTH, stride: HYDRAULIC_LENGTH } : data.window;
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
