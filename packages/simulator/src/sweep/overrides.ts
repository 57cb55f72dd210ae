/**
 * Values of a scenario that a sweep replaces, named by paths such as `training.rounds`, `clients[*].trainCount`, `clients[2].tasks` or
 * `clients[press-shop].trainCount`: the notation of errors, with `*` for every item of a list and an `id` for one of them.
 */
import { nearestWord } from "@kumiai/params";
import { type Complaint, showPath } from "../config/issues.js";
import { type ConfigPath, type LocatedYaml, valueAt } from "../config/located.js";

/** What is wrong with a path, for `refuse`. */
export type Trouble = Pick<Complaint, "expected" | "received" | "advice">;

/** The places of `root` that `text` names, at least one; or what is wrong with it. */
export function placesOf(root: unknown, text: string): readonly ConfigPath[] | Trouble {
  const steps = stepsOf(text);
  if (steps === null) {
    return {
      expected: "a path like training.rounds, clients[*].trainCount or clients[some-id].tasks",
      received: text,
      advice: "write it like one of these",
    };
  }
  let places: readonly ConfigPath[] = [[]];
  for (const step of steps) {
    const next: ConfigPath[] = [];
    for (const place of places) {
      const found = follow(root, place, step);
      if ("expected" in found) return found;
      next.push(...found);
    }
    places = next;
  }
  return places;
}

interface Step {
  readonly kind: "key" | "item";
  readonly name: string;
}

function stepsOf(text: string): readonly Step[] | null {
  const steps: Step[] = [];
  const pattern = /(?:^|\.)([a-z][a-z0-9_-]*)|\[([^\]]+)\]/giy;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) return null;
    const [, key, item] = match;
    if (key === undefined && steps.length === 0) return null;
    steps.push(key === undefined ? { kind: "item", name: item ?? "" } : { kind: "key", name: key });
  }
  return steps.length === 0 ? null : steps;
}

function follow(root: unknown, place: ConfigPath, { kind, name }: Step): readonly ConfigPath[] | Trouble {
  const value = valueAt(root, place);
  const at = showPath(place);
  if (kind === "key") {
    // A map that is not there yet is made; whether the scenario may have it is for the scenario's schema to say.
    if (value === undefined || value === null || isMap(value)) return [[...place, name]];
    return { expected: `a map at ${at}, to set "${name}" in`, received: value, advice: "check the path" };
  }
  if (!Array.isArray(value)) {
    return { expected: `a list at ${at}`, received: value, advice: "the base scenario has none there; check the path" };
  }
  if (name === "*") return value.map((_, index) => [...place, index]);
  const index = /^\d+$/.test(name) ? Number(name) : value.findIndex((item) => isMap(item) && item.id === name);
  if (index >= 0 && index < value.length) return [[...place, index]];
  const ids = value.flatMap((item) => (isMap(item) && typeof item.id === "string" ? [item.id] : []));
  const nearest = nearestWord(name, ids);
  return {
    expected: `*, a number below ${value.length}${ids.length === 0 ? "" : ` or an id of ${at}`}`,
    received: name,
    advice: nearest === undefined ? "name one that the base scenario has" : `did you mean "${nearest}"?`,
  };
}

/** Sets what stands at `place`, making maps on the way where there are none. Changes `root`. */
export function setAt(root: unknown, place: ConfigPath, value: unknown): void {
  let current = root as Record<string | number, unknown>;
  for (const part of place.slice(0, -1)) {
    // Only what is its own: `constructor` is a name like any other, and a mistake that the scenario's schema must see.
    if (!Object.hasOwn(current, part) || current[part] === null) current[part] = {};
    current = current[part] as Record<string | number, unknown>;
  }
  const last = place.at(-1);
  if (last !== undefined) current[last] = structuredClone(value);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value of one file that stands in place of a value of another. */
export interface Change {
  /** In the changed document. */
  readonly place: ConfigPath;
  /** Where the new value is written in the file that changes it; null: in no file. */
  readonly origin: ConfigPath | null;
}

/** `base` with `value` in place of its own, in which what `changes` lists is located in `source`: errors name the line that is wrong. */
export function changedYaml(
  base: LocatedYaml,
  {
    value,
    source,
    changes,
  }: { readonly value: unknown; readonly source: LocatedYaml; readonly changes: readonly Change[] },
): LocatedYaml {
  const originOf = (path: ConfigPath): ConfigPath | null => {
    const change = changes.findLast(({ place }) => place.every((part, i) => part === path[i]));
    if (change !== undefined)
      return change.origin === null ? null : [...change.origin, ...path.slice(change.place.length)];
    // A map that was made on the way to a change is the change's.
    if (valueAt(base.value, path) !== undefined) return null;
    return changes.find(({ place }) => path.every((part, i) => part === place[i]))?.origin ?? null;
  };
  const ownOffset = (path: ConfigPath): number => AFTER_BASE + source.offsetOf(path);
  return {
    value,
    where(path) {
      const origin = originOf(path);
      return origin === null ? base.where(path) : source.where(origin);
    },
    whereKey(path, key) {
      const origin = originOf([...path, key]);
      return origin === null ? base.whereKey(path, key) : source.where(origin);
    },
    offsetOf(path) {
      const origin = originOf(path);
      return origin === null ? base.offsetOf(path) : ownOffset(origin);
    },
  };
}

/** Complaints about changes come after those about the base. */
const AFTER_BASE = 2 ** 40;
