/** What the tables of a comparison say beside their numbers. Loads the simulator, so it is imported after the command line is understood. */
import { type ComparisonResult, describeFailed, describeLeftOut, failedTasks, leftOutTasks } from "@kumiai/simulator";
import type { Colors } from "./io.js";

/** Which tasks have no part in Δ% and why, a line a task, and which a strategy failed at; empty if there are none. */
export function leftOutLines(result: ComparisonResult, colors: Colors): string {
  const leftOut = leftOutTasks(result).map((task) => describeLeftOut(task, result.seeds.length));
  const lines = [
    ...leftOut.map((clause) => `left out of Δ% under every strategy: ${clause}`),
    ...failedTasks(result).map(describeFailed),
  ];
  return lines.map((line) => `${colors.yellow("!")} ${line}`).join("\n");
}
