/** What the schema cannot see: rules across fields, tasks of a domain, strategies of the registry. */

import { createStrategy, STRATEGIES } from "@kumiai/algorithms";
import { nearestWord, parseClientId, parseTaskId, type TaskId } from "@kumiai/params";
import { checkSiteData, tasksOfData } from "./check-data.js";
import { locateId, refuse } from "./issues.js";
import type { ConfigPath, LocatedYaml } from "./located.js";
import type { ClientConfig, StrategyConfig } from "./scenario.js";
import type { RawScenario } from "./schema.js";

const STRATEGY_KINDS: readonly string[] = Object.keys(STRATEGIES);

/** Names stand in comma-separated lists and in file names. */
const STRATEGY_NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62})$/i;

/** Ids, tasks, joining and absent rounds of every client. */
export function checkClients(
  raw: RawScenario,
  yaml: LocatedYaml,
  resolve: (path: string) => string,
): readonly ClientConfig[] {
  const knownTasks = tasksOfData(raw.data);
  const firstWithId = new Map<string, number>();
  const clients = raw.clients.map((client, index): ClientConfig => {
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
      id: locateId(yaml, [...path, "id"], () => parseClientId(client.id)),
      ...checkSiteData(raw, index, yaml, resolve),
      tasks: client.tasks.map((_task, i) =>
        checkTask({ known: knownTasks, tasks: client.tasks }, i, yaml, [...path, "tasks", i]),
      ),
      joinsAtRound: checkRound(client.joinsAtRound, raw, yaml, [...path, "joinsAtRound"]),
      absentRounds: client.absentRounds.map((round, i) => checkRound(round, raw, yaml, [...path, "absentRounds", i])),
    };
  });
  checkSomebodyPresent(clients, raw, yaml);
  return clients;
}

function checkTask(
  { known, tasks }: { readonly known: readonly string[]; readonly tasks: readonly string[] },
  index: number,
  yaml: LocatedYaml,
  path: ConfigPath,
): TaskId {
  const task = tasks[index] ?? "";
  if (!known.includes(task)) {
    const nearest = nearestWord(task, known);
    refuse(yaml, "UNKNOWN_TASK", {
      path,
      expected: `one of ${known.join(", ")}`,
      received: task,
      advice: nearest === undefined ? "use one of these" : `did you mean "${nearest}"?`,
    });
  }
  if (tasks.indexOf(task) !== index) {
    refuse(yaml, "INVALID_CONFIG", {
      path,
      expected: "each task once",
      received: task,
      advice: "remove the repetition",
    });
  }
  return parseTaskId(task);
}

function checkRound(round: number, raw: RawScenario, yaml: LocatedYaml, path: ConfigPath): number {
  const last = raw.training.rounds;
  if (round > last) {
    refuse(yaml, "INVALID_CONFIG", {
      path,
      expected: `a round from 1 to ${last} (training.rounds)`,
      received: round,
      advice: "lower it or raise training.rounds",
    });
  }
  return round;
}

function checkSomebodyPresent(clients: readonly ClientConfig[], raw: RawScenario, yaml: LocatedYaml): void {
  for (let round = 1; round <= raw.training.rounds; round++) {
    if (!clients.some((client) => round >= client.joinsAtRound && !client.absentRounds.includes(round))) {
      refuse(yaml, "INVALID_CONFIG", {
        path: ["clients"],
        expected: `at least one client present in round ${round}`,
        received: `none in round ${round}`,
        advice: "change joinsAtRound or absentRounds of one",
      });
    }
  }
}

/** `thresholds.strategy` is one that a comparison can run. */
export function checkDecision({ thresholds }: RawScenario, named: readonly string[], yaml: LocatedYaml): void {
  const known = [...new Set([...named, ...STRATEGY_KINDS])];
  const strategy = thresholds?.strategy;
  if (strategy === undefined || known.includes(strategy)) return;
  const nearest = nearestWord(strategy, known);
  refuse(yaml, "UNKNOWN_STRATEGY", {
    path: ["thresholds", "strategy"],
    expected: `one of ${known.join(", ")}`,
    received: strategy,
    advice: nearest === undefined ? "use one of these" : `did you mean "${nearest}"?`,
  });
}

/** The strategies section: `kind` defaults to the name; options are tried on the registry, so that errors have a line. */
export function checkStrategies(raw: RawScenario, yaml: LocatedYaml): Readonly<Record<string, StrategyConfig>> {
  const out: Record<string, StrategyConfig> = {};
  for (const [name, entry] of Object.entries(raw.strategies)) {
    const { kind = name, traffic, ...options } = entry ?? {};
    if (!STRATEGY_NAME.test(name)) {
      refuse(yaml, "INVALID_CONFIG", {
        path: ["strategies", name],
        expected: 'a name of letters, digits, ".", "_" or "-"',
        received: name,
        advice: "rename it",
      });
    }
    if (kind !== name && STRATEGY_KINDS.includes(name)) {
      refuse(yaml, "INVALID_CONFIG", {
        path: ["strategies", name, "kind"],
        expected: `"${name}", because the name means that strategy everywhere`,
        received: kind,
        advice: "choose a name of your own",
      });
    }
    const path = entry?.kind === undefined ? ["strategies", name] : ["strategies", name, "kind"];
    if (!STRATEGY_KINDS.includes(kind)) {
      const nearest = nearestWord(kind, STRATEGY_KINDS);
      refuse(yaml, "UNKNOWN_STRATEGY", {
        path,
        expected: `one of ${STRATEGY_KINDS.join(", ")}${entry?.kind === undefined ? ", or a name of your own with `kind`" : ""}`,
        received: kind,
        advice: nearest === undefined ? "use one of these" : `did you mean "${nearest}"?`,
      });
    }
    locateId(yaml, ["strategies", name], () => createStrategy(kind, options), kind);
    out[name] = { kind, options, ...(traffic === undefined ? {} : { traffic }) };
  }
  return out;
}
