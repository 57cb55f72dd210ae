/** What decides a run's numbers, from what a comparison works with. */
import type { ParamsFile } from "@kumiai/params";
import type { PlannedRun } from "../comparison-plan.js";
import type { Scenario } from "../config/scenario.js";
import { configHashOf } from "../config-hash.js";
import { contentHash } from "../content-hash.js";
import type { DataSource } from "../data/source.js";
import type { RunIdentity } from "./kept-runs.js";
import { programHash } from "./program-hash.js";
import { runtimeHash } from "./runtime-hash.js";

/**
 * Leaves out what no run depends on: the scenario's name and description, and strategies other than the run's own, so that one more of them
 * costs its own runs only.
 */
export async function identifyRuns(
  scenario: Scenario,
  data: DataSource,
  encoder: ParamsFile | null,
): Promise<(run: PlannedRun) => RunIdentity> {
  const common = {
    scenario: configHashOf({ ...scenario, name: "", description: "", strategies: {} }, null),
    encoder: encoder?.sha256 ?? null,
    data: data.contentHash(),
    measured: contentHash(scenario.privacy ?? null),
    program: await programHash(),
    runtime: await runtimeHash(),
  };
  return ({ named, seed }) => ({ strategyName: named.name, seed, strategy: contentHash(named.config), ...common });
}
