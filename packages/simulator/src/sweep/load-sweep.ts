/** Sweep files: YAML in, a checked `Sweep` out, every degree's scenario included. Complaints name the line, in whichever file it is. */
import { dirname, resolve } from "node:path";
import { BASELINE_STRATEGY } from "../compare.js";
import { invalidConfig, locating, refuse } from "../config/issues.js";
import { type ConfigPath, type LocatedYaml, parseLocatedYaml } from "../config/located.js";
import { readConfigFile, scenarioOfYaml } from "../config/parse.js";
import { resolveStrategies } from "../named-strategies.js";
import { type Change, changedYaml, placesOf, setAt } from "./overrides.js";
import type { Sweep, SweepDegree } from "./sweep.js";
import { type RawSweep, SWEEP_FILE, sweepSchema } from "./sweep-schema.js";

/** Reads and checks a sweep file and its base. Throws as `parseSweep`, or FILE_NOT_FOUND, FILE_UNREADABLE. */
export async function loadSweep(file: string): Promise<Sweep> {
  const yaml = parseLocatedYaml(await readConfigFile(file, "a sweep file"), file);
  const raw = checkShape(yaml, file);
  const baseFile = resolve(dirname(file), raw.base);
  return sweepOf(raw, yaml, {
    file: baseFile,
    text: await readConfigFile(baseFile, "the sweep's base, a scenario file"),
  });
}

/** A scenario file that has been read. */
export interface BaseText {
  /** Paths in the scenario are relative to its folder. */
  readonly file: string;
  readonly text: string;
}

/** Parses the text of a sweep file. Throws INVALID_CONFIG, INVALID_ID, UNKNOWN_TASK or UNKNOWN_STRATEGY. */
export function parseSweep(text: string, file: string, base: BaseText): Sweep {
  const yaml = parseLocatedYaml(text, file);
  return sweepOf(checkShape(yaml, file), yaml, base);
}

function checkShape(yaml: LocatedYaml, file: string): RawSweep {
  const parsed = sweepSchema.safeParse(yaml.value);
  if (!parsed.success) throw invalidConfig(parsed.error.issues, yaml, SWEEP_FILE, file);
  return parsed.data;
}

function sweepOf(raw: RawSweep, yaml: LocatedYaml, base: BaseText): Sweep {
  checkLists(raw, yaml);
  checkPositions(raw, yaml);
  const baseYaml = parseLocatedYaml(base.text, base.file);
  scenarioOfYaml(baseYaml, base.file); // The base is whole without its changes; else they would be blamed for it.
  const degrees = raw.degrees.map((_, index) => degreeOf(raw, index, yaml, { ...base, yaml: baseYaml }));
  checkMeanings(degrees, yaml);
  checkStrategyNames(raw, degrees, yaml);
  const { name, description, axis, strategies, seeds } = raw;
  return {
    name,
    description,
    base: raw.base,
    axis: { label: axis.label, scale: axis.scale },
    strategies,
    seeds,
    degrees,
  };
}

function checkLists({ strategies, seeds }: RawSweep, yaml: LocatedYaml): void {
  for (const [key, list] of Object.entries({ strategies, seeds })) {
    const twice = list.findIndex((one, index) => (list as readonly unknown[]).indexOf(one) !== index);
    if (twice < 0) continue;
    refuse(yaml, "INVALID_CONFIG", {
      path: [key, twice],
      expected: "each once",
      received: list[twice],
      advice: "remove the repetition",
    });
  }
  if (strategies.includes(BASELINE_STRATEGY)) return;
  refuse(yaml, "INVALID_CONFIG", {
    path: ["strategies"],
    expected: `"${BASELINE_STRATEGY}" among them, which gains are relative to`,
    received: strategies,
    advice: "add it",
  });
}

