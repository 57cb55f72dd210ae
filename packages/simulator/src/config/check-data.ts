/** Rules of the data section: which tasks and client keys go with which kind of data, and where its files are. */
import { DOMAIN_TASKS, HYDRAULIC_CHANNELS, SCENE_TASKS } from "@kumiai/datasets";
import { nearestWord, parseTaskId } from "@kumiai/params";
import { checkSiteScenes, SCENE_KEYS } from "./check-site-scenes.js";
import { locateId, refuse, showPath } from "./issues.js";
import { type ConfigPath, type LocatedYaml, valueAt } from "./located.js";
import type { CsvTargetConfig, DataConfig, SiteScenes, SiteSeries } from "./scenario.js";
import type { RawScenario } from "./schema.js";

type RawClient = RawScenario["clients"][number];

/** Training examples of a site of scenes that does not say how many. */
const DEFAULT_SCENES = 40;

/** The data section; `resolve` makes paths of the file absolute. */
export function checkData({ data }: RawScenario, yaml: LocatedYaml, resolve: (path: string) => string): DataConfig {
  checkSections(data.kind, yaml);
  if (data.kind === "scenes") return data;
  if (data.kind !== "csv") return { ...data, folder: data.folder === undefined ? null : resolve(data.folder) };
  const names = Object.keys(data.targets);
  if (names.length === 0) {
    refuse(yaml, "INVALID_CONFIG", {
      path: ["data", "targets"],
      expected: "at least one target",
      received: "none",
      advice: "name a column that is to be predicted",
    });
  }
  checkColumns(data, yaml);
  return {
    ...data,
    file: data.file === undefined ? null : resolve(data.file),
    unit: data.unit ?? null,
    time: data.time ?? null,
    maxTimeStep: data.maxTimeStep ?? null,
    missing: data.missing ?? null,
    sensors: data.sensors ?? null,
    targets: Object.fromEntries(
      Object.entries(data.targets).map(([name, target]): [string, CsvTargetConfig] => [
        name,
        {
          kind: target.kind,
          column: target.column ?? name,
          classes: target.classes?.map(String) ?? null,
          positive: target.positive === undefined ? null : String(target.positive),
          metric: target.metric ?? null,
        },
      ]),
    ),
  };
}

/** Outside of `data`: what only scenes, or only series, have. */
const SECTIONS_OF = {
  scenes: [
    { path: ["scenes"], advice: "remove it; data.window says what an example is" },
    { path: ["evaluation", "testCount"], advice: "remove it; data.split says what is tested on" },
    { path: ["training", "backgroundLossWeight"], advice: "remove it; only semseg of scenes has a background" },
  ],
  series: [
    { path: ["model", "stem"], advice: "remove it; only models of series have one" },
    { path: ["model", "encoder", "kernel"], advice: "remove it; kernels for scenes are 3 by 3" },
  ],
} as const;

/** What is written and would be read by nobody. */
function checkSections(kind: DataConfig["kind"], yaml: LocatedYaml): void {
  for (const { path, advice } of SECTIONS_OF[kind === "scenes" ? "series" : "scenes"]) {
    const received = valueAt(yaml.value, path);
    if (received === undefined) continue;
    refuse(yaml, "INVALID_CONFIG", {
      path,
      expected: `no ${showPath(path)} with data of kind "${kind}"`,
      received,
      advice,
    });
  }
}

type RawCsv = Extract<RawScenario["data"], { readonly kind: "csv" }>;

