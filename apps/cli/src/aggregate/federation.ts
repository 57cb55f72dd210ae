/** FEDERATION.yaml: which strategy, which clients, and which tensors of their files play which part. See docs/ref-federation.md. */
import { readFile } from "node:fs/promises";
import { createStrategy, type Strategy } from "@kumiai/algorithms";
import { type ClientId, type ErrorCode, KumiaiError, parseClientId, parseTaskId, type TaskId } from "@kumiai/params";
import {
  type ConfigKind,
  type ConfigPath,
  invalidConfig,
  type LocatedYaml,
  parseLocatedYaml,
  refuse,
} from "@kumiai/simulator/config";
import { z } from "zod";
import { compileRoles, DEFAULT_ROLES, type RolePatterns, type Roles } from "./roles.js";

export interface Federation {
  readonly strategy: Strategy;
  readonly strategyName: string;
  /** As they stand in the file. */
  readonly strategyOptions: Readonly<Record<string, unknown>>;
  readonly clients: readonly FederationClient[];
  readonly roles: Roles;
}

export interface FederationClient {
  readonly id: ClientId;
  /** Name of the data's domain. */
  readonly dataset: string;
  readonly tasks: readonly TaskId[];
  readonly sampleCount: number;
}

const patterns = z.array(z.string().min(1)).optional();
const rolesSchema = z.strictObject({ encoder: patterns, decoder: patterns, head: patterns });
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
  const strategy = located(yaml, ["strategy"], () => createStrategy(name, options));
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
    const earlier = firstWithId.get(client.id);
    if (earlier !== undefined) {
      refuse(yaml, "INVALID_CONFIG", {
        path: [...path, "id"],
        expected: "an id of its own",
        received: client.id,
        advice: `clients[${earlier}] has the same id; rename one`,
      });
    }
    firstWithId.set(client.id, index);
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

function checkRoles(raw: NonNullable<z.output<typeof federationSchema>["roles"]>, yaml: LocatedYaml): Roles {
  const given: RolePatterns = {
    encoder: raw.encoder ?? DEFAULT_ROLES.encoder,
    decoder: raw.decoder ?? DEFAULT_ROLES.decoder,
    head: raw.head ?? DEFAULT_ROLES.head,
  };
  for (const role of ["decoder", "head"] as const) {
    given[role].forEach((pattern, index) => {
      if (pattern.split("<task>").length === 2) return;
      refuse(yaml, "INVALID_CONFIG", {
        path: ["roles", role, index],
        expected: "a pattern with <task> where the task's name stands",
        received: pattern,
        advice: `write it like ${DEFAULT_ROLES[role][0]}`,
      });
    });
  }
  return compileRoles(given);
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
