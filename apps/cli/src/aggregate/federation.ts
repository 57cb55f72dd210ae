/** FEDERATION.yaml: which strategy, which clients, and which tensors of their files play which part. See docs/ref-federation.md. */
import { readFile } from "node:fs/promises";
import { createStrategy, STRATEGIES, type Strategy } from "@kumiai/algorithms";
import {
  type ClientId,
  type ErrorCode,
  KumiaiError,
  nearestWord,
  parseClientId,
  parseTaskId,
  type TaskId,
} from "@kumiai/params";
import {
  type ConfigKind,
  type ConfigPath,
  invalidConfig,
  type LocatedYaml,
  parseLocatedYaml,
  refuse,
} from "@kumiai/simulator/config";
import { z } from "zod";
import { DEFAULT_ROLES, ROLE_KINDS, type RolePatterns, TASK } from "./roles.js";

export interface Federation {
  readonly strategy: Strategy;
  readonly strategyName: string;
  /** As they stand in the file. */
  readonly strategyOptions: Readonly<Record<string, unknown>>;
  readonly clients: readonly FederationClient[];
  readonly roles: RolePatterns;
}

export interface FederationClient {
  readonly id: ClientId;
  /** Name of the data's domain. */
  readonly dataset: string;
  readonly tasks: readonly TaskId[];
  readonly sampleCount: number;
}

const patterns = z.array(z.string().min(1)).optional();
const rolesSchema = z.strictObject({
  encoder: patterns,
  decoder: patterns,
  head: patterns,
  stem: patterns,
  buffer: patterns,
});
const clientSchema = z.strictObject({
  id: z.string(),
  dataset: z.string().min(1),
  tasks: z.array(z.string()).min(1),
  sampleCount: z.int().min(1).default(1),
});
const federationSchema = z.strictObject({
  strategy: z.looseObject({ name: z.string() }),
  clients: z.array(clientSchema).min(1),
  roles: rolesSchema.optional(),
});

const FEDERATION_FILE: ConfigKind = {
  knownKeysAt(path) {
    const known: Readonly<Record<string, readonly string[]>> = {
      "": Object.keys(federationSchema.shape),
      clients: Object.keys(clientSchema.shape),
      roles: Object.keys(rolesSchema.shape),
    };
    return known[path.filter((part) => typeof part !== "number").join(".")] ?? [];
  },
  whole: 'a map with "strategy" and "clients"',
  examples: "examples/aggregate",
};

/** Throws FILE_NOT_FOUND, FILE_UNREADABLE, INVALID_CONFIG, INVALID_ID or UNKNOWN_STRATEGY. */
export async function loadFederation(file: string): Promise<Federation> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    const code: ErrorCode = reason === "ENOENT" ? "FILE_NOT_FOUND" : "FILE_UNREADABLE";
    const received = reason === "ENOENT" ? "nothing under this name" : `one that cannot be read (${reason})`;
    throw new KumiaiError(
      code,
      `${file}: expected a federation file, received ${received}; check the path`,
      { file },
      cause,
    );
  });
  return parseFederation(text, file);
}

/** `file` is named in errors. Throws as `loadFederation`. */
export function parseFederation(text: string, file: string): Federation {
  const yaml = parseLocatedYaml(text, file);
  const parsed = federationSchema.safeParse(yaml.value);
  if (!parsed.success) throw invalidConfig(parsed.error.issues, yaml, FEDERATION_FILE, file);
  const { name, ...options } = parsed.data.strategy;
  const strategy = openStrategy(yaml, name, options);
  if (strategy.training === "pooled") {
    refuse(yaml, "INVALID_CONFIG", {
      path: ["strategy", "name"],
      expected: "a strategy that a federation can run",
      received: name,
      advice: "pooled is a reference for comparisons; choose another",
    });
  }
  return {
    strategy,
    strategyName: name,
    strategyOptions: options,
    clients: checkClients(parsed.data.clients, yaml),
    roles: checkRoles(parsed.data.roles ?? {}, yaml),
  };
}

