/**
 * Which roles the columns of a CSV file have, for all sites that share it. Sites may have files of their own, with other sensors and
 * other targets; what a file is asked for is what its sites name.
 */
import type { CsvFormat, CsvRoles, CsvTarget } from "@kumiai/datasets";
import type { ClientConfig, CsvConfig, CsvTargetConfig } from "../config/scenario.js";

/** The file of a site. */
export function csvFileOf(data: CsvConfig, client: ClientConfig): string {
  return client.series?.file ?? data.file ?? "";
}

/** How the text of all files is to be read. */
export function csvFormatOf({ delimiter, decimal, header, encoding, missing }: CsvConfig): CsvFormat {
  return { delimiter, decimal, header, encoding, ...(missing !== null && { missing }) };
}

export function csvRolesOf(data: CsvConfig, clients: readonly ClientConfig[]): CsvRoles {
  const targets = neededTargets(clients);
  const entries = Object.entries(data.targets);
  const others = entries.filter(([id]) => !targets.has(id)).map(([, target]) => target.column);
  const sensors = neededSensors(clients);
  return {
    ...csvFormatOf(data),
    ...(data.unit !== null && { unit: data.unit }),
    ...(data.time !== null && { time: data.time }),
    ...(data.maxTimeStep !== null && { maxTimeStep: data.maxTimeStep }),
    ...(sensors !== undefined && { sensors }),
    targets: Object.fromEntries(
      entries.filter(([id]) => targets.has(id)).map(([id, target]): [string, CsvTarget] => [id, targetOf(target)]),
    ),
    // Of several files, one need not have all columns; labels must not become sensors.
    ...(isShared(data, clients)
      ? { ignore: data.ignore, ignoreIfPresent: others }
      : { ignoreIfPresent: [...data.ignore, ...others] }),
  };
}

/** Whether the file is the scenario's own, so that everything it says has to be there. */
function isShared(data: CsvConfig, clients: readonly ClientConfig[]): boolean {
  return clients.every((client) => client.series?.file === null || client.series?.file === data.file);
}

function neededTargets(clients: readonly ClientConfig[]): ReadonlySet<string> {
  return new Set(clients.flatMap(({ tasks, series }) => [...tasks, ...Object.keys(series?.where ?? {})]));
}

/** Sensors that any of the sites names; undefined: all columns without another role. */
function neededSensors(clients: readonly ClientConfig[]): readonly string[] | undefined {
  const named = clients.map((client) => client.series?.sensors ?? null);
  return named.includes(null) ? undefined : [...new Set(named.flatMap((sensors) => sensors ?? []))];
}

function targetOf({ column, kind, classes, positive, metric }: CsvTargetConfig): CsvTarget {
  return {
    column,
    kind,
    ...(classes !== null && { classes }),
    ...(positive !== null && { positive }),
    ...(metric !== null && { metric }),
  };
}