/** What can be told of columns and targets without the file. */
function checkColumns(data: RawCsv, yaml: LocatedYaml): void {
  const roles: { readonly column: string; readonly path: ConfigPath }[] = [
    ...(data.unit === undefined ? [] : [{ column: data.unit, path: ["data", "unit"] }]),
    ...(data.time === undefined ? [] : [{ column: data.time, path: ["data", "time"] }]),
    ...data.ignore.map((column, index) => ({ column, path: ["data", "ignore", index] })),
    ...(data.sensors ?? []).map((column, index) => ({ column, path: ["data", "sensors", index] })),
  ];
  for (const [name, target] of Object.entries(data.targets)) {
    roles.push({ column: target.column ?? name, path: ["data", "targets", name] });
    locateId(yaml, ["data", "targets", name], () => parseTaskId(name));
    checkTarget(target, ["data", "targets", name], yaml);
  }
  if (data.decimal === data.delimiter) {
    refuse(yaml, "INVALID_CONFIG", {
      path: ["data", "decimal"],
      expected: 'another mark than data.delimiter (default: ",")',
      received: data.decimal,
      advice: 'set the delimiter that the file has, e.g. delimiter: ";"',
    });
  }
  if (data.maxTimeStep !== undefined && data.time === undefined) {
    refuse(yaml, "INVALID_CONFIG", {
      path: ["data", "maxTimeStep"],
      expected: "a column of times to measure steps in",
      received: data.maxTimeStep,
      advice: "name it under data.time, or remove this",
    });
  }
  const known = new Map<string, ConfigPath>();
  for (const { column, path } of roles) {
    const first = known.get(column);
    if (first === undefined) {
      known.set(column, path);
      continue;
    }
    refuse(yaml, "INVALID_CONFIG", {
      path,
      expected: "one role for a column",
      received: column,
      advice: `it stands in ${showPath(first)} too; remove one`,
    });
  }
  try {
    new TextDecoder(data.encoding);
  } catch {
    refuse(yaml, "INVALID_CONFIG", {
      path: ["data", "encoding"],
      expected: "a name such as utf-8 or shift_jis",
      received: data.encoding,
      advice: "change it",
    });
  }
}

const METRICS_OF = {
  classes: ["macro-f1", "auroc"],
  binary: ["auroc", "macro-f1"],
  number: ["rmse", "mae", "phm08"],
} as const;

function checkTarget(target: RawCsv["targets"][string], path: ConfigPath, yaml: LocatedYaml): void {
  const { kind, metric, classes, positive } = target;
  const metrics: readonly string[] = METRICS_OF[kind];
  if (metric !== undefined && !metrics.includes(metric)) {
    refuse(yaml, "INVALID_CONFIG", {
      path: [...path, "metric"],
      expected: `one of ${metrics.join(", ")} for a target of kind ${kind}`,
      received: metric,
      advice: "change it, or the kind",
    });
  }
  for (const [key, value, wanted] of [
    ["classes", classes, "classes"],
    ["positive", positive, "binary"],
  ] as const) {
    if (value === undefined || kind === wanted) continue;
    refuse(yaml, "INVALID_CONFIG", {
      path: [...path, key],
      expected: `nothing, since only a target of kind ${wanted} has it`,
      received: value,
      advice: `remove it, or set kind: ${wanted}`,
    });
  }
}

/** Tasks that a site of these data can have. */
export function tasksOfData(data: RawScenario["data"]): readonly string[] {
  switch (data.kind) {
    case "scenes":
      return SCENE_TASKS.map(({ id }) => id);
    case "hydraulic":
      return HYDRAULIC_TASKS;
    case "cmapss":
      return CMAPSS_TASKS;
    case "csv":
      return Object.keys(data.targets);
  }
}

/** Factors of losses are of tasks that there are. */
export function checkLossWeights({ data, training }: RawScenario, yaml: LocatedYaml): Readonly<Record<string, number>> {
  const known = tasksOfData(data);
  for (const task of Object.keys(training.lossWeights)) {
    if (known.includes(task) || (data.kind !== "scenes" && task === "normals")) continue;
    const nearest = nearestWord(task, known);
    refuse(yaml, "INVALID_CONFIG", {
      path: ["training", "lossWeights", task],
      expected: `one of ${known.join(", ")}`,
      received: task,
      advice: nearest === undefined ? "use one of these" : `did you mean "${nearest}"?`,
    });
  }
  return Object.fromEntries(Object.entries(training.lossWeights).filter(([task]) => known.includes(task)));
}

const HYDRAULIC_TASKS = ["cooler", "valve", "pump", "accumulator", "stable"];
const CMAPSS_TASKS = ["rul", "health"];

/** Keys of a client that only some kinds of data know. */
const SERIES_KEYS = ["sensors", "where", "period", "blocks", "subset", "units", "file"] as const;

export interface SiteData {
  readonly domain: string;
  readonly trainCount: number;
  readonly series: SiteSeries | null;
  readonly scenes?: SiteScenes;
}