function checkClients(
  raw: z.output<typeof federationSchema>["clients"],
  yaml: LocatedYaml,
): readonly FederationClient[] {
  const firstWithId = new Map<string, number>();
  return raw.map((client, index) => {
    const path = ["clients", index] as const;
    // Ids are names of files, and not every file system tells A from a.
    const earlier = firstWithId.get(client.id.toLowerCase());
    if (earlier !== undefined) {
      refuse(yaml, "INVALID_CONFIG", {
        path: [...path, "id"],
        expected: "an id of its own",
        received: client.id,
        advice: `clients[${earlier}] has the same, capitals aside; rename one`,
      });
    }
    firstWithId.set(client.id.toLowerCase(), index);
    return {
      id: located(yaml, [...path, "id"], () => parseClientId(client.id)),
      dataset: client.dataset,
      tasks: client.tasks.map((task, i) => {
        if (client.tasks.indexOf(task) < i) {
          refuse(yaml, "INVALID_CONFIG", {
            path: [...path, "tasks", i],
            expected: "each task once",
            received: task,
            advice: "remove one",
          });
        }
        return located(yaml, [...path, "tasks", i], () => parseTaskId(task));
      }),
      sampleCount: client.sampleCount,
    };
  });
}

function checkRoles(raw: NonNullable<z.output<typeof federationSchema>["roles"]>, yaml: LocatedYaml): RolePatterns {
  for (const kind of ROLE_KINDS) {
    const isOfTask = kind === "decoder" || kind === "head";
    raw[kind]?.forEach((pattern, index) => {
      if (pattern.split(TASK).length === (isOfTask ? 2 : 1)) return;
      refuse(yaml, "INVALID_CONFIG", {
        path: ["roles", kind, index],
        expected: isOfTask
          ? `a pattern with ${TASK} once, where the task's name stands`
          : `a pattern without ${TASK}, since it is for all tasks`,
        received: pattern,
        advice: `write it like ${DEFAULT_ROLES[kind][0]}`,
      });
    });
  }
  return {
    buffer: raw.buffer ?? DEFAULT_ROLES.buffer,
    // Who says what the encoder is may well mean `stem.*` too (ResNet calls its first layers so); only a default yields.
    stem: raw.stem ?? (raw.encoder === undefined ? DEFAULT_ROLES.stem : []),
    head: raw.head ?? DEFAULT_ROLES.head,
    decoder: raw.decoder ?? DEFAULT_ROLES.decoder,
    encoder: raw.encoder ?? DEFAULT_ROLES.encoder,
  };
}

/** The strategy's own complaints name an option by its path; here that becomes a line, and a word that was misspelled is guessed. */
function openStrategy(yaml: LocatedYaml, name: string, options: Readonly<Record<string, unknown>>): Strategy {
  const path: ConfigPath = ["strategy", "name"];
  try {
    return createStrategy(name, options);
  } catch (error) {
    if (!(error instanceof KumiaiError)) throw error;
    const option = typeof error.details.option === "string" ? error.details.option.split(".").slice(1) : [];
    const parent: ConfigPath = ["strategy", ...option.slice(0, -1)];
    const key = option.at(-1);
    const where = key === undefined ? yaml.where(path) : yaml.whereKey(parent, key);
    const known = key === undefined ? [] : namesAt(STRATEGIES[name]?.defaults ?? {}, option.slice(0, -1));
    const nearest = key === undefined || known.includes(key) ? undefined : nearestWord(key, known);
    const advice = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    throw new KumiaiError(error.code, `${where}: ${error.message}${advice}`, error.details, error);
  }
}

/** Names of the options that stand at `path` in `defaults`. */
function namesAt(defaults: object, path: readonly string[]): readonly string[] {
  let current: object = defaults;
  for (const part of path) {
    const next: unknown = new Map(Object.entries(current)).get(part);
    if (typeof next !== "object" || next === null) return [];
    current = next;
  }
  return Object.keys(current);
}

/** Puts the line before the message of an error that knows none. */
function located<T>(yaml: LocatedYaml, path: ConfigPath, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof KumiaiError)) throw error;
    throw new KumiaiError(error.code, `${yaml.where(path)}: ${error.message}`, error.details, error);
  }
}