/** Numbers that ascend, or texts that differ: a line from degree to degree must mean something, and each needs a folder. */
function checkPositions({ axis, degrees }: RawSweep, yaml: LocatedYaml): void {
  degrees.forEach(({ at }, index) => {
    const complain = (expected: string, advice: string): never =>
      refuse(yaml, "INVALID_CONFIG", { path: ["degrees", index, "at"], expected, received: at, advice });
    const earlier = degrees.slice(0, index).map((degree) => degree.at);
    if (axis.scale !== "category") {
      const lowest = axis.scale === "log" ? "a number above 0" : "a number";
      if (typeof at !== "number" || (axis.scale === "log" && at <= 0)) {
        complain(`${lowest} (axis.scale is ${axis.scale})`, 'write a number, or set axis.scale to "category"');
      }
      const last = earlier.at(-1);
      if (typeof last === "number" && typeof at === "number" && at <= last)
        complain(`more than ${last}`, "put degrees in order");
    }
    if (earlier.some((other) => slugOf(other) === slugOf(at)))
      complain("one that differs from those before in letters or digits", "change it");
  });
}

/** Each is known at every degree. */
function checkStrategyNames({ strategies }: RawSweep, degrees: readonly SweepDegree[], yaml: LocatedYaml): void {
  for (const [index, name] of strategies.entries()) {
    for (const { scenario } of degrees) {
      locating(yaml, ["strategies", index], () => resolveStrategies(scenario, [name]));
    }
  }
}

/** A path that was forgotten would give the same numbers at every degree. */
function checkMeanings(degrees: readonly SweepDegree[], yaml: LocatedYaml): void {
  const same = findSameDegrees(degrees);
  if (same === undefined) return;
  refuse(yaml, "INVALID_CONFIG", {
    path: ["degrees", same.second],
    expected: `a scenario that differs from that of degree ${degrees[same.first]?.label}`,
    received: degrees[same.second]?.at,
    advice: "give axis.path, or what is different in the degree's clients or set",
  });
}

/** Indices of two degrees whose scenarios differ in nothing but the name. */
export function findSameDegrees(
  degrees: readonly SweepDegree[],
): { readonly first: number; readonly second: number } | undefined {
  const known = new Map<string, number>();
  for (const [second, { scenario }] of degrees.entries()) {
    const { name: _name, ...meaning } = scenario;
    const text = JSON.stringify(meaning);
    const first = known.get(text);
    if (first !== undefined) return { first, second };
    known.set(text, second);
  }
  return undefined;
}

interface Base extends BaseText {
  readonly yaml: LocatedYaml;
}

function degreeOf(raw: RawSweep, index: number, yaml: LocatedYaml, base: Base): SweepDegree {
  const degree = raw.degrees[index] as RawSweep["degrees"][number];
  const slug = slugOf(degree.at);
  const value = structuredClone(base.yaml.value);
  const changes: Change[] = [{ place: ["name"], origin: null }];
  setAt(value, ["name"], `${raw.name}-${slug}`.slice(0, 63));
  const change = (places: readonly ConfigPath[], to: unknown, origin: ConfigPath): void => {
    for (const place of places) {
      setAt(value, place, to);
      changes.push({ place, origin });
    }
  };
  const changeBy = (path: string, to: unknown, origin: ConfigPath, named: ConfigPath): void => {
    const places = placesOf(value, path);
    if ("expected" in places) refuse(yaml, "INVALID_CONFIG", { path: named, ...places });
    change(places, to, origin);
  };
  if (degree.clients !== undefined) change([["clients"]], degree.clients, ["degrees", index, "clients"]);
  const at = ["degrees", index, "at"];
  if (raw.axis.path !== undefined) changeBy(raw.axis.path, degree.at, at, ["axis", "path"]);
  for (const [path, to] of Object.entries(degree.set)) {
    const origin = ["degrees", index, "set", path];
    changeBy(path, to, origin, origin);
  }
  const scenario = scenarioOfYaml(changedYaml(base.yaml, { value, source: yaml, changes }), base.file);
  // Without its place in the list: a degree that is put in later must not move the finished runs of those after it.
  return { at: degree.at, label: degree.label ?? String(degree.at), folder: `at-${slug}`, scenario };
}

/** As a part of names of files and scenarios. */
function slugOf(at: number | string): string {
  const slug = String(at)
    .toLowerCase()
    .replace(/^-(?=[0-9])/, "minus-")
    .replace(/[^a-z0-9.]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  return slug === "" ? "degree" : slug;
}
