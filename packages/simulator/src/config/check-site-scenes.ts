/** Keys of a client that make its scenes differ from other sites' by degrees; read with data of kind `scenes` only. */
import { parseTaskId } from "@kumiai/params";
import { refuse } from "./issues.js";
import type { LocatedYaml } from "./located.js";
import type { SiteScenes } from "./scenario.js";
import type { RawScenario } from "./schema.js";

type RawClient = RawScenario["clients"][number];

export const SCENE_KEYS = ["classSkew", "domainShift", "flipTasks"] as const;

/** What is not neutral; nothing where all is, so that a key that changes nothing changes no hash either. */
export function checkSiteScenes(client: RawClient, index: number, yaml: LocatedYaml): { readonly scenes?: SiteScenes } {
  const flipped = client.flipTasks ?? [];
  for (const [i, task] of flipped.entries()) {
    const isRepeated = flipped.indexOf(task) !== i;
    if (client.tasks.includes(task) && !isRepeated) continue;
    refuse(yaml, "INVALID_CONFIG", {
      path: ["clients", index, "flipTasks", i],
      expected: isRepeated ? "each task once" : `one of the client's own tasks: ${client.tasks.join(", ")}`,
      received: task,
      advice: isRepeated ? "remove the repetition" : "remove it, or add it to tasks",
    });
  }
  const scenes: SiteScenes = {
    ...(typeof client.classSkew === "number" ? { classSkew: client.classSkew } : {}),
    ...(client.domainShift === undefined || client.domainShift === 0 ? {} : { domainShift: client.domainShift }),
    ...(flipped.length === 0
      ? {}
      : { flipTasks: client.tasks.filter((task) => flipped.includes(task)).map(parseTaskId) }),
  };
  return Object.keys(scenes).length === 0 ? {} : { scenes };
}
