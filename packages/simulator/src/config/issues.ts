/** zod's findings as sentences of the form `file:line:col: path: expected …, received …; what to do`. */
import { type ErrorCode, KumiaiError, nearestWord } from "@kumiai/params";
import type { z } from "zod";
import { type ConfigPath, type LocatedYaml, type Places, valueAt } from "./located.js";
import { CODEC_CHOICES } from "./traffic-schema.js";

interface Finding {
  readonly offset: number;
  readonly text: string;
}

/** What is known of a kind of file, for advice. */
export interface ConfigKind {
  /** Keys that the map at `path` may have. */
  knownKeysAt(path: ConfigPath): readonly string[];
  /** What a file has to be, e.g. `a map with "name" and "clients"`. */
  readonly whole: string;
  /** Where good ones are, e.g. `examples/scenes`. */
  readonly examples: string;
}

/** Complaints shown at once; more would not be read. */
const SHOWN_ISSUE_COUNT = 10;

/** zod's findings as one INVALID_CONFIG. */
export function invalidConfig(
  issues: readonly z.core.$ZodIssue[],
  yaml: LocatedYaml,
  kind: ConfigKind,
  file: string,
): KumiaiError {
  const findings = describeIssues(issues, yaml, kind).map((finding) => finding.text);
  const hidden = findings.length - SHOWN_ISSUE_COUNT;
  const shown = findings.slice(0, SHOWN_ISSUE_COUNT).join("\n");
  return new KumiaiError("INVALID_CONFIG", hidden > 0 ? `${shown}\n(and ${hidden} more)` : shown, {
    file,
    issueCount: findings.length,
  });
}

export interface Complaint {
  readonly path: ConfigPath;
  readonly expected: string;
  readonly received: unknown;
  readonly advice: string;
}

/** Throws `code` with a sentence of the house form. */
export function refuse(places: Places, code: ErrorCode, complaint: Complaint): never {
  const { path, expected, received, advice } = complaint;
  throw new KumiaiError(
    code,
    `${places.where(path)}: ${showPath(path)}: expected ${expected}, received ${showValue(received)}; ${advice}`,
    { path: showPath(path) },
  );
}

/** `error` with the place that it is about in front; anything without a code as it is. */
export function placed(error: unknown, places: Places, path: ConfigPath): unknown {
  if (!(error instanceof KumiaiError)) return error;
  const { code, message, details, cause } = error;
  return new KumiaiError(code, `${places.where(path)}: ${showPath(path)}: ${message}`, details, cause);
}

/** What `act` gives; its complaints with the place that they are about. */
export function locating<T>(places: Places, path: ConfigPath, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw placed(error, places, path);
  }
}

/** One sentence for each issue, in the order of the file. */
function describeIssues(issues: readonly z.core.$ZodIssue[], yaml: LocatedYaml, kind: ConfigKind): readonly Finding[] {
  return issues.flatMap((issue) => describeIssue(issue, yaml, kind)).sort((a, b) => a.offset - b.offset);
}

/** `clients[2].tasks` for a reader. */
export function showPath(path: ConfigPath): string {
  let out = "";
  for (const part of path) out += typeof part === "number" ? `[${part}]` : out === "" ? part : `.${part}`;
  return out === "" ? "(the whole file)" : out;
}

/** A value as it stood in the file, cut short. */
export function showValue(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function describeIssue(issue: z.core.$ZodIssue, yaml: LocatedYaml, kind: ConfigKind): Finding[] {
  const path = issue.path.filter((part): part is string | number => typeof part !== "symbol");
  const offset = yaml.offsetOf(path);
  if (issue.code === "unrecognized_keys") {
    const known = kind.knownKeysAt(path);
    return issue.keys.map((key) => {
      const others = [...new Set(known)].filter((other) => other !== key);
      const nearest = nearestWord(key, others);
      const advice = known.includes(key)
        ? "it goes with another choice in this section (such as its name, kind or codec); remove it or choose that one"
        : nearest === undefined
          ? `remove it, or use one of ${others.join(", ")}`
          : `did you mean "${nearest}"?`;
      const at = yaml.whereKey(path, key);
      return {
        offset,
        text: `${at}: ${showPath([...path, key])}: expected a known key, received "${key}"; ${advice}`,
      };
    });
  }
  const received = valueAt(yaml.value, path);
  const { expected, advice } = expectationOf(issue, path, received, kind);
  return [
    {
      offset,
      text: `${yaml.where(path)}: ${showPath(path)}: expected ${expected}, received ${showValue(received ?? undefined)}; ${advice}`,
    },
  ];
}

function expectationOf(
  issue: z.core.$ZodIssue,
  path: ConfigPath,
  received: unknown,
  { whole, examples }: ConfigKind,
): { readonly expected: string; readonly advice: string } {
  const last = path.at(-1);
  const subject = typeof last === "string" ? last : "value";
  const advice = received === undefined ? `add "${subject}"` : "change it";
  switch (issue.code) {
    case "invalid_type":
      if (path.length === 0) return { expected: whole, advice: `see ${examples}` };
      return { expected: describeType(issue.expected), advice };
    case "too_small":
      return {
        expected: describeBound(issue.origin, issue.inclusive ? "at least" : "more than", issue.minimum),
        advice,
      };
    case "too_big":
      return {
        expected: describeBound(issue.origin, issue.inclusive ? "at most" : "less than", issue.maximum),
        advice,
      };
    case "invalid_value":
      return withNearest(issue.values.map(String), received, advice);
    case "not_multiple_of":
      return { expected: `a multiple of ${issue.divisor}`, advice };
    case "invalid_union":
      if (issue.discriminator === "name") return withNearest(["adamw", "sgd"], received, advice);
      if (issue.discriminator === "codec") return withNearest(CODEC_CHOICES, received, advice);
      return { expected: "one of the documented forms", advice };
    default:
      return { expected: issue.message.replace(/^expected /, ""), advice };
  }
}

function withNearest(values: readonly string[], received: unknown, advice: string) {
  const nearest = typeof received === "string" ? nearestWord(received, values) : undefined;
  return {
    expected: values.map((value) => `"${value}"`).join(" or "),
    advice: nearest === undefined ? advice : `did you mean "${nearest}"?`,
  };
}

function describeType(expected: string): string {
  switch (expected) {
    case "int":
      return "a whole number";
    case "number":
      return "a number";
    case "string":
      return "text";
    case "boolean":
      return "true or false";
    case "array":
      return "a list";
    case "object":
    case "record":
      return "a map";
    default:
      return expected;
  }
}

function describeBound(origin: string, relation: string, bound: number | bigint): string {
  switch (origin) {
    case "array":
      return `a list of ${relation} ${bound}`;
    case "string":
      return `text of ${relation} ${bound} characters`;
    case "int":
      return `a whole number of ${relation} ${bound}`;
    default:
      return `a number of ${relation} ${bound}`;
  }
}

/** `parse()`, whose complaint is given the place of what it is about. */
export function locateId<T>(yaml: LocatedYaml, path: ConfigPath, parse: () => T, kind?: string): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof KumiaiError)) throw error;
    // An option's name begins with that of its strategy: `fedavg.share`.
    const option = typeof error.details.option === "string" && kind !== undefined ? error.details.option : "";
    const inner = option.startsWith(`${kind}.`) ? option.slice(`${kind}.`.length).split(".") : [];
    throw new KumiaiError(
      error.code,
      `${yaml.where([...path, ...inner])}: ${showPath(path)}: ${error.message}; change it`,
      error.details,
    );
  }
}
