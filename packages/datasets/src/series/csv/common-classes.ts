import type { SeriesTable, SeriesTarget } from "../types.js";
import { byValue } from "./load-csv.js";

/**
 * Tables of several sites whose targets of the same id have the same classes in the same order: all that occur in any of the files, sorted
 * as in one file. A plant that never saw a class would otherwise number the others differently.
 */
export function withCommonClasses(tables: readonly SeriesTable[]): readonly SeriesTable[] {
  const names = new Map<string, ReadonlySet<string>>();
  for (const { id, label, classNames } of tables.flatMap(({ targets }) => targets)) {
    if (label.kind === "classes") names.set(id, new Set([...(names.get(id) ?? []), ...classNames]));
  }
  return tables.map((table) => ({
    ...table,
    targets: table.targets.map((target) => {
      const all = names.get(target.id);
      // The same set: in one order, stated or sorted.
      return all === undefined || all.size === target.classNames.length
        ? target
        : withClasses(target, [...all].sort(byValue));
    }),
  }));
}

function withClasses(target: SeriesTarget, classNames: readonly string[]): SeriesTarget {
  const rank = target.classNames.map((name) => classNames.indexOf(name));
  return {
    ...target,
    label: { kind: "classes", classCount: classNames.length },
    classNames,
    values: target.values.map((index) => (Number.isNaN(index) ? index : (rank[index] ?? Number.NaN))),
  };
}
