import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parseTaskId } from "@kumiai/params";
import { HYDRAULIC_CHANNELS, HYDRAULIC_CYCLE_LENGTH } from "../series/hydraulic.js";
import type { SeriesTable, SeriesTarget } from "../series/types.js";

/** A table with one unit per entry of `unitLengths`; channel c of row r is 100·r + c, unless `valueAt` says otherwise. */
export function tableOf(
  unitLengths: readonly number[],
  options: {
    readonly channels?: readonly string[];
    readonly targets?: readonly SeriesTarget[];
    readonly valueAt?: (row: number, channel: number) => number;
    readonly conditionAt?: (row: number) => number;
    readonly conditionCount?: number;
  } = {},
): SeriesTable {
  const { channels = ["a", "b"], targets = [], valueAt = (row, channel) => 100 * row + channel } = options;
  const unitOf = Int32Array.from(unitLengths.flatMap((length, unit) => Array<number>(length).fill(unit)));
  const rowCount = unitOf.length;
  const { conditionAt, conditionCount = 1 } = options;
  return {
    name: "made-up",
    rowCount,
    channels,
    values: Float32Array.from({ length: rowCount * channels.length }, (_, i) =>
      valueAt(Math.floor(i / channels.length), i % channels.length),
    ),
    targets,
    units: unitLengths.map((_, unit) => `unit-${unit}`),
    unitOf,
    segmentOf: unitOf,
    time: Float64Array.from({ length: rowCount }, (_, row) => row),
    ...(conditionAt && { conditionOf: Uint8Array.from({ length: rowCount }, (_, row) => conditionAt(row)) }),
    conditionCount,
  };
}

export function classTarget(id: string, values: readonly number[], classNames: readonly string[]): SeriesTarget {
  const label = { kind: "classes", classCount: classNames.length } as const;
  return { id: parseTaskId(id), label, summary: id, metric: "macro-f1", classNames, values: Float64Array.from(values) };
}

export function numberTarget(id: string, values: readonly number[]): SeriesTarget {
  const label = { kind: "scalar" } as const;
  return { id: parseTaskId(id), label, summary: id, metric: "rmse", classNames: [], values: Float64Array.from(values) };
}

/** A hydraulic folder in which sensor s of cycle k reads 1000·s + k at every sample; PS1 and EPS1 are at 100 Hz, PS2 is gzip. */
export async function writeHydraulic(folder: string, profile: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "profile.txt"), `${profile.join("\n")}\n`);
  for (const [s, name] of HYDRAULIC_CHANNELS.entries()) {
    const original = name === "PS1" || name === "EPS1";
    const samples = HYDRAULIC_CYCLE_LENGTH * (original ? 100 : 1);
    const lines = profile.map((_, k) =>
      Array<number>(samples)
        .fill(1000 * s + k)
        .join("\t"),
    );
    const text = `${lines.join("\n")}\n`;
    const file = `${name}${/^(FS|PS|EPS)/.test(name) && !original ? "_1hz_mean" : ""}.txt`;
    if (name === "PS2") await writeFile(join(folder, `${file}.gz`), gzipSync(text));
    else await writeFile(join(folder, file), text);
  }
}

/** A C-MAPSS row: unit, cycle, altitude, Mach, throttle, 21 sensors. */
export function flight(unit: number, cycle: number, altitude = 0, sensor = (k: number) => k): string {
  const sensors = Array.from({ length: 21 }, (_, k) => sensor(k + 1));
  return `${[unit, cycle, altitude, 0.25, 100, ...sensors].join(" ")}  `;
}
