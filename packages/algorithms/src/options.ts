/**
 * Options of a strategy as data: each option is described once, with its default and its limits, and both the defaults
 * and the checks follow from that. What is wrong is said with the option's name, what was expected and what came.
 */
import { KumiaiError, nearestWord } from "@kumiai/params";

/** Reads one option; `path` names it for the reader. Throws INVALID_CONFIG. */
export interface OptionReader<T> {
  read(raw: unknown, path: string): T;
  readonly about: OptionAbout;
}

/** What a reader has to know of an option: plain data. */
export type OptionAbout = (
  | ({ readonly type: "number" | "whole-number"; readonly default: number } & NumberLimits)
  | { readonly type: "choice"; readonly default: string; readonly choices: readonly string[] }
  | { readonly type: "boolean"; readonly default: boolean }
  | { readonly type: "options"; readonly options: Readonly<Record<string, OptionAbout>> }
) & {
  /** A line on what it does; missing where the name says it. */
  readonly help?: string;
};

export type OptionSpec = Readonly<Record<string, OptionReader<unknown>>>;

export type OptionsOf<Spec extends OptionSpec> = {
  readonly [Name in keyof Spec]: Spec[Name] extends OptionReader<infer T> ? T : never;
};

export interface NumberLimits {
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly moreThan?: number;
  readonly lessThan?: number;
}

export function numberOption(fallback: number, limits: NumberLimits = {}, help?: string): OptionReader<number> {
  const expected = describeLimits(limits);
  return {
    about: { type: "number", default: fallback, ...limits, ...withHelp(help) },
    read(raw, path) {
      if (raw === undefined) return fallback;
      if (typeof raw !== "number" || !Number.isFinite(raw) || !within(raw, limits)) refuse(path, expected, raw);
      return raw;
    },
  };
}

/** As `numberOption`, for whole numbers that a double holds exactly. */
export function wholeNumberOption(fallback: number, limits: NumberLimits = {}, help?: string): OptionReader<number> {
  const inLimits = numberOption(fallback, limits);
  return {
    about: { type: "whole-number", default: fallback, ...limits, ...withHelp(help) },
    read(raw, path) {
      const value = inLimits.read(raw, path);
      if (!Number.isSafeInteger(value)) refuse(path, `a whole number, ${describeLimits(limits)}`, raw);
      return value;
    },
  };
}

export function choiceOption<const Choice extends string>(
  fallback: Choice,
  choices: readonly Choice[],
  help?: string,
): OptionReader<Choice> {
  return {
    about: { type: "choice", default: fallback, choices, ...withHelp(help) },
    read(raw, path) {
      if (raw === undefined) return fallback;
      const choice = choices.find((one) => one === raw);
      if (choice === undefined) refuse(path, `one of ${choices.map((one) => `"${one}"`).join(", ")}`, raw);
      return choice;
    },
  };
}

export function booleanOption(fallback: boolean, help?: string): OptionReader<boolean> {
  return {
    about: { type: "boolean", default: fallback, ...withHelp(help) },
    read(raw, path) {
      if (raw === undefined) return fallback;
      if (typeof raw !== "boolean") refuse(path, "true or false", raw);
      return raw;
    },
  };
}

/** Options within an option, e.g. those of an optimizer. */
export function nestedOption<Spec extends OptionSpec>(spec: Spec, help?: string): OptionReader<OptionsOf<Spec>> {
  return {
    about: { type: "options", options: aboutOptions(spec), ...withHelp(help) },
    read: (raw, path) => parseOptions(path, raw === undefined ? {} : raw, spec),
  };
}

/** All options of `spec` as data. */
export function aboutOptions(spec: OptionSpec): Readonly<Record<string, OptionAbout>> {
  return Object.fromEntries(Object.entries(spec).map(([name, { about }]) => [name, about]));
}

/** `spec` without some of its options, which are then no options at all. */
export function optionsWithout<Spec extends OptionSpec, const Name extends keyof Spec>(
  spec: Spec,
  names: readonly Name[],
): Omit<Spec, Name> {
  const left = Object.entries(spec).filter(([name]) => !names.some((without) => without === name));
  return Object.fromEntries(left) as Omit<Spec, Name>;
}

function withHelp(help: string | undefined): { readonly help?: string } {
  return help === undefined ? {} : { help };
}

/** Reads all options of `spec` from `raw`; what is missing takes its default. Throws INVALID_CONFIG. */
export function parseOptions<Spec extends OptionSpec>(where: string, raw: unknown, spec: Spec): OptionsOf<Spec> {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) refuse(where, "options by name", raw);
  const entries = new Map(Object.entries(raw));
  for (const name of entries.keys()) {
    if (Object.hasOwn(spec, name)) continue;
    const nearest = nearestWord(name, Object.keys(spec));
    const advice = nearest === undefined ? "no option has this name" : `did you mean "${nearest}"?`;
    refuse(`${where}.${name}`, describeNames(spec), name, advice);
  }
  const read = Object.entries(spec).map(([name, option]) => [name, option.read(entries.get(name), `${where}.${name}`)]);
  return Object.fromEntries(read) as OptionsOf<Spec>;
}

/**
 * Options as `name value` for people, nested ones by their path (`hyperOptimizer.learningRate 0.01`). Later layers override
 * earlier ones, option by option: `describeOptions(defaults, given)` is what is in force.
 */
export function describeOptions(...layers: readonly Readonly<Record<string, unknown>>[]): string {
  const values = new Map(layers.flatMap((layer) => flatten(layer, "")));
  return [...values].map(([path, value]) => `${path} ${String(value)}`).join(", ");
}

function flatten(options: object, prefix: string): [string, unknown][] {
  return Object.entries(options).flatMap(([name, value]): [string, unknown][] =>
    typeof value === "object" && value !== null ? flatten(value, `${prefix}${name}.`) : [[`${prefix}${name}`, value]],
  );
}

function describeNames(spec: OptionSpec): string {
  const names = Object.keys(spec);
  return names.length === 0 ? "no options at all" : `one of the options ${names.join(", ")}`;
}

function within(value: number, { atLeast, atMost, moreThan, lessThan }: NumberLimits): boolean {
  return (
    value >= (atLeast ?? Number.NEGATIVE_INFINITY) &&
    value <= (atMost ?? Number.POSITIVE_INFINITY) &&
    value > (moreThan ?? Number.NEGATIVE_INFINITY) &&
    value < (lessThan ?? Number.POSITIVE_INFINITY)
  );
}

/** The limits in words, e.g. `a number, 0 or more and 1 or less`. */
export function describeLimits({ atLeast, atMost, moreThan, lessThan }: NumberLimits): string {
  const parts = [
    atLeast === undefined ? [] : [`${atLeast} or more`],
    moreThan === undefined ? [] : [`more than ${moreThan}`],
    atMost === undefined ? [] : [`${atMost} or less`],
    lessThan === undefined ? [] : [`less than ${lessThan}`],
  ].flat();
  return parts.length === 0 ? "a finite number" : `a number, ${parts.join(" and ")}`;
}

function refuse(path: string, expected: string, raw: unknown, advice?: string): never {
  const received = describeReceived(raw);
  const message = `strategy option ${path}: expected ${expected}, received ${received}`;
  throw new KumiaiError("INVALID_CONFIG", advice === undefined ? message : `${message}; ${advice}`, {
    option: path,
    expected,
    received,
  });
}

function describeReceived(raw: unknown): string {
  if (raw === undefined) return "nothing";
  if (typeof raw === "number") return String(raw);
  const text = JSON.stringify(raw) ?? String(raw);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