/** What a client says about its data. */
export function checkSiteData(
  raw: RawScenario,
  index: number,
  yaml: LocatedYaml,
  resolve: (path: string) => string,
): SiteData {
  const client = raw.clients[index] as RawClient;
  const { data } = raw;
  if (data.kind === "scenes") return checkScenes(client, index, yaml);
  checkKeys(client, index, data.kind, yaml);
  const [from, to] = client.period;
  if (from >= to) {
    refuse(yaml, "INVALID_CONFIG", {
      path: ["clients", index, "period"],
      expected: "a start before the end",
      received: client.period,
      advice: "give e.g. [0, 0.5] for the first half",
    });
  }
  const [take = 0, of = 1] = client.blocks ?? [];
  if (take >= of) {
    refuse(yaml, "INVALID_CONFIG", {
      path: ["clients", index, "blocks"],
      expected: "[take, of] with take below of",
      received: client.blocks,
      advice: "give e.g. [0, 4] for the first of every four blocks",
    });
  }
  for (const [i, sensor] of (data.kind === "hydraulic" ? (client.sensors ?? []) : []).entries()) {
    if (HYDRAULIC_CHANNELS.includes(sensor)) continue;
    refuse(yaml, "INVALID_CONFIG", {
      path: ["clients", index, "sensors", i],
      expected: `one of ${HYDRAULIC_CHANNELS.join(", ")}`,
      received: sensor,
      advice: `did you mean "${nearestWord(sensor, HYDRAULIC_CHANNELS) ?? HYDRAULIC_CHANNELS[0]}"?`,
    });
  }
  if (data.kind === "csv" && data.file === undefined && client.file === undefined) {
    refuse(yaml, "INVALID_CONFIG", {
      path: ["clients", index],
      expected: "a file, here or under data.file",
      received: "neither",
      advice: "name the CSV file",
    });
  }
  return {
    domain: client.domain ?? data.kind,
    trainCount: client.trainCount ?? Number.POSITIVE_INFINITY,
    series: {
      sensors: client.sensors ?? (data.kind === "csv" ? (data.sensors ?? null) : null),
      where: Object.fromEntries(Object.entries(client.where).map(([name, values]) => [name, values.map(String)])),
      period: client.period,
      blocks: client.blocks ?? null,
      subset: client.subset ?? null,
      ...(client.units && { units: client.units.map(String) }),
      file: client.file === undefined ? null : resolve(client.file),
    },
  };
}

function checkScenes(client: RawClient, index: number, yaml: LocatedYaml): SiteData {
  const domains = Object.keys(DOMAIN_TASKS);
  if (client.domain === undefined || !domains.includes(client.domain)) {
    refuse(yaml, "INVALID_CONFIG", {
      path: client.domain === undefined ? ["clients", index] : ["clients", index, "domain"],
      expected: `${client.domain === undefined ? "a domain: " : ""}one of ${domains.map((name) => `"${name}"`).join(", ")}`,
      received: client.domain ?? "none",
      advice: "use one of these",
    });
  }
  checkKeys(client, index, "scenes", yaml);
  return {
    domain: client.domain,
    trainCount: client.trainCount ?? DEFAULT_SCENES,
    series: null,
    ...checkSiteScenes(client, index, yaml),
  };
}

/** Refuses keys that would be read by nobody. */
function checkKeys(client: RawClient, index: number, kind: DataConfig["kind"], yaml: LocatedYaml): void {
  const known: readonly string[] =
    kind === "scenes"
      ? SCENE_KEYS
      : SERIES_KEYS.filter(
          (key) => (kind === "csv" || (key !== "file" && key !== "units")) && (kind === "cmapss" || key !== "subset"),
        );
  for (const key of [...SERIES_KEYS, ...SCENE_KEYS]) {
    const value = client[key];
    const isGiven =
      key === "where"
        ? Object.keys(client.where).length > 0
        : key === "period"
          ? value?.toString() !== "0,1"
          : value !== undefined;
    if (!isGiven || known.includes(key)) continue;
    refuse(yaml, "INVALID_CONFIG", {
      path: ["clients", index, key],
      expected: `no ${key} with data of kind "${kind}"`,
      received: value,
      advice: isSceneKey(key) ? "remove it; only scenes can be made to differ by it" : "remove it",
    });
  }
}

function isSceneKey(key: string): boolean {
  return (SCENE_KEYS as readonly string[]).includes(key);
}
