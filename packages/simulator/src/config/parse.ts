/**
 * Scenario files: YAML in, a checked `Scenario` out. Every complaint has the form
 * `file:line:col: path: expected …, received …; what to do`.
 */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { KumiaiError } from "@kumiai/params";
import { checkClients, checkDecision, checkStrategies } from "./check.js";
import { checkData, checkLossWeights } from "./check-data.js";
import { type ConfigKind, invalidConfig, refuse } from "./issues.js";
import { type LocatedYaml, parseLocatedYaml, valueAt } from "./located.js";
import type { OptimizerConfig, Scenario } from "./scenario.js";
import { knownKeysAt, type RawScenario, scenarioSchema } from "./schema.js";

const SCENARIO_FILE: ConfigKind = {
  knownKeysAt,
  whole: 'a map with "name" and "clients"',
  examples: "examples/scenes",
};

/**
 * Parses the text of a scenario file. `file` is named in errors, and paths in the file are relative to its folder.
 * Throws INVALID_CONFIG, INVALID_ID, UNKNOWN_TASK or UNKNOWN_STRATEGY.
 */
export function parseScenario(text: string, file: string): Scenario {
  return scenarioOfYaml(parseLocatedYaml(text, file), file);
}

/** As `parseScenario`, of YAML that has been parsed already, and perhaps changed since. */
export function scenarioOfYaml(yaml: LocatedYaml, file: string): Scenario {
  const parsed = scenarioSchema.safeParse(yaml.value);
  if (!parsed.success) throw invalidConfig(parsed.error.issues, yaml, SCENARIO_FILE, file);
  return toScenario(parsed.data, yaml, file);
}

/** Reads and parses a scenario file. Throws as `parseScenario`, or FILE_NOT_FOUND, FILE_UNREADABLE. */
export async function loadScenario(file: string): Promise<Scenario> {
  return parseScenario(await readConfigFile(file, "a scenario file"), file);
}

/** The text of a file that a user named; `what` says what it should have been. Throws FILE_NOT_FOUND or FILE_UNREADABLE. */
export async function readConfigFile(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const [received, advice] =
      code === "ENOENT"
        ? ["nothing under this name", "check the path"]
        : code === "EISDIR"
          ? ["a folder", "name the file inside it"]
          : [`one that cannot be read (${message})`, "check the path and its permissions"];
    throw new KumiaiError(
      code === "ENOENT" ? "FILE_NOT_FOUND" : "FILE_UNREADABLE",
      `${file}: expected ${what}, received ${received}; ${advice}`,
      { file },
      error,
    );
  }
}

function toScenario(raw: RawScenario, yaml: LocatedYaml, file: string): Scenario {
  const { training } = raw;
  const warmupPath = ["training", "warmupRounds"];
  const warmupRounds = valueAt(yaml.value, warmupPath); // Its default is lowered where it does not fit.
  if (typeof warmupRounds === "number" && warmupRounds >= training.rounds && warmupRounds > 0) {
    refuse(yaml, "INVALID_CONFIG", {
      path: warmupPath,
      expected: `fewer than training.rounds (${training.rounds})`,
      received: warmupRounds,
      advice: "lower it or raise training.rounds",
    });
  }
  const init = raw.model.encoder.init;
  const strategies = checkStrategies(raw, yaml);
  checkDecision(raw, Object.keys(strategies), yaml);
  const inFolder = (path: string): string => resolve(dirname(file), path);
  return {
    where: (path) => yaml.where(path),
    name: raw.name,
    description: raw.description,
    data: checkData(raw, yaml, inFolder),
    scenes: raw.scenes,
    model: {
      stem: raw.model.stem,
      encoder: {
        channels: raw.model.encoder.channels,
        kernel: raw.model.encoder.kernel,
        norms: raw.model.encoder.norms,
        initFile: init === undefined ? null : inFolder(init),
      },
      decoder: raw.model.decoder,
    },
    training: {
      ...training,
      lossWeights: checkLossWeights(raw, yaml),
      optimizer: training.optimizer satisfies OptimizerConfig,
      warmupRounds: Math.min(training.warmupRounds, training.rounds - 1),
    },
    evaluation: raw.evaluation,
    ...(raw.traffic === undefined ? {} : { traffic: raw.traffic }),
    ...(raw.prices === undefined ? {} : { prices: raw.prices }),
    ...(raw.thresholds === undefined ? {} : { thresholds: raw.thresholds }),
    strategies,
    clients: checkClients(raw, yaml, inFolder),
    ...(raw.privacy?.membership === true ? { privacy: { examples: raw.privacy.examples } } : {}),
  };
}
