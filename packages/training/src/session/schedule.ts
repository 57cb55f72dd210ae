/** Learning-rate schedules, worked out on the host. */
import { KumiaiError } from "@kumiai/params";

export interface ScheduleOptions {
  /** Rate at the end of the warm-up. */
  readonly peak: number;
  /** Steps in all. */
  readonly totalSteps: number;
  /** Steps of linear growth from peak / warmupSteps to peak. Default 0. */
  readonly warmupSteps?: number;
  /** After the warm-up: half a cosine down to `floor`, or constant. Default `cosine`. */
  readonly decay?: "cosine" | "constant";
  /** Rate that the cosine ends at. Default 0. */
  readonly floor?: number;
}

/** Learning rate of step `step`, counted from 0. The last step still has a rate above `floor`. */
export function learningRateAt(step: number, options: ScheduleOptions): number {
  const { peak, totalSteps, warmupSteps = 0, decay = "cosine", floor = 0 } = options;
  if (!(peak >= 0) || !(floor >= 0) || !(totalSteps >= 1) || !(warmupSteps >= 0)) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `schedule: expected peak, floor and warmupSteps of 0 or more and at least one step, received peak ${peak}, floor ${floor}, warmupSteps ${warmupSteps}, totalSteps ${totalSteps}`,
    );
  }
  if (decay !== "cosine" && decay !== "constant") {
    throw new KumiaiError("INVALID_CONFIG", `schedule: expected decay to be cosine or constant, received ${decay}`);
  }
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  if (decay === "constant") return peak;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  return floor + (peak - floor) * 0.5 * (1 + Math.cos(Math.PI * progress));
}
